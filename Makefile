# Everything is installed into .venv from the pinned, hashed requirements; only Python 3.11+ and the package registry
# are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# Two test processes, each with servers of its own.
TEST_PROCESSES ?= 2

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test check format lock clean

help: ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.embedded ## Install the project with the embedded servers

install-dev: $(VENV)/.dev ## Install everything that tests and linters need as well

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.embedded: $(VENV)/.created requirements-embedded.txt pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-embedded.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.created requirements-dev.txt pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.embedded

demo: install ## Show the main job: a browser's recording becomes a lesson that plays
	@$(BIN)/astegni demo

test: check ## Run the whole check: format, lint, types, layers, tests
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

check: install-dev ## Run all of that but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install-dev ## Put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install-dev ## Pin the newest versions that pyproject.toml allows
	PATH="$(abspath $(BIN)):$$PATH" sh requirements.sh

clean: ## Remove what was installed and made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info .data
