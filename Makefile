# `make` lists what there is. Every target sets up what it needs; nothing is done twice.

PYTHON ?= python3
PY := .venv/bin/python
UNIT ?=
DEVICE ?=
REPO ?=

# Where torch comes from: what TORCH_INDEX says, and where it says nothing (empty), the index that pip uses for all else.
# Without it, on Linux without a GPU, the index of the small builds for the CPU, as far as it answers.
CPU_INDEX := https://download.pytorch.org/whl/cpu
ifeq ($(origin TORCH_INDEX),undefined)
ifeq ($(shell uname -s),Linux)
NO_GPU := $(if $(shell command -v nvidia-smi 2>/dev/null),,yes)
endif
endif

# What looks for barriers in the pages; without npm that test is skipped.
AXE := $(if $(shell command -v npm),tests/node_modules/.package-lock.json)

ifneq ($(filter-out cpu cuda,$(DEVICE)),)
$(error DEVICE is '$(DEVICE)'; expected cpu or cuda)
endif

# The environment of all that make starts: run, test, bench, and the kernels that they start.
ifneq ($(DEVICE),)
export TENDAYS_DEVICE := $(DEVICE)
endif

.PHONY: help run test lab site linkcheck data lint bench audit diffs address clean
.PHONY: plan
.DEFAULT_GOAL := help

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile
	@echo
	@echo 'Settings: DEVICE=cpu or cuda (the GPU, if there is one); PYTHON=python3 (3.11 or later);'
	@echo 'TORCH_INDEX= (torch from the index that pip uses; without it, Linux without a GPU gets the small CPU build).'

run: .venv/.stamp ## Run the notebooks at full scale and keep their outputs; UNIT=translation runs that one.
	@$(PY) -m tendays.publish.run '$(UNIT)'

test: .venv/.stamp $(AXE) ## Run the unit tests, every notebook at smoke scale, and the pages in a browser.
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lab: .venv/.stamp ## Open the notebooks in JupyterLab.
	@$(PY) -m jupyterlab --ServerApp.ip=127.0.0.1 notebooks

site: .venv/.stamp ## Make the pages from the committed notebooks, in build/site; they work without a network.
	@$(PY) site/make_site.py

linkcheck: .venv/.stamp ## Ask every address that the pages link to whether it answers.
	@$(PY) site/make_site.py --builder linkcheck

data: .venv/.stamp ## Download the data into the cache, for work without a network.
	@$(PY) -m tendays data

lint: .venv/.stamp ## Check the style of modules, tests and notebooks.
	@$(PY) -m ruff check src site tests notebooks conftest.py
	@$(PY) -m ruff format --check src site tests notebooks conftest.py

bench: .venv/.stamp ## Measure how fast the fast versions are.
	@$(PY) -m tendays.bench

# Findings that are accepted, by each of their names; their advisories named no version of torch that is free of them.
# A hostile program that torch.jit.script compiles can corrupt memory: nothing here uses torch.jit. A hostile .pt2 file
# that torch.export loads can run code: nothing here loads one, and models are safetensors.
ACCEPTED := CVE-2025-3000 PYSEC-2025-194 CVE-2026-4538 PYSEC-2026-139

# Strict, so that a package that cannot be looked up is a failure and not a pass.
audit: .venv/.stamp ## Look up the pinned packages among the known vulnerabilities.
	@$(PY) -m pip_audit -r requirements.txt --no-deps --disable-pip --strict --progress-spinner off \
	  $(ACCEPTED:%=--ignore-vuln %)

# In this clone's own settings; .gitattributes names the drivers, and without these settings git compares lines.
diffs: .venv/.stamp ## Let git diff and git merge in this clone understand notebooks.
	@git config diff.jupyternotebook.command "'$(CURDIR)/.venv/bin/git-nbdiffdriver' diff"
	@git config merge.jupyternotebook.name 'cells of notebooks'
	@git config merge.jupyternotebook.driver "'$(CURDIR)/.venv/bin/git-nbmergedriver' merge %O %A %B %L %P"

address: .venv/.stamp ## Put the repository's address into badges, set-up cells and pages: REPO=owner/name.
	@$(PY) -m tendays.publish.address '$(REPO)'

clean: ## Remove what make built: the environment and the tools' caches; runs/ and data/cache/ stay.
	rm -rf .venv build dist tests/node_modules .pytest_cache .ruff_cache .hypothesis
	find src tests notebooks -name __pycache__ -prune -exec rm -rf {} +
	@for kind in diff merge; do git config --remove-section $$kind.jupyternotebook 2>/dev/null || true; done

tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json
	@npm ci --prefix tests --silent --no-audit --no-fund
	@touch $@

# What was asked for, and how long it takes, before anything is set up; then an unknown UNIT costs no minutes.
plan: # Not listed: part of run and test.
	$(if $(wildcard .venv/.stamp),,$(CHECK_PYTHON))
	$(foreach goal,$(filter run test,$(MAKECMDGOALS)),$(call SAY_PLAN,$(goal)))

define SAY_PLAN
@PYTHONPATH=src $(if $(wildcard .venv/.stamp),$(PY),$(PYTHON)) -m tendays.publish.plan $(1) $(if $(filter run,$(1)),'$(UNIT)')

endef

define CHECK_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo 'Tendays needs Python 3.11 or later; make PYTHON=/path/to/python says which to use.' >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
  { echo 'This Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
endef

# torch first and alone, so that its index serves nothing else.
.venv/.stamp: requirements.txt pyproject.toml | plan
	$(if $(wildcard .venv/.stamp),$(CHECK_PYTHON))
	@echo 'Sets up .venv: 2 GB on disk$(if $(NO_GPU)$(TORCH_INDEX),, (several more if torch brings CUDA)), 1–5 minutes, once.'
	@$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),@$(INSTALL_TORCH) --index-url $(TORCH_INDEX))
	$(if $(NO_GPU),@$(INSTALL_CPU_TORCH))
	@$(PY) -m pip install -q -r requirements.txt
	@$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

INSTALL_TORCH = $(PY) -m pip install -q --no-deps $$(grep '^torch==' requirements.txt)

# The alarm ends the question after eight seconds, whatever it waits for.
ANSWERS = $(PY) -c 'import signal, sys, urllib.request; signal.alarm(8); urllib.request.urlopen(sys.argv[1], timeout=4)' \
  $(CPU_INDEX)/torch/

define INSTALL_CPU_TORCH
if ! { $(ANSWERS); } >/dev/null 2>&1; then \
    echo '$(CPU_INDEX) does not answer: torch comes from the index that pip uses.'; \
  else \
    echo 'There is no GPU (no nvidia-smi): torch comes as its build for the CPU; make TORCH_INDEX= takes the usual one.'; \
    $(INSTALL_TORCH) --index-url $(CPU_INDEX) || \
      echo '$(CPU_INDEX) has no such torch for this Python: it comes from the index that pip uses.'; \
  fi
endef
