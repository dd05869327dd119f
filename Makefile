# The commands of the README and of CONTRIBUTING.md. Nothing is needed but make and Python 3.11 or newer.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --require-virtualenv
PYTHON ?=
BENCH ?= all
JOBS ?= auto

# Tests start Python hundreds of times, and each start would compile anew.
unexport PYTHONDONTWRITEBYTECODE

# The first of these that runs and is new enough; some machines have names on the path that start nothing.
find_python = for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; \
	    python=; \
	  done

.PHONY: help demo test tools lint lock bench pictures schema man docs licences dist clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/run.stamp ## Mirror the shipped images into demo-output/, offline
	@if $(BIN)/regsync check --exit-code -c config.example.yaml 2>/dev/null; then before=current; else before=stale; fi; \
	$(BIN)/regsync once -c config.example.yaml && \
	echo && \
	if [ $$before = current ]; then \
	  echo "Nothing had to be copied: demo-output/ already holds what config.example.yaml asks for."; \
	else \
	  echo "Mirrored the images of examples/layout, without a network, as config.example.yaml asks for."; \
	fi
	@echo "The copies are OCI layouts, which skopeo, buildah and regctl read, too:"
	@for layout in demo-output/*/; do echo "  ocidir://$${layout%/}"; done
	@echo "Run it again: nothing has to be copied. Remove demo-output/ to start afresh."

test: $(VENV)/dev.stamp ## Run the tests, two more at a time than there are cores (JOBS=0: in one process); those that need a program that is not installed skip
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST)

tools: ## Build the registries and clients tests run beside ours (needs Go and Rust) into ~/.cache or $REGSYNC_TEST_TOOLS
	@.ci/tools

lint: $(VENV)/dev.stamp ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## Measure speed and memory (needs docker-registry; BENCH=start,image,reading,blob,tags,cold,flat,server,daemon,holding,observers,fan,choice,templates,broken; PEERS=directory)
	$(BIN)/python -m benchmarks $(BENCH)

# The files hold versions and hashes for every platform and no address of an index; uv makes them and nobody else needs it.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)
lock: ## Pin the dependencies anew (needs uv; UPGRADE=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra notify -c requirements.txt -o requirements-notify.txt
	printf 'hatchling\neditables\n' | $(COMPILE) - -o requirements-build.txt
	printf 'hatchling\neditables\n' | $(COMPILE) pyproject.toml --group dev - -c requirements-notify.txt -c requirements-build.txt -o requirements-dev.txt
	$(COMPILE) --group docs -c requirements-dev.txt -o requirements-docs.txt
	@! grep -nE '://|^ *(-i|-f|--(extra-)?index-url|--find-links)' requirements*.txt

pictures: $(VENV)/dev.stamp ## Take the pictures of docs/pictures anew (needs chromium and docker-registry)
	REGSYNC_TEST_PICTURES=$(CURDIR)/build/pictures $(BIN)/python -m pytest -q tests/e2e/test_page.py tests/e2e/test_picture.py
	for picture in docs/pictures/*; do cp build/pictures/$$(basename $$picture) $$picture; done

schema: $(VENV)/dev.stamp ## Make the JSON schema anew from the model and its reference
	$(BIN)/python -m tests.support.schema

man: $(VENV)/dev.stamp ## Make the man page and the scripts of shells anew from the program and its reference
	$(BIN)/python -m tests.support.manual

# The theme's authors tell of their next project at each build.
docs: $(VENV)/docs.stamp ## Build the documentation into build/site; what is not in the nav and links that lead nowhere are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

licences: $(VENV)/dev.stamp ## Make the list of licences anew from the pinned libraries
	$(BIN)/python -m tests.support.bill licences

# The same commit gives the same bytes, wherever and whenever they are made; a tree without git is of hatchling's day.
DIST ?= dist
dist: $(VENV)/dev.stamp ## Build what is released into dist/: wheel, sdist, pinned requirements, bill of materials (DIST=directory)
	@rm -f $(DIST)/regsync-* $(DIST)/SHA256SUMS
	@export SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 1580601600)} && \
	$(BIN)/python -m hatchling build -d $(DIST) >/dev/null && \
	name=$(DIST)/regsync-$$($(BIN)/python -m hatchling version) && \
	$(BIN)/python -m tests.support.bill sbom $$name.cdx.json && \
	for pins in requirements requirements-notify; do cp $$pins.txt $$name-$$pins.txt; done && \
	cd $(DIST) && sha256sum regsync-* | tee SHA256SUMS

clean: ## Remove what the other commands made
	rm -rf $(VENV) demo-output build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(find_python); \
	if [ -z "$$python" ]; then \
	  echo "regsync needs Python 3.11 or newer with its venv module, and found none on the path." >&2; \
	  echo "Install one (Debian: apt-get install python3-venv) or name one: make PYTHON=/path/to/python3.13" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" -V) ..."; \
	"$$python" -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	@echo "Installing regsync into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing the development tools into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/docs.stamp: requirements-docs.txt $(VENV)/run.stamp
	@echo "Installing what builds the documentation into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-docs.txt
	@touch $@
