# `make` lists what there is. Every target sets up what it needs; nothing is done twice.

PYTHON ?= python3
PY := .venv/bin/python
UNIT ?=
DEVICE ?=
TORCH_INDEX ?=

ifneq ($(filter-out cpu cuda,$(DEVICE)),)
$(error DEVICE is '$(DEVICE)'; expected cpu or cuda)
endif
ifneq ($(DEVICE),)
export TENDAYS_DEVICE := $(DEVICE)
endif

.PHONY: help run test lab data lint bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile
	@echo
	@echo 'Settings: DEVICE=cpu or cuda (the GPU, if there is one); PYTHON=python3 (3.11 or later);'
	@echo 'TORCH_INDEX=https://download.pytorch.org/whl/cpu (where torch comes from: this one is small, for the CPU).'

run: .venv/.stamp ## Run the notebooks at full scale and keep their outputs; UNIT=translation runs that one.
	@$(PY) -m tendays.run $(UNIT)

test: .venv/.stamp ## Run the unit tests, and every notebook at smoke scale.
	@$(PY) -m pytest -n auto --dist loadfile

lab: .venv/.stamp ## Open the notebooks in JupyterLab.
	@$(PY) -m jupyterlab --ServerApp.ip=127.0.0.1 notebooks

data: .venv/.stamp ## Download the data into the cache, for work without a network.
	@$(PY) -m tendays data

lint: .venv/.stamp ## Check the style of modules, tests and notebooks.
	@$(PY) -m ruff check src tests notebooks conftest.py
	@$(PY) -m ruff format --check src tests notebooks conftest.py

bench: .venv/.stamp ## Measure how fast the fast versions are.
	@$(PY) -m tendays.bench

clean: ## Remove what make built: the environment and the tools' caches; runs/ and data/cache/ stay.
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find src tests notebooks -name __pycache__ -prune -exec rm -rf {} +

# torch first, alone and from its own index where one is given: all else comes from the usual one.
.venv/.stamp: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Tendays needs Python 3.11 or later; make PYTHON=/path/to/python says which to use.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'This Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PY) -m pip install -q --no-deps --index-url $(TORCH_INDEX) $$(grep '^torch==' requirements.txt))
	$(PY) -m pip install -q -r requirements.txt
	$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@
