# `make demo` and `make test` set up what they need, from a bare Debian 12 or Ubuntu with git, make, Python 3.11+ and root or sudo.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
BUILD := $(CURDIR)/.build
VENV := $(CURDIR)/.venv
PYTHON := $(VENV)/bin/python
COLLECTIONS := $(BUILD)/collections
COLLECTION := $(COLLECTIONS)/ansible_collections/mqlift/amazon_mq
EXPORT := $(BUILD)/ansible-test/ansible_collections/mqlift/amazon_mq
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
STAMP_UV := $(VENV)/.uv-$(UV_VERSION)

export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
# Facts only as ansible_facts['x'], and role variables stay in their role.
export ANSIBLE_INJECT_FACT_VARS := false
export ANSIBLE_PRIVATE_ROLE_VARS := true
# Compiled once, not in each of the thousands of processes that Ansible starts.
unexport PYTHONDONTWRITEBYTECODE

# The lab makes network namespaces, so it runs as root.
AS_ROOT := $(SUDO) env PATH="$(PATH)" PYTHONPATH=tests ANSIBLE_COLLECTIONS_PATH="$(COLLECTIONS)" \
	ANSIBLE_INJECT_FACT_VARS=false ANSIBLE_PRIVATE_ROLE_VARS=true
LAB := $(AS_ROOT) $(PYTHON) -m lab

