# Everything a clone needs: `make demo` and `make test` set up `.venv` by themselves.

PYTHON ?= python3

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# Written when the set-up is complete; a clone that was set up once starts at once.
READY := .venv/ready
SOURCES = $(wildcard lsp_server models tools examples tests benchmarks)

.DEFAULT_GOAL := help
.PHONY: help environment demo test check format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

environment: $(READY) ## set up .venv; again after CMAKE_ARGS changed: make -B environment

$(READY): pyproject.toml tools/environment.py
	@$(PYTHON) tools/environment.py
	@touch $@

demo: $(READY) ## completions of the bundled demo model, in the terminal
	@$(BIN)/python examples/demo.py

test: check ## all checks and all tests
	$(BIN)/python -m pytest

check: $(READY) ## style and types only
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy --strict $(SOURCES)

format: $(READY) ## put the sources into the project's style
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean: ## remove what was made here; compiled llama.cpp stays in the user's cache
	rm -rf .venv .venv.lock build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
