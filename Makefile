# Two commands: `make demo` plays a tournament, `make test` runs the tests.
# Each sets up .venv by itself; both may be run again at any time, from any path.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# Relative on purpose: a path with spaces would split in make's prerequisites.
PY := .venv/bin/python

.PHONY: help demo test lint bench clean

help:
	@echo "make demo   set up .venv and play the demo tournament (table and report in runs/demo)"
	@echo "make test   set up .venv and run lint, types and tests"
	@echo "make lint   ruff, mypy and the import floors only"
	@echo "make bench  measure every speed claim (--quick)"
	@echo "make clean  remove .venv and what the commands above wrote"

demo: .venv/.runtime
	$(PY) -m arena tournament run examples/demo.toml --out runs/demo --fresh --report

test: lint
	$(PY) -m pytest -n auto

lint: .venv/.test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/python -c "from importlinter.cli import lint_imports_command as c; c()"

bench: .venv/.test
	$(PY) -m arena bench --all --quick

clean:
	rm -rf .venv runs/demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The newest of these that runs and is new enough makes the environment; PYTHON=… overrides.
.venv/.created:
	@for p in "$$PYTHON" python3.12 python3.11 python3.13 python3.10 python3; do \
	  if [ -n "$$p" ] && "$$p" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	    echo "$$p -m venv .venv"; "$$p" -m venv .venv && touch $@ && exit 0; fi; done; \
	echo "arena needs Python 3.10 to 3.13 with venv; set PYTHON=/path/to/python3" >&2; exit 1

.venv/.runtime: .venv/.created pyproject.toml constraints.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.test: .venv/.runtime
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@
