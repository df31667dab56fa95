# make run    serves the playground          make test   runs all tests
# make lint   checks style and types         make lock   pins the newest dependencies anew
# make bench  measures speed                 make screenshot  takes the picture in README
# make soak   kills, drops and stops things many times, on SQLite, then on PostgreSQL and Redis
# make clients  installs the libraries that code snippets are written for, so that make test runs the snippets
# DATABASE_URL=... REDIS_URL=... make test   runs all tests on those servers
# PYTHON=...  picks the Python that .venv is made of

SHELL := /bin/sh
.SHELLFLAGS := -ec
PYTHON ?=
FIND_PYTHON = for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python3.14 python; do \
	    if [ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then exec "$$python" playground/install.py "$$lock"; fi; \
	done; \
	echo "Cannot install: Python 3.11 or newer was not found; install it, or name it with PYTHON=/path/to/python3." >&2; \
	exit 1
LOCK = .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet --upgrade
PYTEST_OPTIONS ?= -n auto

.PHONY: run test clients soak lint bench screenshot lock format
.SILENT:

run:
	(lock=requirements.lock; $(FIND_PYTHON))
	exec .venv/bin/python manage.py serve

test:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	exec .venv/bin/python -m pytest $(PYTEST_OPTIONS)

clients:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	[ -x .clients/venv/bin/python ] || .venv/bin/python -m venv .clients/venv
	.clients/venv/bin/python -m pip install --no-deps --require-hashes --no-input --disable-pip-version-check --quiet \
		-r tests/snippets/requirements.lock
	cp tests/snippets/package.json tests/snippets/package-lock.json tests/snippets/.npmrc .clients/
	cd .clients && npm ci --silent --no-audit --no-fund

soak:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	SOAK=full DATABASE_URL= REDIS_URL= timeout 20m .venv/bin/python -m pytest tests/soak
	SOAK=full timeout 20m .venv/bin/python -m tests.with_servers .venv/bin/python -m pytest tests/soak

lint:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djade --check $$(find templates -name '*.html')
	.venv/bin/mypy

format:
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/djade $$(find templates -name '*.html')

bench:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	exec .venv/bin/python -m bench

screenshot:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	exec .venv/bin/python -m tests.e2e.screenshot

lock:
	(lock=requirements-dev.lock; $(FIND_PYTHON))
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock
