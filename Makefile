# Everything that a clone needs is set up by these targets: Python 3.11 or newer, make and the package registries are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Three workers on two cores: some always wait, for an API server, a process that starts, a Lease that runs out.
# In the order of the folders: what takes long comes first, and no worker is left alone with it at the end.
PYTEST := $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder -q

.DEFAULT_GOAL := help
.PHONY: help venv check test drills demo demo-kube recording bench crds format clean

help:  ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

venv: $(VENV)/.ready  ## A virtual environment with all tools

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory debian-venv
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

# Debian keeps venv in a package of its own.
.PHONY: debian-venv
debian-venv:
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null || \
	  { echo 'This Python has no venv module. On Debian: apt-get install python3-venv' >&2; exit 1; }
	apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv

check: venv  ## Lint, types, layers, CRDs in step with the models
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m rackwright.api.crd --check crds

test: venv  ## What a change must pass; builds a real Kubernetes API server the first time
	$(BIN)/python -m tests.kubelab fetch
	$(PYTEST) $(ARGS)

drills: venv  ## Faults and bad days at length; ONLY=group for some, REPORT=FILE for what became of each
	$(BIN)/python -m tests.drills $(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

demo: venv  ## A simulated rack that builds and heals itself; ARGS="--headless --report FILE" without a person
	$(BIN)/rackwright demo $(ARGS)

recording: venv  ## The recording in README anew, from a real run
	$(BIN)/rackwright demo --record docs/demo.svg $(ARGS)

demo-kube: venv  ## The same through a real Kubernetes API server
	$(BIN)/python -m tests.kubelab run -- $(BIN)/rackwright demo --kube $(ARGS)

bench: venv  ## Measures side by side and prints ratios
	$(BIN)/python -m benchmarks $(ARGS)

crds: venv  ## Write the CRDs anew from the models
	$(BIN)/python -m rackwright.api.crd --write crds

format: venv  ## Bring the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## Remove the virtual environment and caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
