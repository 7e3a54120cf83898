#!/usr/bin/env bash
# Builds and tries covet on every other supported Python of this machine: import, one request, clean stop.
set -euo pipefail
cd "$(dirname "$0")/.."
main=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for python in $(scripts/find-python.sh --all); do
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [ "$version" = "$main" ] && continue
  venv=.venv-$version
  CARGO_TARGET_DIR="$CARGO_TARGET_DIR/python$version" PYO3_PYTHON=$python PYTHON=$python \
    scripts/setup.sh "$venv" fast
  "$venv/bin/python" tests/smoke.py
done
