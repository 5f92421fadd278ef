# nastui: `make demo` and `make test` need only Python 3.11 or newer and the package registry.
#   VENV=folder     where the environment is (made on first use)
#   PYTHON=python3  the Python to make it with (default: the newest that works)
#   ARGS='…'        passed on to nastui demo, or to pytest

VENV ?= .venv
ARGS ?=
bin := $(abspath $(VENV))/bin

# The checkout comes before whatever an environment shared between checkouts has installed.
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench shots environment

help:  ## Say what each target does
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: environment  ## Train a small network on handwritten digits, scan it and open it
	@$(bin)/python -m nastui demo $(ARGS)

test: lint  ## Run all checks and tests
	$(bin)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: environment  ## Check format, style, types and the import contracts
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports

bench: environment  ## Measure against the limits (prints ratios; takes minutes)
	@for script in $(shell grep -l "def main() -> int" benchmarks/*.py); do echo "== $$script"; $(bin)/python $$script || exit 1; done

shots: environment  ## Take the pictures of README and docs from the demo's run
	$(bin)/python tools/shots.py

environment:
	@tools/environment $(VENV)