REQUIREMENTS := requirements.txt requirements-lab.txt constraints.txt
INSTALL = $(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(PYTHON) --constraints constraints.txt

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##### The lab

.PHONY: demo
demo: setup ## Migrate live services between two real brokers, count every message, clean up
	@$(LAB) demo

.PHONY: lab-up
lab-up: setup ## Start the lab: hosts, brokers, AWS API, services
	@$(LAB) up

.PHONY: lab-down
lab-down: setup ## Stop and remove the lab
	@$(LAB) down

.PHONY: bench
bench: setup ## Repeat the migration and print its figures as a table
	@$(LAB) bench

.PHONY: bench-client
bench-client: setup ## Measure the role client on 10 and 100 hosts, beside bare ssh
	@$(AS_ROOT) $(PYTHON) tests/benchmark/client_hosts.py

.PHONY: bench-views
bench-views: setup ## Measure one sample of 1 to 50 000 queues by each view, beside curl
	@$(AS_ROOT) $(PYTHON) tests/benchmark/views.py

.PHONY: bench-drain
bench-drain: setup ## Hunt for a false "drained" in 500 random runs against a real broker
	@$(AS_ROOT) $(PYTHON) tests/benchmark/drain_hunt.py --runs 500

.PHONY: bench-failover
bench-failover: setup ## Reboot the target ten times, beside a client that retries every 20 ms
	@$(AS_ROOT) $(PYTHON) tests/benchmark/failover.py

##### Tests

.PHONY: check
check: format lint typecheck pytest ## The quick checks: format, lint, types, unit tests

.PHONY: test
test: check component sanity units artifact molecule integration ## What every change has to pass

.PHONY: format
format: venv
	ruff format --check .

.PHONY: lint
lint: venv ## ruff, ansible-lint (profile production, with yamllint), syntax of every playbook
	ruff check --output-format concise .
	ansible-lint
	for playbook in playbooks/*.yml; do ansible-playbook --syntax-check --inventory localhost, "$$playbook" || exit 1; done

.PHONY: typecheck
typecheck: venv ## mypy --strict over plugins, lab and tools
	mypy $(COLLECTION)/plugins
	mypy tests/lab tests/tools

# Two processes, because much of it waits.
.PHONY: pytest
pytest: venv
	pytest tests/unit tests/lab/tests --numprocesses 2 --dist worksteal

.PHONY: component
component: venv ## Modules against the lab's AWS API, and playbooks without brokers; needs no root
	pytest tests/api tests/playbooks --numprocesses 2 --dist worksteal

.PHONY: exported
exported: venv
	@$(PYTHON) tests/tools/export.py $(EXPORT)

.PHONY: sanity
sanity: exported ## ansible-test sanity
	@$(PYTHON) tests/tools/ansible_test.py $(EXPORT) sanity

.PHONY: units
units: exported ## ansible-test units
	@$(PYTHON) tests/tools/ansible_test.py $(EXPORT) units

.PHONY: artifact
artifact: exported ## Build the collection and check it as Galaxy does; check documentation and changelog
	ANSIBLE_COLLECTIONS_PATH=$(BUILD)/ansible-test antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs dependent --skip-rstcheck $(EXPORT)
	cd $(EXPORT) && antsibull-changelog lint
	rm -rf $(BUILD)/artifact && ansible-galaxy collection build --output-path $(BUILD)/artifact $(EXPORT)
	cd $(BUILD)/artifact && $(PYTHON) -m galaxy_importer.main *.tar.gz

.PHONY: integration
integration: setup venv ## Tests that need the lab
	$(AS_ROOT) $(PYTHON) -m pytest tests/integration -m alone
	$(AS_ROOT) $(PYTHON) -m pytest tests/integration -m "not long and not alone" --numprocesses 2 --dist worksteal --durations 10

.PHONY: integration-long
integration-long: setup venv ## The tests of the lab that would make the others too long
	$(AS_ROOT) $(PYTHON) -m pytest tests/integration -m long --numprocesses 2 --dist worksteal --durations 10

.PHONY: molecule
molecule: setup venv ## Every molecule scenario
	@# What a run that was interrupted left makes molecule believe that the lab is up.
	$(LAB) exec --prepare -- molecule destroy
	$(LAB) exec --prepare -- molecule test --all; status=$$?; $(LAB) down; exit $$status

##### Setting up

.PHONY: setup
setup: root system $(VENV)/.lab $(COLLECTION) ## What the lab needs: Debian packages and the Python environment

.PHONY: root
root:
	@test "$$(id -u)" -eq 0 || sudo true || { echo "setup: run as root, or as a user who may use sudo." >&2; exit 1; }

.PHONY: system
system: ## Install the Debian packages that are missing
	@python=$$(sh tests/tools/find_python.sh) && sh tests/tools/system.sh "$$python"

.PHONY: venv
venv: $(VENV)/.dev $(COLLECTION) ## The Python environment with all development tools, in .venv

# Each stamp is written last: an environment that was left half-way is made again.
OFFLINE = { echo "setup: could not install $(1). Is the network reachable?" >&2; exit 1; }

$(STAMP_UV):
	@python=$$(sh tests/tools/find_python.sh) && \
	{ "$$python" -c 'import ensurepip, venv' 2>/dev/null || sh tests/tools/system.sh "$$python"; } && \
	rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --quiet uv==$(UV_VERSION) || $(call OFFLINE,uv)
	@touch $@

$(VENV)/.lab: $(STAMP_UV) $(REQUIREMENTS)
	@$(INSTALL) --requirements requirements-lab.txt || $(call OFFLINE,the Python packages of requirements-lab.txt)
	@touch $@

$(VENV)/.dev: $(VENV)/.lab requirements-dev.txt
	@$(INSTALL) --requirements requirements-dev.txt || $(call OFFLINE,the Python packages of requirements-dev.txt)
	@touch $@

# Lets Ansible, pytest and mypy find the working tree under the collection's name.
$(COLLECTION):
	@mkdir -p $(dir $@) && ln -sfn ../../../.. $@

.PHONY: lock
lock: ## Resolve all requirements again into constraints.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header requirements-dev.txt --output-file constraints.txt

.PHONY: clean
clean: ## Remove everything that make made (take the lab down first)
	@test ! -x $(PYTHON) || test ! -d .lab || $(LAB) down
	@$(SUDO) rm -rf .venv .build .lab .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find . -name __pycache__ -type d -prune -exec $(SUDO) rm -rf {} +
