# The doors for people and CI. `make help` lists them. Everything lives in .venv; nothing else is changed, but what
# edges need is installed by apt where that is allowed: nginx for the demo, all of it for the tests.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test check clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

setup: .venv/runtime ## make the virtual environment, with what Lonjak needs to run

demo: .venv/runtime ## set up, start a shop, send shoppers, kill a worker on the way, write the report
	@$(BIN)/python -m lonjak.install_edges
	@LONJAK_STOP_WITH=$$PPID $(BIN)/lonjak demo

test: .venv/development ## everything that CI checks: style, types, import contracts, all tests
	@$(BIN)/python -m lonjak.install_edges --all
	@$(BIN)/python tests/run.py

check: .venv/development ## style, types and import contracts only
	@$(BIN)/python tests/run.py --no-tests

clean: ## remove the virtual environment and caches; runs/ stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@echo "making the virtual environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lonjak needs Python 3.11 or later" >&2; exit 4; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; $(MAKE) --no-print-directory venv-without-ensurepip; }

# Debian keeps ensurepip in a package of its own.
.PHONY: venv-without-ensurepip
venv-without-ensurepip:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing python3-venv"; \
		{ apt-get install -y -qq python3-venv || { apt-get update -qq && apt-get install -y -qq python3-venv; }; } >/dev/null && \
		$(PYTHON) -m venv .venv; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --quiet --python .venv/bin/python install pip; \
	else echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 4; fi

.venv/runtime: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing Lonjak and what it needs into .venv"
	@$(PIP) --editable .
	@touch $@

.venv/development: .venv/bin/python pyproject.toml constraints.txt
	@echo "installing Lonjak and what its development needs into .venv"
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/runtime
