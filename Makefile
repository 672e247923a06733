# Mailreeve: everything that is done to a checkout. `make help` lists it.

PYTHON ?= python3
DATA   ?= mailreeve-data
# The decision first: it is what the others are read beside.
BENCH  ?= bench/decision.py $(filter-out bench/decision.py,$(sort $(wildcard bench/*.py)))

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --quiet --disable-pip-version-check

# What Python compiled is kept: without it each start takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install dev serve test lint types layers unit format house pages client new-endpoint new-family bench lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "variables: PYTHON=$(PYTHON) DATA=$(DATA)"

# ---- the environment: a stamp per lock, so that a second run does nothing while the locks are unchanged

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "installing what is needed into $(VENV); this may take a minute"
	$(PIP) install --require-hashes --only-binary :all: -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/runtime.stamp
	$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.txt
	@touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	$(PIP) install --require-hashes --only-binary :all: -r requirements/bench.txt
	@touch $@

install: $(VENV)/runtime.stamp ## install what serving needs into .venv
dev: $(VENV)/dev.stamp ## install what testing needs as well

# ---- running

serve: $(VENV)/runtime.stamp ## serve from DATA; made first, for example.com, if it is new
	@test -e "$(DATA)/mailreeve.toml" || $(BIN)/mailreeve init --data "$(DATA)" --domain example.com --save "$(DATA)/credentials.json"
	@exec $(BIN)/mailreeve serve --data "$(DATA)"

# ---- checking

test: $(VENV)/dev.stamp ## every check, then the tests; fails if any of them fails
	@failed=; \
	for check in lint types layers; do \
	    $(MAKE) --no-print-directory $$check || failed="$$failed $$check"; \
	done; \
	test -z "$$failed" || echo "failed before the tests:$$failed"; \
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder && test -z "$$failed"

lint: $(VENV)/dev.stamp ## style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/dev.stamp ## which package may import which
	$(BIN)/lint-imports

unit: $(VENV)/dev.stamp ## the quick tests only: no sockets, no other programs
	$(BIN)/python -m pytest tests/unit tests/property

format: $(VENV)/dev.stamp ## put the code in form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

house: $(VENV)/runtime.stamp ## draw the picture of the packages anew
	$(BIN)/python docs/draw_house.py

pages: $(VENV)/runtime.stamp ## write the reference pages anew
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/screens.py

client: $(VENV)/dev.stamp ## make the client's functions anew, of the declarations of endpoints
	$(BIN)/python tools/make_client.py

new-endpoint: $(VENV)/dev.stamp ## add an endpoint: NAME=policy/blockedsenders/foo FAMILY=policies/blocked_senders
	@$(BIN)/python tools/new_code.py endpoint "$(FAMILY)" "$(NAME)"
	@$(MAKE) --no-print-directory house pages client

new-family: $(VENV)/dev.stamp ## add a family: NAME=held
	@$(BIN)/python tools/new_code.py family "$(NAME)"
	@$(MAKE) --no-print-directory house pages client

bench: $(VENV)/bench.stamp ## run the benchmarks, or those named by BENCH
	@for script in $(BENCH); do \
	    test -e "$$script" || { echo "no benchmark $$script"; exit 1; }; \
	    echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

# ---- keeping

# uv only resolves; installing takes nothing but pip. The locks hold pins and hashes, no addresses.
# That of the benchmarks holds their group alone, since it is installed on top of the others.
UV   ?= uv
PINS := $(UV) pip compile --quiet --no-config --universal --python-version 3.11 \
        --generate-hashes --only-binary :all: --no-header --no-annotate

lock: ## resolve the locks anew (UPGRADE=--upgrade for newer versions; needs uv)
	$(PINS) $(UPGRADE) pyproject.toml --group build -o requirements/runtime.txt
	$(PINS) $(UPGRADE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(PINS) $(UPGRADE) --group bench -c requirements/dev.txt -o requirements/bench.txt

clean: ## remove .venv and every cache; never DATA
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
