# Each target does all of its own set-up, in a private virtual environment.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test slow nightly check clean
.DELETE_ON_ERROR:

demo: $(VENV)/all.stamp
	$(BIN)/scneuro demo -o demo

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n auto --dist worksteal

# real bitstreams, and long parity runs
slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m 'slow and not nightly' -n auto --dist worksteal --durations=10

# the same of every neuron and board, preset and current
nightly: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m nightly -n auto --dist worksteal --durations=10

# what CI runs besides: style, types and the wheel on its own
check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHON=$(abspath $(BIN))/python sh .ci/wheel.sh

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "scneuro needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || $(PYTHON) -m venv --without-pip $(VENV)
	@test -x $(BIN)/pip || $(PYTHON) .ci/bootstrap_pip.py $(BIN)/python

$(VENV)/all.stamp: $(VENV)/bin/pip pyproject.toml
	@echo "installing scneuro and the open toolchain from PyPI (about 700 MB) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[all]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/bin/pip pyproject.toml
	@echo "installing scneuro, the open toolchain and what the tests need from PyPI ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/all.stamp

clean:
	rm -rf $(VENV) demo build *.egg-info
