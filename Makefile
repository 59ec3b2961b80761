# Each target makes the virtual environment that it needs, once, and again when pyproject.toml changes.
# That takes Python 3.11 or newer and nothing else; name another one with `make test PYTHON=/path/to/python`.

PYTHON ?= $(shell scripts/find-python)
JOBS ?= 2
TEST ?= .venv-test
DEMO ?= .venv-plot

.PHONY: help demo wheel test smoke slow lint format typecheck bench accelerators docs clean

help:
	@echo "make demo       train, evaluate, save and reload a digit classifier on real data"
	@echo "make wheel      build the package, and use it as it is installed"
	@echo "make test       the whole test suite, doctests included"
	@echo "make smoke      a few tests of every part"
	@echo "make slow       minutes of tests that mostly compile"
	@echo "make lint       ruff; 'make format' repairs what can be repaired"
	@echo "make typecheck  mypy, and what pyright makes of the public names"
	@echo "make bench      the benchmarks against other libraries"
	@echo "make accelerators  programs for TPUs, compiled on a machine that has none"
	@echo "make docs       the documentation, into site/"

demo: $(DEMO)/installed
	$(DEMO)/bin/python examples/mnist_mlp.py $(ARGS)

wheel: $(TEST)/installed
	rm -rf dist
	$(TEST)/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	scripts/check-wheel dist/jkeras-*.whl $(TEST)/bin/python

test: $(TEST)/installed
	$(TEST)/bin/python -m pytest tests jkeras --doctest-modules -n $(JOBS) --dist worksteal $(ARGS)

smoke: $(TEST)/installed
	$(TEST)/bin/python -m pytest tests -m smoke -n $(JOBS) $(ARGS)

slow: $(TEST)/installed
	$(TEST)/bin/python -m pytest tests -m slow -n $(JOBS) --dist worksteal $(ARGS)

lint: $(TEST)/installed
	$(TEST)/bin/python -m ruff check .

format: $(TEST)/installed
	$(TEST)/bin/python -m ruff check --fix .
	$(TEST)/bin/python -m ruff format .

typecheck: $(TEST)/installed
	$(TEST)/bin/python -m mypy
	$(TEST)/bin/python -m pytest tests/typing/test_checkers.py

bench: .venv-bench/installed
	.venv-bench/bin/python -m benchmarks.run $(ARGS)

accelerators: .venv-plan/installed
	.venv-plan/bin/python -m benchmarks.ahead_of_time --platform tpu --write $(ARGS)

docs: .venv-docs/installed
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true .venv-docs/bin/python -m mkdocs build --strict

# .venv-NAME and .venv-NAME-anything have the package and its extra NAME.
.venv-%/installed: pyproject.toml
	$(call install,$(@D),.[$(firstword $(subst -, ,$*))])

define install
@test -n "$(PYTHON)" || { echo "jkeras needs Python 3.11 or newer with its venv module, and none was found." \
	"Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
"$(PYTHON)" -m venv "$(1)"
"$(1)/bin/python" -m pip install --quiet --upgrade --editable "$(2)"
@touch "$@"
endef

clean:
	rm -rf .venv .venv-* site build dist .pytest_cache .mypy_cache .ruff_cache
