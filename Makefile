# make demo: try it.  make test: prove it.  make help: the rest.
# Needs Python >= 3.12; uses uv where it is installed, venv and pip where it is not.

BIN := .venv/bin
PORT ?= 8000
SANDBOX_PORT ?= 8443
BROWSER ?= 1

# Everything here chooses its own settings: those of a real installation must not leak in. The names are those that
# the settings themselves ask for; `tests/sealing.py` does the same for pytest alone.
SETTINGS := $(shell grep -oE 'env(iron)?\.[a-z]+."[A-Z][A-Z0-9_]*"' dashboard/settings.py | grep -oE '[A-Z][A-Z0-9_]+')
unexport $(SETTINGS) $(addsuffix _FILE,$(SETTINGS))

.PHONY: help demo test lint lock conformance clean format types imports templates checks migrations \
        test-sqlite test-postgres test-browser bench

help: ## say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "make %-14s %s\n", $$1, $$2}'

demo: .venv/.runtime ## run everything on this machine; PORT and SANDBOX_PORT choose the ports; Ctrl-C stops it
	@ENV_FILE=/dev/null PORT=$(PORT) SANDBOX_PORT=$(SANDBOX_PORT) exec $(BIN)/python manage.py demo

test: ## everything: lint, then the tests on SQLite, on PostgreSQL and in Chromium
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test-sqlite
	@$(MAKE) --no-print-directory test-postgres
	@$(MAKE) --no-print-directory test-browser
	@echo "== all passed"

lint: ## format, lint, types, import contract, templates, Django's checks, missing migrations
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory imports
	@$(MAKE) --no-print-directory templates
	@$(MAKE) --no-print-directory checks
	@$(MAKE) --no-print-directory migrations

format: .venv/.dev
	@echo "== format and lint (ruff)"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: .venv/.dev
	@echo "== types (mypy, strict)"
	@DEBUG=1 ENV_FILE=/dev/null $(BIN)/mypy .

imports: .venv/.dev
	@echo "== who imports whom (import-linter)"
	@DEBUG=1 ENV_FILE=/dev/null $(BIN)/lint-imports

templates: .venv/.dev
	@echo "== templates (djlint)"
	@$(BIN)/djlint templates --lint --quiet

# As in production, with every warning a failure, on a database made from nothing.
CHECKED := DEBUG=0 ENV_FILE=/dev/null SECRET_KEY=$$(printf 'only-for-this-check-%.0s' 1 2 3 4) ALLOWED_HOSTS=onrecord.example \
           PUBLIC_URL=https://onrecord.example GRAPH_TENANT_ID=tenant GRAPH_CLIENT_ID=client GRAPH_CLIENT_SECRET=secret \
           LEDGER_WITNESSES=https://witness.example/checkpoints DATABASE_URL=sqlite:///var/check.sqlite3

checks: .venv/.dev
	@echo "== Django's checks, warnings as failures"
	@mkdir -p var && rm -f var/check.sqlite3*
	@$(CHECKED) $(BIN)/python manage.py migrate --skip-checks -v 0
	@$(CHECKED) $(BIN)/python manage.py check --deploy --fail-level WARNING --database default
	@rm -f var/check.sqlite3*

migrations: .venv/.dev
	@echo "== missing migrations"
	@DEBUG=1 ENV_FILE=/dev/null $(BIN)/python manage.py makemigrations --check --dry-run

# Four at a time on two cores: half of what the tests do is waiting, for processes, graces and disks. What a page shows
# is tried on PostgreSQL, which forgives less, and on SQLite in Chromium and in the demo.
test-sqlite: .venv/.dev ## the tests on SQLite
	@echo "== tests on SQLite"
	@$(BIN)/pytest -q -n 4 --dist worksteal --ignore tests/browser --ignore tests/pages

# The stand-in, the wire and the demo know no database of ours: once is enough.
test-postgres: .venv/.dev ## the tests on a real PostgreSQL, or on TEST_DATABASE_URL
	@echo "== tests on PostgreSQL"
	@$(BIN)/python -W ignore -m tests.postgres -- \
	  $(BIN)/pytest -q -n 4 --dist worksteal --ignore tests/browser --ignore tests/sandbox --ignore tests/graph --ignore tests/demo

test-browser: .venv/.dev ## the tests in Chromium; BROWSER=0 leaves them out
	@echo "== tests in Chromium"
	@if [ "$(BROWSER)" = 0 ]; then echo "left out, because BROWSER=0"; exit 0; fi; \
	 CHROMIUM=$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome \
	   || command -v google-chrome-stable || command -v "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")}; \
	 if [ -z "$$CHROMIUM" ]; then \
	   echo "Chromium is missing. Install it:  Debian, Ubuntu: apt-get install chromium   macOS: brew install --cask chromium"; \
	   echo "or name it with CHROMIUM=/path, or leave these tests out with BROWSER=0."; exit 1; fi; \
	 CHROMIUM="$$CHROMIUM" $(BIN)/pytest -q tests/browser

bench: .venv/.dev ## measure against limits and peers, on a PostgreSQL of its own: see bench/README.md
	@for what in sweep bulk export ledger; do echo "== bench.$$what"; \
	  DEBUG=1 ENV_FILE=/dev/null DJANGO_SETTINGS_MODULE=dashboard.settings \
	  $(BIN)/python -W ignore -m tests.postgres -- $(BIN)/python -m bench.$$what || exit 1; done

conformance: .venv/.dev ## hold the stand-in against Microsoft's description: GRAPH_OPENAPI=path/to/openapi.yaml
	@if [ ! -f "$(GRAPH_OPENAPI)" ]; then echo "GRAPH_OPENAPI must name Microsoft's OpenAPI description, not '$(GRAPH_OPENAPI)'."; exit 1; fi
	@echo "== the stand-in against Microsoft's own description"
	@GRAPH_OPENAPI="$(abspath $(GRAPH_OPENAPI))" $(BIN)/pytest -q tests/conformance

UV_LOCK := uv pip compile --generate-hashes --universal --python-version 3.12 --no-emit-index-url --no-emit-find-links \
           --custom-compile-command "make lock" --quiet pyproject.toml

lock: ## write requirements*.txt anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "Locking needs uv: https://docs.astral.sh/uv/"; exit 1; }
	$(UV_LOCK) -o requirements.txt
	$(UV_LOCK) --group dev -c requirements.txt -o requirements-dev.txt

clean: ## remove what make and the tools made; data in var/ stays, except that of demos
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles test-results
	rm -rf var/demo-* var/check.sqlite3*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp is written last, so that an interrupted step is done again.

.venv/.made: .python-version
	@tools/make-venv
	@touch $@

.venv/.runtime: .venv/.made requirements.txt
	@tools/install requirements.txt
	@touch $@

# The development set holds the other one, so that it satisfies both stamps.
.venv/.dev: .venv/.made requirements-dev.txt requirements.txt
	@tools/install requirements-dev.txt
	@touch .venv/.runtime $@
