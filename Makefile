# SPDX-License-Identifier: Apache-2.0
# Everything goes through npm scripts' PATH, so that the Node of node_modules/.bin is used whatever the system has.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := node_modules/.bin
NODE := $(BIN)/node
RESULTS := test/.out/results.jsonl
UNIT := $(shell find kms crds kms-node kmsctl operator charts images test/tools test/harness test/bench -name '*.test.ts' -not -path '*/node_modules/*' 2>/dev/null)
INTEGRATION := $(shell find test/integration test/peers -name '*.test.ts' 2>/dev/null)

##@ First steps
.PHONY: help demo
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: node_modules ## Three hosts, one count: S3-09 played by simulated clients; no cluster, no Redis
	@npm run -s kmsctl -- demo

##@ Proofs
.PHONY: test check e2e e2e-full soak bench bench-fleet bench-operator requirements tools
test: node_modules tools ## All that can be proven without a cluster: unit, property, contract, peers, integration
	@test/run-tests.sh $(UNIT) $(INTEGRATION)

check: node_modules ## Types, lint, generated files up to date, import walls
	$(BIN)/tsc
	$(BIN)/biome ci --error-on-warnings
	$(NODE) crds/generate.ts --check
	$(NODE) charts/generate/main.ts --check
	$(NODE) charts/observability/generate.ts --check
	$(NODE) test/tools/metrics-doc.ts --check
	$(NODE) test/tools/kmsctl-doc.ts --check
	$(NODE) --test --test-reporter=dot test/tools/imports.test.ts

e2e: node_modules tools bundle ## The first day in a real cluster: install, S3-09, faults, uninstall; in one made for it, or that of KUBECONFIG
	@test/e2e/run.sh test/e2e/short.test.ts test/e2e/docs.test.ts

e2e-full: node_modules tools bundle ## Every fault under load in a real cluster; writes docs/faults.md and docs/faults.json
	@test/e2e/run.sh test/e2e/full.test.ts

requirements: node_modules ## Each requirement, its fact, and the tests that passed for it in the last make test and make e2e
	@$(NODE) test/tools/requirements.ts $(RESULTS) $(wildcard test/.out/e2e.jsonl)

bench: node_modules bundle tools ## Throughput, latency and memory against a canned server in the same run
	$(NODE) test/bench/bench.ts $(BENCH_FLAGS)

bench-fleet: node_modules ## kmsctl simulate's virtual clock: events a second, bytes a machine; BENCH_FLAGS=--quick without the million
	$(NODE) --expose-gc test/bench/fleet.ts $(BENCH_FLAGS)

bench-operator: node_modules tools ## The operator with 100 and 500 pools: writes, latency, CPU, memory; BENCH_FLAGS=--quick for a look
	$(NODE) test/bench/operator/bench.ts $(BENCH_FLAGS)

soak: node_modules tools ## The long runs: faults under load, random input for ten minutes
	KMSPOOL_FUZZ_SECONDS=600 KMSPOOL_SOAK=1 test/run-tests.sh $(INTEGRATION)

tools: ## Debian packages (when root) and Go programs that tests use as real peers; names what is missing
	@test/install-tools.sh
	@test/build-go-tools.sh

##@ Development
.PHONY: generate format bundle images chart clean
generate: node_modules ## Write the generated files anew
	$(NODE) crds/generate.ts
	$(NODE) charts/generate/main.ts
	$(NODE) charts/observability/generate.ts
	$(NODE) test/tools/metrics-doc.ts
	$(NODE) test/tools/kmsctl-doc.ts

format: node_modules ## Format and fix what Biome can fix
	$(BIN)/biome check --write

bundle: node_modules ## dist/*.mjs, the one file of each image, and the SBOM
	@mkdir -p dist
	$(NODE) kms-node/bundle.ts
	$(NODE) operator/bundle.ts
	$(NODE) images/bundle-kmsctl.ts
	@npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only --omit dev --omit optional $(addprefix --workspace ,kms-node operator kmsctl) > dist/sbom.cdx.json

images: bundle ## Images of operator, host and kmsctl, with docker or buildah (IMAGE_PREFIX, TAG, BASE)
	images/build.sh

chart: node_modules ## dist/kmspool-VERSION.tgz: the Helm chart, linted and packed
	$(NODE) charts/generate/main.ts
	@export PATH="$$(test/build-go-tools.sh --path)$$PATH"; mkdir -p dist; command -v helm >/dev/null || { echo "no helm here: install it, or run make tools" >&2; exit 1; }; \
	  helm lint --strict charts/kmspool && helm package charts/kmspool --destination dist

clean: ## Remove what was built
	rm -rf dist test/.out

node_modules: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch node_modules
