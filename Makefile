# Two commands for a newcomer: `make book` and `make test`. The rest is what they are made of.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?= demo

.PHONY: help env book test check format pair minis bench clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(VENV)/.ready  ## make the environment in .venv

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[book,cluster,simulate,test]"
	touch $@

book: env  ## execute the chapters and build the HTML book (PROFILE=demo)
	$(BIN)/plm-geometry book --profile $(PROFILE)

test: env  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

check: env  ## format, lint, notebook pairs in sync, dependency lists agree
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q tests/test_repository.py tests/test_notebooks.py

format: env  ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pair: env  ## write each notebook's .ipynb from its .md
	$(BIN)/jupytext --to ipynb --update notebooks/*.md

minis: env  ## simulate the demo proteome and train its four small checkpoints again
	$(BIN)/python -m plm_geometry.minis

bench: env  ## measure speed and memory, as ratios within one run (FASTA=file for real proteins)
	$(BIN)/python benchmarks/bench_isotropy.py
	$(BIN)/python benchmarks/bench_embed.py $(FASTA)
	$(BIN)/python benchmarks/bench_align.py $(FASTA)
	$(BIN)/python benchmarks/bench_pairs.py $(FASTA)
	$(BIN)/python benchmarks/bench_association.py

clean:  ## remove what a run makes (not the environment, not the cache)
	rm -rf _build book/chapters results runs
