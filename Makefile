# Everything a contributor runs. Each target sets up its own .venv when there is none.
PYTHON ?= python3
DEMO   ?= demo
PEERS  ?= yes
BIN    := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo check fix lint types test docs pictures bench clean

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/stamp ## the notebook's layers, compared and drawn into $(DEMO)/index.html
	$(BIN)/autograd-lite demo --out $(DEMO)

check: lint types test ## everything that CI demands

fix: .venv/stamp ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/stamp
	$(BIN)/mypy

# Without the peers the tests that compare with them are skipped, and say so.
test: .venv/stamp
	@case '$(PEERS)' in no) echo 'PEERS=no: the comparisons with other engines are left out' ;; \
	    *) $(MAKE) --no-print-directory .venv/peers \
	        || echo 'peers could not be installed: the comparisons with them are skipped' ;; esac
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

docs: .venv/stamp ## the generated pages of docs/, written anew
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.example_notebook

pictures: .venv/stamp ## the pictures of docs/ and tests/golden, drawn anew; tells what changed
	$(BIN)/python -m docs.generate --pictures
	$(BIN)/python -m tests.golden

bench: .venv/peers ## cost beside PyTorch, HIPS autograd and MyGrad, as ratios
	$(BIN)/python -m tests.benchmarks

clean: ## remove .venv and what tools left behind
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup: .venv/stamp ## only the virtual environment

# Extras have wheels for most platforms; where one cannot be installed, the rest works without it.
.venv/stamp: pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed"'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]' \
	    || echo 'not every extra could be installed: pictures use another layout, and are SVG alone'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fast]' \
	    || echo 'Numba could not be installed: the tests of the native back end are skipped'
	touch $@

# From a slow registry PyTorch would hold up everything else: ten minutes must do.
.venv/peers: .venv/stamp
	@echo 'installing PyTorch, JAX, HIPS autograd and MyGrad to compare with (PEERS=no: never)'
	$(BIN)/python -c 'import subprocess as s, sys; s.run(sys.argv[1:], check=True, timeout=600)' \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[peers]'
	touch $@
