# What one does here. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
# Another browser for the tests, where the distribution's package is a stub.
CHROMIUM ?=
export CHROMIUM

# Each needs what the one before it installed.
.NOTPARALLEL:

.PHONY: help run test test-rust test-properties test-browser test-whip lint deny fixtures screenshot \
        bench bench-estimator bench-isolation bench-ladder bench-latency bench-links bench-network bench-pieces bench-thin \
        bench-room bench-churn bench-encoders bench-idle bench-hostile \
        record-estimates schema deps-build deps-test deps-bench build build-load release clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: deps-build release ## Install what is missing, build, start the server, print the address
	@exec target/release/mosaicd serve $(ARGS)

test: deps-build deps-test lint test-rust test-whip test-browser ## Run all tests, browsers included
	@echo "all tests passed"

lint: ## Check format and lints, and that the mixer builds without any C
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	RUSTFLAGS="-D warnings" $(CARGO) check --locked -p mixer --target wasm32-unknown-unknown \
		--target-dir target/wasm

test-rust: ## Run the tests that need no browser
	$(CARGO) test --locked

test-properties: ## Run the property tests on many cases that are new each time
	PROPTEST_RNG_SEED=$$(date +%s) PROPTEST_CASES=$(or $(CASES),2000) \
		$(CARGO) test --locked --release -p codecs -p mixer -p link

test-browser: build ## Run the tests with real browsers
	cd tests/browser && node --test --test-reporter=spec .

test-whip: build ## Run the tests with aiortc over WHIP and WHEP
	cd tests/whip && venv/bin/python -m unittest --verbose

build:
	$(CARGO) build --locked --bins --example relay

release:
	$(CARGO) build --locked --release

# Together: apart, cargo would build the dependencies twice, with other features.
build-load:
	$(CARGO) build --locked --release --bins --examples

deny: ## Check licenses, sources and bans of the dependencies
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked --workspace check bans licenses sources

fixtures: deps-build ## Make the fixtures anew (needs a libvpx that vpx-encode knows)
	$(CARGO) run --locked --release -p generator -- fixtures

schema: ## Write the messages' JSON Schema and TypeScript types anew
	WRITE_SCHEMA=1 $(CARGO) test --locked -p mosaicd --test schema served

screenshot: deps-test release ## Take the README's screenshot of a real conference
	MOSAICD=target/release/mosaicd node tests/browser/screenshot.mjs screenshot.png 1120x700

bench: deps-bench build-load ## CPU of `mosaicd mix` beside the codec floor and ffmpeg
	target/release/examples/bench-mix $(ARGS)

bench-estimator: ## The estimate of the downlink over simulated links
	$(CARGO) test --locked --lib -p mosaicd rtc::downlink::estimate:: -- --nocapture --test-threads 1 \
		| grep --invert-match '^$$'

bench-thin: ## What comes and what waits behind simulated thin links
	$(CARGO) test --locked --lib -p mosaicd rtc::downlink::thin:: -- --nocapture | grep 'of the time'

bench-pieces: ## Criterion benches of the pieces
	$(CARGO) bench --locked -p codecs -p mixer
	$(CARGO) bench --locked -p mosaicd --bench sharing

bench-encoders: ## Our encoder beside vpx-encode (needs a libvpx that it knows)
	$(CARGO) bench --locked -p generator

bench-room: deps-build build-load ## Memory and CPU of a live room of nine
	target/release/examples/load room $(ARGS)

bench-churn: deps-build build-load ## What 200 joins and leaves leave behind
	target/release/examples/load churn $(ARGS)

bench-network: deps-test build-load ## Real browsers over bad networks (ARGS="--only loss-5,move --seconds 10")
	MOSAICD=target/release/mosaicd RELAY=target/release/examples/relay \
		node tests/browser/bench/network.mjs $(ARGS)

bench-links: deps-test build-load ## What one gets at each downlink, in a room of nine (ARGS="--only 64,steps-200")
	MOSAICD=target/release/mosaicd RELAY=target/release/examples/relay LOAD=target/release/examples/load \
		node tests/browser/bench/links.mjs $(ARGS)

record-estimates: deps-test build-load ## Record the estimates in fixtures/estimates anew (ARGS="--only sawtooth-1")
	MOSAICD=target/release/mosaicd RELAY=target/release/examples/relay LOAD=target/release/examples/load \
		node tests/browser/bench/estimates.mjs fixtures/estimates $(ARGS)

bench-ladder: deps-build build-load ## CPU of a room whose whole ladder is in use, beside one rung
	target/release/examples/load ladder $(ARGS)

bench-latency: deps-build build-load ## Delay through the mixer, beside GStreamer and Janus if installed
	target/release/examples/latency $(ARGS)

bench-isolation: deps-build build-load ## Tick lateness with and without one who floods
	target/release/examples/load isolation $(ARGS)

bench-idle: deps-build build-load ## Memory and CPU of 500 sessions in which nothing happens, by carrier
	target/release/examples/load idle $(ARGS)

bench-hostile: deps-build build-load ## What hostile clients cost, and a room of nine that sits meanwhile
	target/release/examples/load hostile $(ARGS)

deps-build:
	@./tests/install.sh build

deps-test: deps-build
	@./tests/install.sh test

deps-bench: deps-build
	@./tests/install.sh bench

clean: ## Remove what was built
	$(CARGO) clean
