# Matchvec: `make` alone lists the targets.
#
#   PYTHON=python3.12   interpreter for the virtual environment (3.11 to 3.13)
#   PORT=3000           port of `make start`
#   VERBOSE=1           every log line of the local runtime in `make start`
#   TESTS=path          the tests that `make test` runs (default: all)
#   ARCH=arm64          processor that the function is built for (or x86_64)
#   SECONDS=600         duration of `make fuzz` per target
#   DOCKER=1            `make start` in SAM CLI's container instead of on this machine

PORT ?= 3000
HOST ?= 127.0.0.1
VENV ?= .venv
DOCKER ?=
VERBOSE ?=
SECONDS ?= 600
TARGET ?=
TESTS ?=
ARCH ?= arm64
# macOS ships make 3.81, which has neither .ONESHELL nor grouped targets.
SHELL := /bin/sh
bin := $(VENV)/bin
# One marker per dependency group of pyproject.toml. A change of the groups changes constraints.txt.
start_ready := $(VENV)/.start-installed
test_ready := $(VENV)/.test-installed
browser_ready := $(VENV)/.browser-installed
pins := requirements.txt constraints.txt scripts/make_venv.sh
# On every target: SAM CLI sends no metrics and asks no interactive question.
export SAM_CLI_TELEMETRY := 0

parallel := -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help start demo check test test-slow test-all test-browser lint \
	types pytest load cost fuzz bench bench-full docs format package clean build-MatchvecFunction \
	build-MatchvecBatchFunction build-PreTrafficHook

help: ## List the targets
	@echo 'Matchvec: find and classify vehicles in pictures.'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n 's/^#   \([A-Z]*=.*\)/  \1/p' $(MAKEFILE_LIST)

$(start_ready): $(pins)
	@sh scripts/make_venv.sh $(VENV) start $(PYTHON)

$(test_ready): $(start_ready)
	@sh scripts/make_venv.sh $(VENV) test $(PYTHON)

start: $(start_ready) ## Serve the API on http://127.0.0.1:3000 until Ctrl-C
	@exec $(if $(DOCKER),env PATH="$(abspath $(bin)):$$PATH" sh scripts/start_docker.sh,$(bin)/python -m scripts.local_api$(if $(VERBOSE), --verbose)) --host $(HOST) --port $(PORT)

demo: $(start_ready) ## Start the API, send the sample pictures, save them with boxes drawn
	@$(bin)/python -m scripts.demo

check: lint types ## Style, types and the tests of what is deployed, in less than a minute
	@$(bin)/python -m pytest -q -m 'not slow' $(parallel) tests/gateway tests/inference tests/service

test: $(if $(TESTS),,lint types) pytest ## Style, types and every test but the slow ones (TESTS=tests/gateway for some)

test-slow: $(browser_ready) ## The slow tests: packages, emulator, deployment (TESTS=tests/package for some)
	@$(bin)/python -m pytest -q -m 'slow and not browser' $(TESTS)

test-all: $(test_ready) test-browser ## What `make test` leaves out: slow and browser tests, other Python versions
	@sh scripts/test_all.sh $(VENV)

# Playwright's own browsers are not downloaded. The tests use the system's.
$(browser_ready): $(test_ready)
	@sh scripts/make_venv.sh $(VENV) browser $(PYTHON) || \
		echo "make: the tests of the browser and the notebook are skipped"

test-browser: $(browser_ready) ## Test the pages in a real browser; screenshots in build/browser
	@sh scripts/install_chromium.sh
	@$(bin)/python -m pytest -q -m browser tests/browser

lint: $(test_ready) ## Check the style: ruff, and shellcheck for the shell scripts
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/shellcheck $(wildcard scripts/*.sh) .ci/run

types: $(test_ready) ## Check the types: mypy --strict
	@$(bin)/mypy

# All tests run in parallel and measure the coverage of what is deployed. Some tests, named by
# TESTS, run in this process, so that a debugger works.
pytest: $(test_ready)
	@$(bin)/python -m pytest -q -m 'not slow and not browser' $(if $(TESTS),$(TESTS),$(parallel) --cov --cov-report=xml --cov-report=term)

load: $(test_ready) ## Send 5,000 valid and invalid requests to the local API and check every answer (ARGS='--url ...')
	@$(bin)/python -m scripts.load $(ARGS)

cost: $(test_ready) ## Print the requests that take the most processor time, counted and measured
	@$(bin)/python -m scripts.worst_case

fuzz: $(test_ready) ## Fuzz events, forms, pictures and fetches, SECONDS each (TARGET=decode for one)
	@$(bin)/python -m fuzz --seconds $(SECONDS) --target '$(TARGET)'

bench: $(test_ready) ## Compare Matchvec with a naive handler, web frameworks and the limit (5 minutes)
	@$(bin)/python -m benchmarks --plan quick $(ARGS)

bench-full: $(test_ready) ## The same with enough rounds for a p99
	@$(bin)/python -m benchmarks --plan full $(ARGS)

# checkov's pins conflict with SAM CLI's, so it has an environment of its own.
.venv-checkov/.checkov-installed: pyproject.toml scripts/make_venv.sh
	@sh scripts/make_venv.sh .venv-checkov checkov $(PYTHON)

docs: $(test_ready) ## Write the generated pages of docs/ and build the website in build/site
	@$(bin)/python -m scripts.docs_pages
	@NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs build --strict --quiet

format: $(test_ready) ## Format the sources
	@$(bin)/ruff check --fix-only .
	@$(bin)/ruff format .

package: $(start_ready) ## Build the Lambda package for ARCH in build/package-ARCH, and check it
	@$(bin)/python -m scripts.package --architecture $(ARCH) --output build/package-$(ARCH)

# `sam build` calls these three targets, one per function of template.yaml.
build-MatchvecFunction: $(start_ready)
	@$(bin)/python -m scripts.package --architecture $(ARCH) --output "$(ARTIFACTS_DIR)"

# The batch function is the same package with another handler. SAM CLI builds it second, so the
# files of the first build are linked, which takes no time and no space.
build-MatchvecBatchFunction: $(start_ready)
	@if [ -f "$(ARTIFACTS_DIR)/../MatchvecFunction/lambda_function.py" ]; then \
		cp -al "$(ARTIFACTS_DIR)/../MatchvecFunction/." "$(ARTIFACTS_DIR)/"; \
	else \
		$(bin)/python -m scripts.package --architecture $(ARCH) --output "$(ARTIFACTS_DIR)"; \
	fi

# The hook that checks a new version: one module and the pictures that it sends.
build-PreTrafficHook:
	@mkdir -p "$(ARTIFACTS_DIR)/samples"
	@cp hooks/pre_traffic.py "$(ARTIFACTS_DIR)/"
	@cp samples/car.jpg samples/bus.jpg samples/truck.jpg "$(ARTIFACTS_DIR)/samples/"

clean: ## Remove everything that make, tests and builds wrote
	rm -rf .venv .venv-* .aws-sam build client/dist out .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f .coverage* coverage.xml
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
