#!/usr/bin/env bash
# Makes the virtual environment and builds covet into it. Usage: setup.sh VENV PROFILE [REQUIREMENTS]
# Safe to repeat: packages are installed again only when their list changed.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 profile=$2 requirements=${3:-}

scripts/require.sh
[ -x "$venv/bin/python" ] || "$(scripts/find-python.sh)" -m venv "$venv"

stamp="$venv/.installed"
wanted=$(cat requirements/build.txt ${requirements:+"$requirements"} | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r requirements/build.txt ${requirements:+-r "$requirements"}
  echo "$wanted" >"$stamp"
fi
"$venv/bin/python" scripts/fetch-ui.py || true # it says what is missing; the pages work without
VIRTUAL_ENV=$(cd "$venv" && pwd) "$venv/bin/maturin" develop --quiet --profile "$profile"
