# A thin layer: each target makes the environment it needs in .venv/ (scripts/environment.py), then runs one command.
PYTHON ?= python3
VENV = .venv/bin
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
HISTORIES ?= 200
SEED ?= 7
.PHONY: help demo run test lint format bench simulate lock environment dev-environment

help: ## Show these lines.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

environment:
	@$(PYTHON) scripts/environment.py demo

dev-environment:
	@$(PYTHON) scripts/environment.py dev

demo: environment ## Start everything and tell a short story; options in DEMO_ARGS, e.g. DEMO_ARGS="--once --json".
	@$(VENV)/python manage.py demo $(DEMO_ARGS)

run: environment ## Start web, worker and beat on the data kept in .data/, without the demo's story.
	@$(VENV)/python manage.py run $(RUN_ARGS)

test: dev-environment ## Run the tests; options in TEST_ARGS, e.g. TEST_ARGS="-n 2 tests/inventory".
	@$(VENV)/python -m pytest $(TEST_ARGS)

lint: dev-environment ## Check style, types, imports between packages, migrations and production settings.
	@$(VENV)/python scripts/lint.py

format: dev-environment ## Rewrite the code in the project's style.
	@$(VENV)/ruff check --fix-only --quiet .
	@$(VENV)/ruff format .

bench: dev-environment ## Measure the benchmarks and write benchmarks/latest.json.
	@$(VENV)/python -m benchmarks $(BENCH_ARGS)

simulate: dev-environment ## Play random histories of two stores: HISTORIES=200 SEED=7 (docs/simulation.md).
	@$(VENV)/python -m tests.simulation --histories $(HISTORIES) --seed $(SEED) $(SIMULATE_ARGS)

lock: dev-environment ## Pin the newest allowed versions of requirements/*.in, with hashes.
	@$(PYTHON) scripts/environment.py lock
