#!/usr/bin/env bash
# Holds branch coverage of python/covet and line coverage of the pure Rust floors at 90 % or more.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/coverage erase
.venv/bin/coverage run -m pytest
.venv/bin/coverage combine --quiet
.venv/bin/coverage report --fail-under=90 --skip-covered --sort=cover
scripts/coverage-rust.sh
