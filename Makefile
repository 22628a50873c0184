# Python 3.11 or newer and make are all that is needed. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
LOCK := requirements/dev.txt
STAMP := $(VENV)/.dsar-lock-$(shell cksum < $(LOCK) 2>/dev/null | tr ' ' '-')
EMBEDDED := $(PY) -m dsar.embedded run
CHECKED := dsar identity cases tests manage.py
# Where bytecode may not be kept, each process that runs tests compiles all of them again, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
PYTEST_ARGS ?= -n auto --dist loadfile
DEV_ARGS ?=

.PHONY: help demo dev test check format bench soak lock screenshots messages clean

help: ## List the targets.
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(STAMP) ## Start everything with demonstration data; Ctrl-C stops it. DEV_ARGS='--port 8001'
	@$(PY) -m dsar.supervisor --demo $(DEV_ARGS)

dev: $(STAMP) ## Start everything without demonstration data.
	@$(PY) -m dsar.supervisor $(DEV_ARGS)

test: $(STAMP) ## Run the tests. PYTEST_ARGS='tests/dsar -k embedded' narrows them.
	@$(EMBEDDED) --fast -- $(PY) -m pytest $(PYTEST_ARGS)

soak: $(STAMP) ## Run the long tests: many kills, large histories.
	@$(EMBEDDED) --fast -- $(PY) -m pytest -m soak $(SOAK_ARGS)

bench: $(STAMP) ## Measure, on durable servers. BENCH_ARGS are passed on.
	@$(EMBEDDED) --temporary -- $(PY) -m tests.bench $(BENCH_ARGS)

check: $(STAMP) ## Run linters, types, import contracts and migration checks.
	@$(BIN)/ruff format --check --quiet --output-format concise $(CHECKED) || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet $(CHECKED)
	@$(BIN)/lint-imports --no-cache --no-logo 2>/dev/null || $(BIN)/lint-imports --no-cache
	@$(BIN)/djlint --lint --quiet templates
	@git ls-files -z -- '*.html' | xargs -0 $(BIN)/djade --check --target-version 5.2
	@git ls-files -z -- '*.py' | xargs -0 $(BIN)/django-upgrade --check --target-version 5.2
	@$(BIN)/mypy
	@$(EMBEDDED) --fast -- sh -ec '\
		$(PY) manage.py check --fail-level WARNING; \
		$(PY) manage.py makemigrations --check --dry-run; \
		LOG_LEVEL=WARNING $(PY) manage.py lintmigrations --settings tests.check_settings \
			--exclude-apps auth contenttypes sessions django_otp_webauthn --ignore-initial-migrations --no-cache --quiet ok ignore'

format: $(STAMP) ## Put Python and templates into the house's format.
	$(BIN)/ruff format --quiet $(CHECKED)
	$(BIN)/ruff check --quiet --fix $(CHECKED)
	git ls-files -z -- '*.html' | xargs -0 $(BIN)/djade --target-version 5.2 || true
	git ls-files -z -- '*.py' | xargs -0 $(BIN)/django-upgrade --target-version 5.2 || true

screenshots: $(STAMP) ## Take the pictures in docs/ anew from the demonstration.
	@$(EMBEDDED) --fast -- $(PY) -m tests.screenshots

messages: $(STAMP) ## Collect the strings to translate and compile the catalogues (needs gettext).
	@$(PY) -m cases.law.mark && $(PY) manage.py makemessages --all --no-location --no-obsolete --ignore=.venv && $(PY) manage.py compilemessages

lock: $(STAMP) ## Lock the newest allowed libraries, with hashes.
	$(PY) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	for set in app dev; do $(VENV)/lock/bin/uv pip compile requirements/$$set.in --output-file requirements/$$set.txt \
		--quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url; done

clean: ## Remove the virtual environment, caches and the development databases.
	@if [ -x $(PY) ]; then $(PY) -m dsar.embedded destroy; fi
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov

# The stamp carries the lock's checksum, so a changed lock makes the environment follow.
$(STAMP): $(LOCK)
	@python=; for name in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
		if command -v "$$name" >/dev/null 2>&1 && "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo 'Python 3.11 or newer is needed, and none was found. Name it: make PYTHON=/path/to/python3' >&2; exit 1; fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; fi; \
	echo "Setting up $(VENV) with $$python: one minute on first use ..."; \
	"$$python" -m venv $(VENV) && \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK) && \
	rm -f $(VENV)/.dsar-lock-* && touch $@
