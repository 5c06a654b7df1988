# Two commands do all set-up on a fresh machine: `make demo` and `make test`.
# Each makes its own virtual environment and installs from pyproject.toml.

PYTHON ?= python3
VENV ?= .venv
DEMO_OUT ?= demo-out
BIN := $(VENV)/bin
SOURCES := rig drivers simulators tests benchmarks

SURVIVAL := $(addprefix tests/system/test_,kills.py kill_and_resume.py server_kills.py soak.py two_rigs.py \
	watchdog.py steering.py hosted_kill.py) tests/web/test_page_data.py \
	tests/web/test_page_closer_look.py

STORIES := $(addprefix tests/,cli conformance docs store system web)

# Modules that are not kept compiled are compiled anew in every worker and every `rig` that a test starts.
WRITTEN := env -u PYTHONDONTWRITEBYTECODE

.PHONY: demo test stories check browser format lint types contracts slow survive clean

demo: $(VENV)/.runtime  ## run the main job on simulated instruments: rig.db and report.html
	$(BIN)/rig demo --out $(DEMO_OUT)

test: $(VENV)/.dev  ## the fast suite
	$(WRITTEN) $(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow and not story"

stories: $(VENV)/.dev  ## whole programs that talk to each other: pages, processes, every command of the docs
	$(WRITTEN) $(BIN)/python -m pytest -n 3 --dist loadgroup -m "story and not slow" $(STORIES)

slow: $(VENV)/.dev  ## what takes minutes, and every property with many examples
	$(WRITTEN) $(BIN)/python -m pytest -m "slow or hypothesis" --hypothesis-profile=thorough

survive: $(VENV)/.dev  ## engines, servers and power killed, a short soak: some minutes
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow -k "not for_a_minute" $(SURVIVAL)

check: export CI = 1  # the tests of the page are not skipped
check: $(VENV)/.dev browser format lint types contracts test  ## all that CI does

browser:  ## what the tests of the page need
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

format: $(VENV)/.dev
	$(BIN)/ruff format --check $(SOURCES)

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/oxlint --config .oxlintrc.json rig/web/pages/assets

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
