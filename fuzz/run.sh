#!/usr/bin/env bash
# Builds every fuzz target with coverage feedback on stable Rust and runs each for some seconds over its seeds.
# Usage: fuzz/run.sh [SECONDS] [TARGET...]      A crash fails the run and leaves its input in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-30}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in targets/*.rs; do targets+=("$(basename "$source" .rs)"); done
fi

# What cargo-fuzz would set, less the sanitizer, which needs nightly. `--target` keeps build scripts uninstrumented.
host=$(rustc -vV | sed -n 's/^host: //p')
flags="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  flags+=" -Cllvm-args=-sanitizer-coverage-$option"
done
# Below the shared target folder: other flags, other files.
folder="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
RUSTFLAGS=$flags CARGO_TARGET_DIR=$folder cargo build --quiet --release --target "$host"

mkdir -p artifacts
for target in "${targets[@]}"; do
  # What the fuzzer finds goes into a folder of its own; `corpus/` holds the committed seeds and is only read.
  found="$folder/found/$target"
  mkdir -p "$found"
  log="$folder/$target.log"
  if "$folder/$host/release/$target" "$found" "corpus/$target" -max_total_time="$seconds" -max_len=2048 \
    -timeout=5 -rss_limit_mb=2048 -artifact_prefix="artifacts/$target-" >"$log" 2>&1; then
    echo "$target: $(sed -n 's/^Done \([0-9]* runs\) in.*/\1/p' "$log"), no crash"
  else
    tail -n 40 "$log"
    echo "$target: crashed, see fuzz/artifacts" >&2
    exit 1
  fi
done
