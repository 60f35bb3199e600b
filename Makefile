# `make demo` shows it, `make test` tests it. `make help` lists the rest.
SHELL := /bin/bash
JOBS ?= 2
CATENARY := build/release/catenary

# What a build, a test run and a private PostgreSQL need, as Debian 12 names it.
PACKAGES := g++ cmake ninja-build ccache pkg-config git ca-certificates python3 curl jq \
  libboost1.81-dev libpqxx-dev libpq-dev nlohmann-json3-dev doctest-dev libyaml-cpp-dev libfmt-dev libspdlog-dev libcli11-dev \
  libcurl4-openssl-dev libssl-dev libsodium-dev zlib1g-dev libre2-dev libbenchmark-dev libsimdjson-dev libtomlplusplus-dev libjemalloc-dev postgresql-15
LINT_PACKAGES := clang-format-14 clang-tidy-14
FUZZ_PACKAGES := clang-14 libclang-rt-14-dev

.PHONY: help demo test build run bench bench-engine format lint openapi-lint deps clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: build ## build, start with a private PostgreSQL, replay the built-in story, show the incidents and their tickets, keep serving; CATENARY_DEMO_WEBHOOK=URL posts those there
	@$(CATENARY) demo

build: deps ## build the release program, build/release/catenary
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@tests/hardening $(CATENARY)

run: build ## serve on 127.0.0.1:8080 with the default data folder
	@$(CATENARY) serve

# What runs with sanitizers in every test run: what needs the engine alone; six minutes to compile on two cores. `make torture-asan` runs the rest.
SANITIZED := tests_engine,tests_oracle,fuzz_cursors,fuzz_gate,fuzz_inflate,fuzz_matcher,fuzz_queries,fuzz_snapshots
comma := ,
test: deps ## build and run every test against a PostgreSQL of its own, those of the engine with sanitizers as well
	@$(MAKE) -s built PRESET=dev
	@$(MAKE) -s built PRESET=asan TARGETS="$(subst $(comma), ,$(SANITIZED))"
	@tests/run build/dev build/asan=$(SANITIZED)

# A preset, configured and built: all of it or TARGETS.
.PHONY: built
built:
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS) $(if $(TARGETS),--target $(TARGETS))

bench: deps ## engine alone, then the server end to end beside a bare COPY of the same rows
	@cmake --preset bench --log-level=WARNING >/dev/null
	@cmake --build --preset bench -j $(JOBS)
	@tests/bench/run build/bench

.PHONY: bench-engine bench-ingest bench-reads bench-start bench-backtest soak
bench-engine: deps ## the engine alone against its budgets: signals a second, growth, bytes held; a minute
	@$(MAKE) -s built PRESET=bench TARGETS="engine_budgets"
	@build/bench/engine_budgets
bench-ingest: deps ## end to end beside a bare COPY, then acknowledgements and incidents at half rate
	@$(MAKE) -s built PRESET=bench TARGETS="catenary end_to_end_bench"
	@CATENARY_PROGRAM=build/bench/catenary build/bench/end_to_end_bench
bench-reads: deps ## lists and details beside their bare queries: READ_SIGNALS=1000000 READ_INCIDENTS=1000 READ_ROUNDS=500 READ_RATE=0 signals/s coming in, READ=incident those of a name
	@$(MAKE) -s built PRESET=bench TARGETS="catenary read_bench"
	@CATENARY_PROGRAM=build/bench/catenary build/bench/read_bench $(or $(READ_SIGNALS),1000000) $(or $(READ_INCIDENTS),1000) $(or $(READ_ROUNDS),500) $(or $(READ_RATE),0) "$(READ)"
bench-start: deps ## how long a start takes, from a saved state of the lanes and from the log alone: START_SIGNALS=3000000
	@$(MAKE) -s built PRESET=bench TARGETS="catenary start_bench"
	@CATENARY_PROGRAM=build/bench/catenary build/bench/start_bench $(START_SIGNALS)
bench-backtest: deps ## backtests of a million stored signals, from the request to the result: BACKTEST_SIGNALS=1000000
	@$(MAKE) -s built PRESET=bench TARGETS="catenary backtest_bench"
	@CATENARY_PROGRAM=build/bench/catenary build/bench/backtest_bench $(BACKTEST_SIGNALS)
soak: deps ## steady load with people and machines coming and going: SOAK_MINUTES=30
	@$(MAKE) -s built PRESET=bench TARGETS="catenary soak_bench"
	@CATENARY_PROGRAM=build/bench/catenary build/bench/soak_bench $(or $(SOAK_MINUTES),30)

.PHONY: torture torture-asan torture-tsan torture-oracle torture-simulator torture-mutation torture-fuzz torture-kill torture-postgres torture-tickets torture-stop torture-idle torture-contract
torture: torture-oracle torture-simulator torture-mutation torture-kill torture-postgres torture-tickets torture-stop torture-idle torture-contract torture-fuzz torture-tsan torture-asan ## the long tests one after the other: hours
torture-asan: deps ## every suite, stores and end-to-end included, with AddressSanitizer and UBSan
	@$(MAKE) -s built PRESET=asan
	@tests/torture asan
