# make demo       set up, train a small detector, evaluate and use the shipped one
# make dev        set up, with all extras
# make test       set up, check style, run the tests
#
# PYTHON=python3.12 chooses the interpreter; by default it is the first of these that is Python 3.11, 3.12 or 3.13.
PYTHON ?= python3.13 python3.12 python3.11 python3
VENV   ?= .venv
BIN    := $(VENV)/bin
RUNS   ?= runs

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: dev demo test test-large test-notebooks lint clean

# A name on the PATH is not enough: pyenv's may lead nowhere, and Debian's Python comes without ensurepip.
USABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
$(BIN)/python:
	@for python in $(PYTHON); do \
	  if "$$python" -c '$(USABLE)' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; exec "$$python" -m venv $(VENV); \
	  fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip is needed. Tried: $(PYTHON)." \
	  "Install one (on Debian: python3-venv too), or run make with PYTHON=/path/to/python3.12." >&2; exit 1

# Repeated when the pins change; the stamp is written last, so that an interrupted installation is repeated too.
$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
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
