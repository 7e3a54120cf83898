#!/usr/bin/env bash
# Holds line coverage of the Rust floors 0 and 1 (no I/O, so tests reach everything) at 90 % or more.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${COVET_TOOLS:-$HOME/.cache/covet/tools}

if ! [ -x "$tools/bin/cargo-tarpaulin" ]; then
  echo "installing cargo-tarpaulin into $tools (once)"
  cargo install --quiet --locked --root "$tools" cargo-tarpaulin
fi
# ptrace: no llvm-tools needed, so any stable toolchain will do. Property tests run few cases: lines, not luck, count here.
PROPTEST_CASES=${PROPTEST_CASES:-20} "$tools/bin/cargo-tarpaulin" tarpaulin --engine ptrace --skip-clean \
  --target-dir "${CARGO_TARGET_DIR:-target}/coverage" --out stdout --fail-under 90 \
  -p covet-http -p covet-router -p covet-middleware \
  --include-files 'crates/covet-http/src/*' 'crates/covet-router/src/*' 'crates/covet-middleware/src/*'
