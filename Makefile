# Everything is installed into .venv from the pinned, hashed requirements; only Python 3.11+ and the package registry
# are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# Test processes, each with servers of its own: for two cores six, since tests of processes wait most of their time; one
# of the six begins with the files that only compute (tests/file_order.py).
TEST_PROCESSES ?= 6
# The tests of `make quick` do not wait, and each process reads all of them first.
QUICK_PROCESSES ?= 3
# File by file, those of tests/slow.txt first.
BY_FILE := --dist loadfile --no-loadscope-reorder
CHECK := $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo \
	&& $(BIN)/python tests/house/words.py
# Where a shell or an image says not to keep compiled modules, every process compiles all it imports: 2 s of its start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test quick check conformance image chaos scale alarms thin-link bench house audit settings pictures format lock clean

help: ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.embedded ## Install the project with the embedded servers

install-dev: $(VENV)/.dev ## Install everything that tests and linters need as well

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.embedded: $(VENV)/.created requirements-embedded.txt pyproject.toml devstack/pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-embedded.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable ./devstack
	@touch $@

$(VENV)/.dev: $(VENV)/.created requirements-dev.txt pyproject.toml devstack/pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable . --editable ./devstack
	@touch $@ $(VENV)/.embedded

demo: install ## Show the main job: a browser's recording becomes a lesson that plays
	@$(BIN)/astegni demo

# The linters take one core for a minute, in which the first tests wait for processes; they yield to tests in real time.
# Where they fail, their output comes last.
test: install-dev ## Run the whole check: format, lint, types, layers, tests
	@nice -n 5 sh -c '$(CHECK)' >$(VENV)/check.log 2>&1 & check=$$!; \
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) $(BY_FILE); tests=$$?; \
	wait $$check || { cat $(VENV)/check.log >&2; exit 1; }; \
	exit $$tests

quick: install-dev ## Run the tests of rules, SQL and API alone
	$(BIN)/pytest --numprocesses $(QUICK_PROCESSES) $(BY_FILE) -m "not slow"

check: install-dev ## Run everything of `make test` except the tests
	$(CHECK)

conformance: install-dev ## Test the emulator with rclone and the b2 command, with gigabytes of data
	@command -v rclone >/dev/null || { echo "rclone is missing and nothing was tested. Install it (Debian: apt-get install rclone)." >&2; exit 1; }
	$(BIN)/pytest tests/conformance

image: install-dev ## Build the image with buildah and run every role of it with podman, read-only and without privileges
	sh deploy/image/build.sh
	$(BIN)/pytest tests/compose/image

# CHAOS="--seed 7 --minutes 2 --only kill_main" for another run than the usual one, CHAOS="--uploads --seed 7" for the
# second half alone, CHAOS="--renditions --kills 100" for what makes renditions and pictures.
chaos: install-dev ## Inject faults for half an hour and check that nothing is lost or done twice
	@$(BIN)/python -m tests.chaos.harness $(CHAOS)

# SCALE="--recordings 1 --rounds 1" for a shorter run.
scale: install-dev ## Compare one machine with three, kill one while it works, and check that nothing is lost
	@$(BIN)/python -m tests.chaos.harness.machines $(SCALE)

# ALARMS="--only B2" for the incidents with this in their name. Prometheus evaluates the rules where it is installed.
alarms: install-dev ## Cause every outage with the intervals of production, in half an hour, and time its alarms
	@$(BIN)/python -m tests.chaos.harness.alarm_run $(ALARMS)

thin-link: install-dev ## Record a lesson of three minutes over 48 kbit/s with breaks, and time its last byte
	THIN_LINK_SECONDS=180 $(BIN)/pytest -q -s tests/script_tag/test_thin_link.py

# BENCH="--only ledger" for one figure, BENCH=--quick to try the benchmarks themselves.
bench: install-dev ## Measure what docs/benchmarks.md says, compared with peers, in half an hour
	@$(BIN)/python -m benchmarks $(BENCH)

house: install-dev ## Print sizes, names, imports and types of the code, beside their limits
	@$(BIN)/python tests/house/measure.py

# AUDIT_DATABASE=all.zip: advisories in OSV's form.
audit: install-dev ## List the image's components, and look for known vulnerabilities and licences that NOTICE does not allow
	@$(BIN)/python -m tests.house.audit.run

settings: install-dev ## Write docs/settings.md from the settings
	@$(BIN)/python tests/house/settings_page.py > docs/settings.md

pictures: install-dev ## Take the README's pictures again, that of the dashboard, and every page at two widths into .data/pictures
	PICTURES=.data/pictures $(BIN)/pytest -q tests/browser/watch/take_pictures.py tests/deploy/take_picture.py
	cp .data/pictures/board.png .data/pictures/watch.png docs/pictures/

format: install-dev ## Format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install-dev ## Pin the newest versions that pyproject.toml allows
	PATH="$(abspath $(BIN)):$$PATH" sh requirements.sh

clean: ## Remove everything that was installed or built
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info devstack/build devstack/*.egg-info .data
