# Each target does what it needs first: on a fresh checkout `make demo` alone is enough.
PYTHON ?= python3
PYTEST_ARGS ?=
# As many workers as cores, four at most: each imports TensorFlow. What shares fixtures stays together.
WORKERS = -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup kubeflow-setup airflow-setup docs-setup cluster-setup docs demo test test-lines test-serving bench line-figures lint lock audit clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1: /p' Makefile

setup: ## build .venv from the lock of the newest TFX that this machine runs (TFX_LINE=1.16)
	@$(PYTHON) tools/bootstrap.py setup

kubeflow-setup: ## build what compiles for Kubeflow Pipelines (.venv-kubeflow with TFX 1.16)
	@$(PYTHON) tools/bootstrap.py kubeflow-setup

airflow-setup: ## build .venv-airflow, which runs the DAG of `compile --target airflow`
	@$(PYTHON) tools/bootstrap.py airflow-setup

docs-setup: ## build .venv-docs, which builds the site of the documentation
	@$(PYTHON) tools/bootstrap.py docs-setup

cluster-setup: ## fetch Flink, Spark and Beam's job servers for them into the cache folder (needs Java 17)
	@$(PYTHON) tools/cluster.py

docs: docs-setup ## write the documentation as a site to build/site; a dead link fails
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

demo: setup ## train, gate, push, serve and ask, on real pictures of solar cells
	.venv/bin/python -m pipeline.commands.demo

test: setup ## run all tests (PYTEST_ARGS="-m 'not slow'" for the quick ones)
	.venv/bin/python -m pytest $(WORKERS) --durations=15 $(PYTEST_ARGS)

test-lines: test ## run all tests on this machine's line of TFX, then on the other one
	$(PYTHON) tools/other_line.py test

test-serving: setup ## hold the serving contract against a server (SERVER=HOST:PORT; see docs/serving.md)
	SERVING_ADDRESS=$(SERVER) .venv/bin/python -m pytest tests/serving/contract $(PYTEST_ARGS)

bench: setup ## run the benchmarks
	.venv/bin/python -m benchmarks

line-figures: setup
	.venv/bin/python -m benchmarks.line_figures

lint: setup ## check style, format, types and who imports whom
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

audit: ## look every lock's versions up among the published vulnerabilities
	$(PYTHON) tools/audit.py

lock: ## write the locks again (delete one first to take newer versions)
	$(PYTHON) tools/bootstrap.py lock

clean: ## remove what the other targets left in the checkout
	rm -rf .venv .venv-kubeflow .venv-airflow .venv-docs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
