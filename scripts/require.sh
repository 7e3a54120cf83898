#!/usr/bin/env bash
# Stops with one clear line a tool when something that the build needs is missing.
set -uo pipefail
missing=0

need() { # COMMAND WHAT INSTALL
  command -v "$1" >/dev/null 2>&1 && return
  echo "error: $2 not found; install it with: $3" >&2
  missing=1
}

need cargo "Rust (cargo)" "curl https://sh.rustup.rs -sSf | sh"
need cc "a C compiler" "apt-get install build-essential"
"$(dirname "$0")/find-python.sh" >/dev/null || missing=1
exit $missing
