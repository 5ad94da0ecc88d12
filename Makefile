# Every target does its own set-up, from Python 3.11 with venv, and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo serve test lint bench lifecycle clean

help:
	@echo 'make demo       scan an organization that runs on this machine, and write its reports'
	@echo 'make serve      the same, and keep the organization up for other commands'
	@echo 'make test       run every test'
	@echo 'make lint       ruff, mypy, import-linter'
	@echo 'make bench      measure, and write docs/benchmarks.md'
	@echo 'make lifecycle  refresh the table of runtimes from the one cfn-lint ships'

$(READY): pyproject.toml constraints.txt
	@test -n '$(PYTHON)' && '$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'fleet needs Python 3.11 or newer with venv: install it, or set PYTHON=' >&2; exit 1; }
	'$(PYTHON)' -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)
	tools/system-packages gcc
	$(BIN)/fleet demo

serve: $(READY)
	tools/system-packages gcc
	$(BIN)/fleet demo --serve

test: $(READY)
	tools/system-packages gcc chromium postgresql
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	tools/system-packages chromium
	$(BIN)/python -m tests.bench

lifecycle: $(READY)
	$(BIN)/python tools/refresh_lifecycle.py

clean:
	rm -rf $(VENV) .cache fleet-report fleet.db fleet.db-shm fleet.db-wal
