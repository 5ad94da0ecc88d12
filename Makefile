# Every target does its own set-up, from Python 3.11 with venv, and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

FUZZ_SECONDS ?= 300
# One more than there are cores: tests wait for programs that they start, a third of their time.
TEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: help demo serve test lint fuzz crash-points soak bench lifecycle clean

help:
	@echo 'make demo       scan an organization that runs on this machine, and move some of its functions'
	@echo 'make serve      the same, and keep the organization up for other commands'
	@echo 'make test       run every test'
	@echo 'make lint       ruff, mypy, import-linter'
	@echo 'make fuzz       feed hostile archives and binaries for ten minutes (FUZZ_SECONDS each)'
	@echo 'make crash-points  kill a migration before and after every call it makes (a quarter of an hour)'
	@echo 'make soak       move 5,000 functions (SOAK_FUNCTIONS) while workers and coordinators get killed'
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
	tools/system-packages gcc git upx sandbox qemu chromium postgresql
	$(BIN)/pytest --numprocesses $(TEST_WORKERS) --dist loadfile

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz.archive -max_total_time=$(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.binary -max_total_time=$(FUZZ_SECONDS)

crash-points: $(READY)
	EVERY_CRASH_POINT=1 $(BIN)/pytest --numprocesses auto tests/migration/test_crash_points.py tests/migration/test_rescued_halfway.py

soak: $(READY)
	tools/system-packages postgresql
	$(BIN)/python -m tests.soak

bench: $(READY)
	tools/system-packages chromium
	$(BIN)/python -m tests.bench

lifecycle: $(READY)
	$(BIN)/python tools/refresh_lifecycle.py

clean:
	rm -rf $(VENV) .cache fleet-report fleet.db fleet.db-shm fleet.db-wal
