#!/usr/bin/env bash
# Makes the environment of the real FastAPI and Starlette, which covet is compared with and never imports.
# Prints the path of its Python. Safe to repeat: reused as long as the pinned versions are the installed ones.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${COVET_REFERENCE_VENV:-.venv-reference}
stamp="$venv/.installed"
wanted=$(sha256sum <requirements/reference.txt)

if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  "$(scripts/find-python.sh)" -m venv --clear "$venv" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements/reference.txt >&2
  echo "$wanted" >"$stamp"
fi
echo "$(cd "$venv" && pwd)/bin/python"
