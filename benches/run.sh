#!/usr/bin/env bash
# Builds covet in release mode, installs the peers and compares them. Two idle cores and wrk are all it asks for.
# Usage: benches/run.sh [options of compare.py, e.g. --workloads json,body --rounds 12]
set -euo pipefail
cd "$(dirname "$0")/.."
home=${COVET_BENCH_HOME:-$HOME/.cache/covet/bench}

if ! command -v wrk >/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "error: wrk not found; install it with: apt-get install wrk" >&2; exit 1; }
  apt-get update -qq && apt-get install -y -qq wrk >/dev/null
fi
scripts/setup.sh .venv-demo release
version=$(.venv-demo/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
peers="$home/peers-$version"
if ! [ -x "$peers/bin/uvicorn" ]; then
  .venv-demo/bin/python -m venv "$peers"
  "$peers/bin/python" -m pip install --quiet fastapi==0.165.0 uvicorn==0.54.0 uvloop httptools
fi
cargo build --quiet --release --manifest-path benches/limit/Cargo.toml --target-dir "$home/limit"
exec .venv-demo/bin/python benches/compare.py --covet .venv-demo/bin --peers "$peers/bin" \
  --limit "$home/limit/release/covet-bench-limit" "$@"
