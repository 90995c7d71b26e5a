# demo and test make .venv themselves; PYTHON chooses the interpreter for it.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test lint protos prototxt clean

demo: .venv/runs
	$(BIN)/python demo.py

test: .venv/tests
	$(BIN)/python -m pytest -q

lint: .venv/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# PROTOC_PYTHON: a Python 3.7 to 3.11 with grpcio-tools 1.51.3 (protoc 21)
PROTOC_PYTHON ?= python3
protos:
	bash caffe/proto/generate.sh $(PROTOC_PYTHON)

prototxt: .venv/runs
	for net in */net.py; do $(BIN)/python $$net; done

.venv/runs: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

.venv/tests: .venv/runs requirements-test.txt
	$(BIN)/python -m pip install -q -r requirements-test.txt
	touch $@

clean:
	rm -rf .venv demo .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
