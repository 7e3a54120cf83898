# Every task of the project. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One target folder outside the tree: worktrees and clones share it, and a fresh clone builds in seconds.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/covet/target
export PYO3_PYTHON ?= $(shell scripts/find-python.sh 2>/dev/null)
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Build in release mode and serve the demo application
	@scripts/setup.sh .venv-demo release
	@echo "demo: http://127.0.0.1:$(PORT)/books   documentation: http://127.0.0.1:$(PORT)/docs   (Ctrl+C stops)"
	@exec .venv-demo/bin/covet run bookshop.main:app --app-dir examples --host 127.0.0.1 --port $(PORT)

setup: ## Make the test environment and build covet into it
	@scripts/setup.sh $(VENV) fast requirements/test.txt

test: setup rust python lint types smoke fuzz ## Run every test, lint and type check; fuzz each parser for 30 s

rust: ## Run the Rust tests
	cargo test --quiet --workspace --profile fast

python: setup ## Run the Python tests
	@scripts/test-packages.sh || true # it says what is skipped
	$(PY) -m pytest

lint: setup ## Check formatting, lints and import contracts
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets --profile fast -- -D warnings
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	PYTHONPATH=python $(VENV)/bin/lint-imports --no-cache

smoke: setup ## Try covet on the other supported Pythons of this machine
	@scripts/smoke.sh

types: setup ## Check the types and the engine's stub
	$(VENV)/bin/mypy
	$(PY) -m mypy.stubtest covet._engine --mypy-config-file pyproject.toml

check: test ## Everything CI could know: tests, coverage, fuzzing, licences, advisories
	scripts/coverage.sh
	scripts/supply-chain.sh

format: setup ## Format everything
	cargo fmt --all
	$(VENV)/bin/ruff check --fix-only --quiet
	$(VENV)/bin/ruff format --quiet

bench: ## Compare with FastAPI on uvicorn (minutes; leave the machine alone)
	benches/run.sh

fuzz: ## Fuzz every parser for 30 s
	fuzz/run.sh 30

clean: ## Remove what the targets above made in the tree
	rm -rf .venv .venv-demo .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help demo setup test rust python lint types check smoke format bench fuzz clean