torture-tsan: deps ## sessions, queues, committer, lanes, connectors, backtests and stores with ThreadSanitizer
	@$(MAKE) -s built PRESET=tsan TARGETS=tests_server
	@tests/torture tsan
torture-oracle: deps ## the matcher and lanes on further random cases: SEED_BASE=n ORACLE_PERCENT=500
	@$(MAKE) -s built PRESET=dev TARGETS=tests_oracle
	@tests/torture oracle
torture-simulator: deps ## two servers on a simulated database where everything fails: SEED_BASE=n SIMULATOR_SEEDS=10000
	@$(MAKE) -s built PRESET=dev TARGETS=tests_simulator
	@tests/torture simulator
torture-mutation: deps ## wrong changes, each of which must make a test fail
	@tests/torture mutation
torture-fuzz: deps ## libFuzzer at every door where bytes come in: FUZZ_SECONDS=60 for each
	@$(MAKE) -s packages PACKAGES="$(FUZZ_PACKAGES)"
	@$(MAKE) -s built PRESET=fuzz TARGETS=fuzz_targets
	@tests/torture fuzz
torture-kill: deps ## kill -9 of the server under load, again and again, and of the leader of two: KILL_ROUNDS=200 TAKE_OVER_ROUNDS=3
	@$(MAKE) -s built PRESET=dev TARGETS=tests_e2e
	@tests/torture kill
torture-postgres: deps ## PostgreSQL killed under load, gone for a while, and out of room: POSTGRES_KILL_ROUNDS=90 POSTGRES_AWAY_SECONDS=60
	@$(MAKE) -s built PRESET=dev TARGETS=tests_e2e
	@tests/torture postgres
torture-tickets: deps ## incidents become tickets of a real Redmine and a real Request Tracker, through cuts and kills; as root, with the scripts of CATENARY_SHARED: TICKETS=200 SYSTEM=redmine, request_tracker or both
	@$(MAKE) -s built PRESET=dev TARGETS=tests_e2e
	@tests/torture tickets
torture-stop: deps ## SIGTERM under load, again and again: STOP_ROUNDS=100
	@$(MAKE) -s built PRESET=dev TARGETS=tests_e2e
	@tests/torture stop
torture-idle: deps ## connections that say nothing, and good clients beside them: IDLE_CONNECTIONS=10000
	@$(MAKE) -s built PRESET=dev TARGETS=tests_server
	@tests/torture idle

# A fuzzer of OpenAPI documents in an environment of its own; needs a package index the first time.
CONTRACT_FUZZ := build/contract-fuzz
torture-contract: deps $(CONTRACT_FUZZ)/installed ## the contract fuzzed by schemathesis with two tenants' keys: CONTRACT_EXAMPLES=5 random requests an operation
	@$(MAKE) -s built PRESET=dev TARGETS=catenary
	@$(CONTRACT_FUZZ)/bin/python tests/contract/run.py build/dev/catenary api/openapi.yaml build/contract-runs
$(CONTRACT_FUZZ)/installed: tests/contract/requirements.txt
	@$(MAKE) -s packages PACKAGES="python3 python3-venv"
	@python3 -m venv --clear $(CONTRACT_FUZZ)
	@$(CONTRACT_FUZZ)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

format: ## lay out the sources with clang-format
	@$(MAKE) -s packages PACKAGES="$(LINT_PACKAGES)"
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -P $(JOBS) -n 8 clang-format-14 -i

# A file is checked again when it, a header or the checks have changed. Clang cannot read GCC's precompiled headers, so lint has its own compile commands.
LINTED := $(patsubst %.cpp,build/lint/checked/%,$(shell git ls-files 'engine/*.cpp' 'api/*.cpp' 'server/*.cpp'))
LINT_HEADERS := $(shell git ls-files 'engine/*.hpp' 'api/*.hpp' 'server/*.hpp')
lint: deps ## clang-tidy over engine, api and server: minutes the first time, then only what changed
	@$(MAKE) -s packages PACKAGES="$(LINT_PACKAGES)"
	@cmake --preset lint --log-level=WARNING >/dev/null
	@$(MAKE) -s -k -j $(JOBS) lint-files
.PHONY: lint-files
lint-files: $(LINTED)
build/lint/checked/%: %.cpp $(LINT_HEADERS) .clang-tidy
	@clang-tidy-14 -p build/lint --quiet --extra-arg=-Wno-unknown-warning-option $< 2>&1 | grep -vE '^[0-9]+ warnings? generated' ; test $${PIPESTATUS[0]} = 0
	@mkdir -p $(@D) && touch $@

# The contract against the specification, by a validator of an environment of its own; needs a package index the first time.
OPENAPI_LINT := build/openapi-lint
openapi-lint: $(OPENAPI_LINT)/installed ## the contract against OpenAPI 3.1, its examples against its schemas
	@$(OPENAPI_LINT)/bin/python tests/openapi/lint.py api/openapi.yaml
$(OPENAPI_LINT)/installed: tests/openapi/requirements.txt
	@$(MAKE) -s packages PACKAGES="python3 python3-venv"
	@python3 -m venv --clear $(OPENAPI_LINT)
	@$(OPENAPI_LINT)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

deps: packages
.PHONY: packages
packages:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

clean: ## remove what was built
	@rm -rf build
