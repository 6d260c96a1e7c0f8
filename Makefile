# Needs python3 (3.11 or newer) and make. Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := src tests benchmarks
# processes of the tests; some tests wait for clocks rather than compute
WORKERS ?= 2
# what installs packages; `.ci/run` names something quicker
INSTALLER ?= $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint types contracts pytest bench fuzz validate validate-redfish validate-outlets clean

demo: $(VENV)/.ready
	@$(BIN)/casemate build examples/camera/enclosure.toml -o out/camera; code=$$?; \
	test $$code -le 1 || exit $$code; \
	echo; echo "Open the report: out/camera/report.html"; \
	test $$code -eq 0 || echo "(exit code 1: the report's Doubts say which targets are unmet)"

test: lint types contracts pytest

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.ready-dev
	$(BIN)/mypy

contracts: $(VENV)/.ready-dev
	$(BIN)/lint-imports

pytest: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder

bench: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks --load-page docs/fleet-load.md

fuzz: $(VENV)/.ready-dev
	$(BIN)/python tests/fuzz

validate: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -q -n 2 -m "slow or not slow" --validation-table=docs/validation.md \
	  --accessibility-table=docs/accessibility.md
	$(BIN)/python -m casemate.testing.matrix_page docs/matrix.md
	$(BIN)/python tests/faults --jobs 2 docs/faults.md
	$(BIN)/python tests/redfish docs/redfish.md
	$(BIN)/python tests/outlets docs/outlets.md

validate-redfish: $(VENV)/.ready-dev
	$(BIN)/python tests/redfish docs/redfish.md

validate-outlets: $(VENV)/.ready-dev
	$(BIN)/python tests/outlets docs/outlets.md

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "python3 lacks venv: install it (on Debian: apt-get install python3-venv)"; exit 2; }

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(INSTALLER) --require-hashes -r requirements.lock
	$(INSTALLER) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock requirements-tpm.lock $(VENV)/.ready
	$(INSTALLER) --require-hashes -r requirements-dev.lock
	@if pkg-config --exists tss2-esys 2>/dev/null && command -v cc >/dev/null; then \
	  $(INSTALLER) --require-hashes -r requirements-tpm.lock; \
	else echo "no libtss2-dev, pkg-config and compiler here: tests of the TPM are skipped"; fi
	@touch $@

clean:
	rm -rf $(VENV) out build dist
