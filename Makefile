# Matchvec: `make` alone explains the targets.
#
#   PYTHON=python3.12   the interpreter that makes the virtual environment (3.11 to 3.13)
#   PORT=3000           where `make start` listens
#   ARCH=arm64          the processor that the function is built for (or x86_64)
#   SECONDS=600         how long `make fuzz` tries each target
#   DOCKER=1            `make start` in SAM CLI's container instead of on this machine

PORT ?= 3000
HOST ?= 127.0.0.1
VENV ?= .venv
DOCKER ?=
SECONDS ?= 600
TARGET ?=
ARCH ?= arm64
# 3.81, which macOS ships, has neither .ONESHELL nor grouped targets; do without.
SHELL := /bin/sh
bin := $(VENV)/bin
ready := $(VENV)/.requirements-installed
# On every target: no metrics to AWS, no interactive question from SAM CLI.
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help start test test-all test-browser lint types pytest demo load bench bench-full fuzz format package clean \
	build-MatchvecFunction build-MatchvecBatchFunction build-PreTrafficHook

help: ## Explain the targets (this list)
	@echo 'Matchvec: pictures in, vehicles out.'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n 's/^#   \([A-Z]*=.*\)/  \1/p' $(MAKEFILE_LIST)

$(ready): requirements.txt requirements-dev.txt scripts/make_venv.sh
	@sh scripts/make_venv.sh $(VENV) requirements-dev.txt $(PYTHON)
	@touch $@

start: $(ready) ## Serve the API on http://127.0.0.1:3000 until Ctrl-C
	@exec $(if $(DOCKER),env PATH="$(abspath $(bin)):$$PATH" sh scripts/start_docker.sh,$(bin)/python -m scripts.local_api) --host $(HOST) --port $(PORT)

demo: $(ready) ## Start the API, post the sample pictures, save them with boxes drawn
	@$(bin)/python -m scripts.demo

test: lint types pytest ## Check style and types, run the tests

test-all: $(ready) test-browser ## Run what `make test` leaves out: slow and browser tests, the other Pythons found here
	@sh scripts/test_all.sh $(VENV)

# Playwright's own browsers are not downloaded: the tests use the system's.
$(VENV)/.browser-requirements-installed: $(ready) requirements-browser.txt
	@sh scripts/make_venv.sh $(VENV) requirements-browser.txt $(PYTHON) && touch $@ || \
		echo "make: without Playwright the browser tests are skipped"

test-browser: $(VENV)/.browser-requirements-installed ## Try the pages in a real browser; screenshots in build/browser
	@sh scripts/install_chromium.sh
	@$(bin)/python -m pytest -q -m browser tests/browser

lint: $(ready) ## Check style: ruff, and shellcheck for the shell scripts
	@$(bin)/ruff check .
	@$(bin)/ruff format --check .
	@$(bin)/shellcheck $(wildcard scripts/*.sh) .ci/run

types: $(ready) ## Check types: mypy --strict
	@$(bin)/mypy

pytest: $(ready) ## Run the tests without the slow ones (TESTS=tests/gateway for some)
	@$(bin)/python -m pytest -q -m 'not slow' $(TESTS)

load: $(ready) ## Send 5,000 good and bad requests to the local API, check every answer (ARGS='--url ...')
	@$(bin)/python -m scripts.load $(ARGS)

fuzz: $(ready) ## Fuzz events, forms, pictures and fetches, for SECONDS each (TARGET=decode for one)
	@$(bin)/python -m fuzz --seconds $(SECONDS) --target '$(TARGET)'

bench: $(ready) ## Measure Matchvec beside a naive handler, web frameworks and the limit (5 minutes)
	@$(bin)/python -m benchmarks --plan quick $(ARGS)

bench-full: $(ready) ## The same with enough rounds for a p99
	@$(bin)/python -m benchmarks --plan full $(ARGS)

coverage: $(ready) ## Run the same tests, and write which lines they reach to coverage.xml
	@$(bin)/python -m pytest -q -m 'not slow' --cov --cov-report=term --cov-report=xml $(TESTS)

# checkov's own pins are at odds with SAM CLI's, so it has an environment of its own.
.venv-checkov/.requirements-installed: requirements-checkov.txt scripts/make_venv.sh
	@sh scripts/make_venv.sh .venv-checkov requirements-checkov.txt $(PYTHON)
	@touch $@

format: $(ready) ## Rewrite the sources in the project's style
	@$(bin)/ruff check --fix-only .
	@$(bin)/ruff format .

package: $(ready) ## Build the Lambda package for ARCH in build/package-ARCH, and check it
	@$(bin)/python -m scripts.package --architecture $(ARCH) --output build/package-$(ARCH)

# What `sam build` calls for the function of that name in template.yaml.
build-MatchvecFunction: $(ready)
	@$(bin)/python -m scripts.package --architecture $(ARCH) --output "$(ARTIFACTS_DIR)"

# ... of which the function for batches has the same one, with another handler. SAM CLI builds it
# second; where the first is there, its files are linked, so it takes no time and no space.
build-MatchvecBatchFunction: $(ready)
	@if [ -f "$(ARTIFACTS_DIR)/../MatchvecFunction/lambda_function.py" ]; then \
		cp -al "$(ARTIFACTS_DIR)/../MatchvecFunction/." "$(ARTIFACTS_DIR)/"; \
	else \
		$(bin)/python -m scripts.package --architecture $(ARCH) --output "$(ARTIFACTS_DIR)"; \
	fi

# ... and for the function that checks a new version: one module and what it posts.
build-PreTrafficHook:
	@mkdir -p "$(ARTIFACTS_DIR)/samples"
	@cp hooks/pre_traffic.py "$(ARTIFACTS_DIR)/"
	@cp samples/car.jpg samples/bus.jpg samples/truck.jpg "$(ARTIFACTS_DIR)/samples/"

clean: ## Remove what make, tests and builds left behind
	rm -rf .venv .venv-* .aws-sam build client/dist out .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
