# make demo       set up, train a small detector, evaluate and use the shipped one
# make dev        set up, with all extras
# make test       set up, check style, run the tests (≤ 15 minutes on 2 cores)
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
RUNS   ?= runs

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: dev demo test test-large test-notebooks lint clean

# Made anew when the pins change; the stamp is last, so that an interrupted installation is repeated.
$(VENV)/.installed: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# The extras too, so that none of their tests is skipped.
$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@

dev: $(VENV)/.installed-dev

demo: $(VENV)/.installed
	rm -rf $(RUNS)/demo
	$(BIN)/pix2seq train --recipe digits_demo --output $(RUNS)/demo
	$(BIN)/pix2seq evaluate --model digits_tiny --data digits --split test --json $(RUNS)/demo/digits_tiny.json
	$(BIN)/pix2seq predict --model digits_tiny docs/images/digits --output $(RUNS)/demo/predictions
	@echo "Look at $(RUNS)/demo/gallery.png, $(RUNS)/demo/curves.png and $(RUNS)/demo/predictions/."

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m "not large and not notebook"

test-large: $(VENV)/.installed
	$(BIN)/python -m pytest -m large

test-notebooks: $(VENV)/.installed
	$(BIN)/python -m pytest -m notebook

clean:
	rm -rf $(RUNS) $(VENV) .pytest_cache .ruff_cache .hypothesis
