# Two commands do all set-up on a fresh machine: `make demo` and `make test`.
# Each makes its own virtual environment and installs from pyproject.toml.

PYTHON ?= python3
VENV ?= .venv
DEMO_OUT ?= demo-out
BIN := $(VENV)/bin
SOURCES := rig drivers simulators tests benchmarks

SURVIVAL := $(addprefix tests/system/test_,kills.py kill_and_resume.py server_kills.py soak.py two_rigs.py)

.PHONY: demo test check format lint types contracts slow survive clean

demo: $(VENV)/.runtime  ## run the main job on simulated instruments: rig.db and report.html
	$(BIN)/rig demo --out $(DEMO_OUT)

test: $(VENV)/.dev  ## the fast suite
	$(BIN)/python -m pytest -n 3 -m "not slow"

slow: $(VENV)/.dev  ## what takes minutes
	$(BIN)/python -m pytest -m slow

survive: $(VENV)/.dev  ## engines, servers and power killed, a short soak: some minutes
	$(BIN)/python -m pytest -n 2 -m slow $(SURVIVAL)

check: $(VENV)/.dev format lint types contracts test  ## all that CI does

format: $(VENV)/.dev
	$(BIN)/ruff format --check $(SOURCES)

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

$(VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) $(DEMO_OUT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
