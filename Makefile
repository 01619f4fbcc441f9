# Every command of the project is a target here; CI calls nothing else. `make help` lists the targets.
#
# Tools are built into a cache outside the checkout, by version: KAI_TOOLS, by default ~/.cache/kai-tools.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)
KAI_TOOLS ?= $(CACHE)/kai-tools
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(KAI_TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
LISTEN ?= 127.0.0.1:8080
RECEIVER ?= 127.0.0.1:8228

.PHONY: help demo demo-push build test unit lint fmt docs deny openapi contract control-plane e2e e2e-kind soak chart chart-kind bench bench-cluster bench-fleet ci clean packages
.PHONY: image image-test image-ci linux-binary linux-binary-fips mac-binary mac-binary-fips advisories outdated
.PHONY: release-test release-dry-run release-check-tag release-archive release-common release-sums
.PHONY: release-push-image release-publish-image release-publish-chart release-publish-files

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

demo: ## Build kai and serve a sample cluster on http://127.0.0.1:8080 (LISTEN=… for another address)
	$(CARGO) build --locked --release
	@echo "Serving config/demo-cluster.json on http://$(LISTEN)  (Ctrl-C stops it). In another terminal:"
	@echo "  curl -s $(LISTEN)/inventory | jq ."
	@echo "  curl -s '$(LISTEN)/v1/images?image=redis' | jq '.images[] | {image, first_seen, last_seen, running}'"
	@exec target/release/kai serve --input config/demo-cluster.json --cluster-name demo --listen $(LISTEN)

demo-push: ## Send the sample cluster to a receiver on this machine and show what arrives (RECEIVER=… for another address)
	$(CARGO) build --locked --bin kai --example receiver
	tests/support/fake_anchore/demo.sh target/debug/kai target/debug/examples/receiver $(RECEIVER)

build: ## Build the optimised binary, target/release/kai
	$(CARGO) build --locked --release

test: ## Run every test that needs no cluster
	$(CARGO) test --locked

unit: ## Run the tests that need no socket and no process
	$(CARGO) test --locked --lib

lint: ## Check the format, clippy and the documentation; warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test e2e -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

fmt: ## Format the code
	$(CARGO) fmt

deny: $(CARGO_DENY) ## Check licenses, sources and banned crates of every dependency
	$(CARGO_DENY) --locked check bans licenses sources
	$(CARGO_DENY) --locked --manifest-path fips/Cargo.toml check bans licenses sources

$(CARGO_DENY):
	@echo "building cargo-deny $(CARGO_DENY_VERSION) once, into $(KAI_TOOLS)"
	$(CARGO) install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root $(KAI_TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)

openapi: ## Write openapi/openapi.json and openapi/openapi.yaml from the code
	KAI_WRITE_OPENAPI=1 $(CARGO) test --locked --test structure openapi

packages: ## Install promtool and postgres, from the Debian packages that `make ci` needs (root)
	tests/ci/packages.sh promtool postgres

contract: ## Test a running kai against its OpenAPI document, and run the commands of docs/RECIPES.md (needs promtool, curl, jq)
	$(CARGO) build --locked
	tests/contract.sh target/debug/kai
	tests/recipes.sh target/debug/kai

control-plane: ## Build kube-apiserver, etcd, kwok and others for e2e into KAI_TOOLS, once (needs Go; 12 minutes)
	KAI_TOOLS="$(KAI_TOOLS)" tests/control-plane/build.sh

e2e: ## Test kai on a real control plane, or on the cluster of E2E_KUBECONFIG=FILE; CLAIMS=… selects tests by name
	if [ -z "$${E2E_KUBECONFIG:-}" ]; then $(MAKE) --no-print-directory control-plane; fi
	KAI_TOOLS="$(KAI_TOOLS)" $(CARGO) test --locked --test e2e -- $(CLAIMS)

soak: ## Run what takes minutes: the claims that wait for silence and audits, and changes replayed for ten minutes (weekly)
	if [ -z "$${E2E_KUBECONFIG:-}" ]; then $(MAKE) --no-print-directory control-plane; fi
	KAI_SOAK=1 $(CARGO) test --locked --lib -- history::sqlite::kills
	KAI_SOAK=1 KAI_TOOLS="$(KAI_TOOLS)" $(CARGO) test --locked --test e2e -- watch_faults
	$(CARGO) build --locked --release --bin kai --example replay
	target/release/examples/replay target/release/kai

e2e-kind: ## Run those that work on an existing cluster, and install the chart, on a new kind cluster (kind, kubectl, docker, helm)
	tests/e2e/kind.sh

chart: ## Test the Helm chart and package it into snapshot/chart (HELM=… uses your helm; otherwise it is built, which needs Go)
	if [ -z "$${HELM:-}" ]; then KAI_TOOLS="$(KAI_TOOLS)" tests/control-plane/build.sh helm; fi
	$(CARGO) build --locked
	KAI_TOOLS="$(KAI_TOOLS)" tests/chart/run.sh "$${CARGO_TARGET_DIR:-target}/debug/kai"
	tests/chart/kind_stubs.sh

chart-kind: ## Install the chart with the image of this checkout on a kind cluster (KUBECONFIG=FILE, CLUSTER=kai; docker, kind, helm)
	tests/chart/kind.sh

bench: ## Measure decoding, reading a file, serving, questions, sending and memory (docs/PERFORMANCE.md lists what each needs)
	$(CARGO) bench --locked
	$(CARGO) build --locked --release --bin kai --example receiver
	benches/input.sh target/release/kai
	benches/http.sh target/release/kai
	benches/rows.sh target/release/kai
	benches/sizing.sh target/release/kai target/release/examples/receiver
	$(CARGO) build --locked --release --example replay
	target/release/examples/replay target/release/kai 100000 200 60 1000 64

bench-cluster: control-plane ## Measure listing and watching clusters of 10,000 pods, against clients that only fetch and kube-state-metrics
	$(CARGO) build --locked --release --bin kai --example load --example live
	KAI_TOOLS="$(KAI_TOOLS)" benches/shapes.sh target/release/kai target/release/examples/load
	KAI_TOOLS="$(KAI_TOOLS)" benches/watching.sh target/release/kai target/release/examples/load target/release/examples/live

bench-fleet: ## Measure one history of 1,000 clusters in a PostgreSQL of its own, and let them write for ten minutes
	$(CARGO) build --locked --release --example fleet
	benches/fleet.sh target/release/examples/fleet

image: ## Build the image with docker, podman or buildah, also into snapshot/image/kai.tar (IMAGE=localhost/kai; VERSION=…; IMAGE_ARGUMENTS="--build-arg KUBECONFIG=./kubeconfig"; STAND_IN=1 as root without a registry of images)
	KAI_TOOLS="$(KAI_TOOLS)" tests/image/build.sh $(if $(STAND_IN),--stand-in) $(IMAGE_ARGUMENTS)

image-test: ## Test the image of `make image`, which is built first if it is not from this commit (root; STAND_IN=1 as above)
	KAI_TOOLS="$(KAI_TOOLS)" tests/image/run.sh $(if $(STAND_IN),--stand-in)

image-ci: ## The part of `make ci` that needs root: image-test
	tests/ci/image.sh

linux-binary: ## Build the static binary for Linux into snapshot/kai
	tests/release/binary.sh linux

linux-binary-fips: ## The same with the validated FIPS module (needs cmake and Go)
	tests/release/binary.sh linux --fips

mac-binary: ## Build the binary for macOS into snapshot/kai
	tests/release/binary.sh mac

mac-binary-fips: ## The same with a FIPS module, which is not validated for macOS
	tests/release/binary.sh mac --fips

release-dry-run: ## Build every file of a release that this platform can build into snapshot/dist
	KAI_TOOLS="$(KAI_TOOLS)" tests/release/dry_run.sh

release-test: ## Test the scripts of CI and of a release, and the workflows (needs Go once)
	KAI_TOOLS="$(KAI_TOOLS)" tests/release/actionlint.sh
	tests/ci/run.sh
	tests/release/run.sh
	tests/release/run-files.sh

# The steps of the release workflow. TAG is its tag, FIPS=1 another archive.
release-check-tag:
	tests/release/check-version.sh $(TAG)

release-archive release-common release-sums:
	KAI_TOOLS="$(KAI_TOOLS)" tests/release/dry_run.sh $(@:release-%=%)

release-push-image:
	tests/release/publish.sh push

release-publish-image release-publish-chart release-publish-files:
	tests/release/publish.sh $(@:release-publish-%=%)

advisories: $(CARGO_DENY) ## Check every dependency against the advisory database (needs GitHub)
	$(CARGO_DENY) --locked check advisories
	$(CARGO_DENY) --locked --manifest-path fips/Cargo.toml check advisories

outdated: ## List the updates that the manifests allow
	$(CARGO) update --dry-run
	$(CARGO) update --dry-run --manifest-path fips/Cargo.toml

# Without PostgreSQL its tests are left out, and say so; here that is a failure.
ci: export POSTGRES_TESTS := required
ci: packages lint deny release-test test contract chart e2e image-ci ## What CI runs

clean: ## Remove what was built
	$(CARGO) clean
