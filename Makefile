# Requirements: Python 3.11 or later, and access to PyPI. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROFILES := $(basename $(notdir $(sort $(wildcard profiles/*.toml))))
# Ignore the user's uv settings, for reproducible results; to use another index, set UV_DEFAULT_INDEX.
UV := $(BIN)/uv --no-config
COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade

.PHONY: help setup lock check-locks test test-offline test-later test-weekly test-windows test-windows-torch lint type arch bench docs check requirements
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-20s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with the pinned tools (once)

$(STAMP): pyproject.toml setup.py requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || { sed -n '/^uv==/,/# via/p' requirements-dev.txt > $(VENV)/uv.txt; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt; }
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	touch $@

lock: $(STAMP) ## lock all shipped profiles from the embedded catalog, as of the committed cutoffs
	$(BIN)/envsmith lock $(PROFILES) --catalog embedded

check-locks: $(STAMP) ## check that the committed locks match their profiles, offline
	$(BIN)/envsmith lock $(PROFILES) --catalog embedded --check

test: $(STAMP) ## run all tests
	$(BIN)/python -m pytest -n auto

test-offline: $(STAMP) ## run the tests that need no network, without one
	ENVSMITH_TEST_OFFLINE=1 $(BIN)/python -m pytest -n auto

test-later: $(STAMP) ## run them 400 days ahead: the clock of the test process, not that of its programs
	ENVSMITH_TEST_OFFLINE=1 ENVSMITH_TEST_CLOCK_DAYS=400 $(BIN)/python -m pytest -n auto

test-weekly test-windows test-windows-torch: export ENVSMITH_TEST_WINDOWS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/envsmith-test-windows
test-windows: $(STAMP) ## run the suites of pure and I/O modules under a Windows CPython and Wine
	.ci/windows "$$ENVSMITH_TEST_WINDOWS" $(BIN) </dev/null
	$(BIN)/python -m tests.windows.suites "$$ENVSMITH_TEST_WINDOWS"

test-windows-torch: $(STAMP) ## lock, install and use the real torch for Windows, under Wine; 132 MB
	.ci/windows "$$ENVSMITH_TEST_WINDOWS" $(BIN) </dev/null
	ENVSMITH_TEST_WINDOWS_TORCH=1 $(BIN)/python -m pytest -n 0 tests/windows/test_real_torch.py

test-weekly: $(STAMP) ## run what takes long, or depends on what others publish
	! command -v wine >/dev/null || .ci/windows "$$ENVSMITH_TEST_WINDOWS" $(BIN) </dev/null
	ENVSMITH_TEST_WEEKLY=1 ENVSMITH_TEST_TREES=500 ENVSMITH_TEST_SEQUENCES=200 ENVSMITH_TEST_KILLS=40 $(BIN)/python -m pytest \
	    -n auto tests/first_contact tests/examples tests/install tests/property tests/faults tests/windows

lint: $(STAMP) ## check style, import contracts, structure, words and generated pages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python tools/check_structure.py
	$(BIN)/python tools/check_words.py --check
	$(BIN)/python tools/cli_reference.py --check
	$(BIN)/python tools/snapshot_page.py --check
	$(BIN)/python tools/json_schemas.py --check

type: $(STAMP) ## check types with mypy, strict
	$(BIN)/mypy

arch: $(STAMP) ## check import contracts, structure and words only
	$(BIN)/lint-imports
	$(BIN)/python tools/check_structure.py
	$(BIN)/python tools/check_words.py --check
	$(BIN)/python -m pytest tests/test_architecture.py

bench: $(STAMP) ## measure against uv, click and deptry
	$(BIN)/python -m bench

docs: $(STAMP) ## rewrite the generated pages and the CI files
	$(BIN)/python tools/cli_reference.py
	$(BIN)/python tools/snapshot_page.py
	$(BIN)/python tools/json_schemas.py
	for service in github gitlab; do $(BIN)/envsmith ci init --format $$service --yes; done

check: lint type test ## run what CI runs

requirements: $(STAMP) ## pin envsmith's own dependencies again
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --group dev --output-file requirements-dev.txt
