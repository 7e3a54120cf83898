#!/usr/bin/env bash
# Licences, sources and known advisories of every dependency. Says so when the data cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${COVET_TOOLS:-$HOME/.cache/covet/tools}

if ! [ -x "$tools/bin/cargo-deny" ]; then
  echo "installing cargo-deny into $tools (once)"
  cargo install --quiet --locked --root "$tools" cargo-deny --version '^0.20'
fi
"$tools/bin/cargo-deny" --workspace check bans licenses sources
"$tools/bin/cargo-deny" --workspace check advisories ||
  echo "note: advisories not checked or not clean; the message above says which"

venv=.venv-audit
[ -x $venv/bin/pip-audit ] || { "$(scripts/find-python.sh)" -m venv $venv && $venv/bin/python -m pip install -q pip-audit; }
$venv/bin/pip-audit --path "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" ||
  echo "note: pip-audit found something or could not reach its data; the message above says which"
