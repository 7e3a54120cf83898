#!/usr/bin/env bash
# Licences, sources and known advisories of every dependency. What cannot be looked up here is said, not passed over.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${COVET_TOOLS:-$HOME/.cache/covet/tools}

if ! [ -x "$tools/bin/cargo-deny" ]; then
  echo "installing cargo-deny into $tools (once)"
  cargo install --quiet --locked --root "$tools" cargo-deny --version '^0.20'
fi
"$tools/bin/cargo-deny" --log-level error --workspace check bans licenses sources
if "$tools/bin/cargo-deny" --log-level off fetch db >/dev/null 2>&1; then
  "$tools/bin/cargo-deny" --log-level error --workspace check advisories
else
  echo "note: the RustSec advisories cannot be fetched here; they were NOT checked"
fi

venv=.venv-audit
if ! [ -x $venv/bin/pip-audit ]; then
  "$(scripts/find-python.sh)" -m venv $venv
  $venv/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
fi
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
if ! report=$($venv/bin/pip-audit --path "$packages" 2>&1); then
  if grep -q '^Found [0-9]' <<<"$report"; then
    echo "$report"
    exit 1
  fi
  echo "note: pip-audit cannot reach its data here; Python advisories were NOT checked"
fi
