# Everything runs with Go, a C compiler (for -race), git and make; what else a
# target needs it installs itself, into ./bin. A target fails rather than skips.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

GO    ?= go
GOFMT := $(shell $(GO) env GOROOT)/bin/gofmt
PKGS  ?= ./...
# The packages that short and race test: the import gate has a target of its own.
TESTED = $$($(GO) list $(PKGS) | grep -v '/internal/imports$$')
# Those that may not have a goroutine, as the import gate sees to: nothing in them races.
PURE   = internal/(alarm|flow|machine|node)$$
# Many tests wait for processes and clocks: more packages go at once than there are
# processors. What is compiled has been vetted before.
OVERLAP ?= -p 4 -vet=off

# Modules of their own, beside the main one.
SUBMODULES := $(patsubst %/go.mod,%,$(wildcard shop/go.mod bench/go.mod))
# $(call each-module,COMMAND) runs COMMAND in the main module and in each other.
each-module = for module in . $(SUBMODULES); do (cd $$module && $(1)) || { echo "failed in module $$module: $(1)"; exit 1; }; done

# The tiers of `make test` after check and lint, in the order they run; race is
# last so that its list of packages ends the output. Add a tier here when its
# tests exist. `make tiers` fails when they exist and are not listed, and every
# tier fails when it is listed and finds no test.
TIERS := sim planted crash figures race

SIM_SCHEDULES ?= 200000
# The first seed; 0: one that no run had before.
SIM_BASE      ?= 0
SIM_PKGS      ?= ./sim
SIM_RUN       ?= ^TestSimulation
SIM_FLAGS     ?= -v -count=1 -timeout 60m -sim.schedules=$(SIM_SCHEDULES) -sim.base=$(SIM_BASE)
PLANTED_PKGS  ?= ./...
PLANTED_RUN   ?= ^TestPlanted
PLANTED_FLAGS ?= -count=1 -timeout 45m
CRASH_PKGS    ?= ./...
CRASH_RUN     ?= ^TestCrash
CRASH_FLAGS   ?= -count=1 -timeout 40m
FIGURES_PKGS  ?= ./...
FIGURES_RUN   ?= ^TestFigure
# One package at a time: what is judged has the machine for itself.
FIGURES_FLAGS ?= -count=1 -p 1 -timeout 30m
OTHER_TIERS    = $(SIM_RUN)|$(PLANTED_RUN)|$(CRASH_RUN)|$(FIGURES_RUN)
RACE_FLAGS    ?= -timeout 45m

FUZZTIME ?= 10s
BENCH    ?= .
COVERPKG ?= ./...

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION)

##@ Every day

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: check
check: fmt vet compile imports short ## Format, vet, build, import gate, short tests; under 60 s

.PHONY: test
test: tiers check systems lint $(TIERS) ## Everything, on a fresh machine; under 12 minutes

.PHONY: build
build: ## Build the command into ./bin
	$(GO) build -trimpath -o bin/unwind ./cmd/unwind

.PHONY: docs
docs: ## Regenerate the documents that are made from code
	@$(call each-module,$(GO) generate ./...)

.PHONY: clean
clean: ## Remove what these targets wrote
	rm -rf bin dist coverage.out

##@ The parts of check

.PHONY: fmt
fmt: ## Fail on files that gofmt would change
	@unformatted=$$($(GOFMT) -l .); \
	if [[ -n $$unformatted ]]; then echo "gofmt -w would change:"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## go vet, with and without planted bugs
	@$(call each-module,$(GO) vet $(PKGS))
	@$(GO) vet -tags planted $(PKGS)

.PHONY: compile
compile:
	@$(call each-module,$(GO) build $(PKGS))

.PHONY: imports
imports: ## The import gate: who may import whom, and what is pure
	@$(GO) test -count=1 ./internal/imports

.PHONY: short
short: ## Short tests, but for those of the tiers crash and figures
	@$(call each-module,$(GO) test -short $(OVERLAP) -skip '$(CRASH_RUN)|$(FIGURES_RUN)' -timeout 10m $(TESTED))

##@ The parts of test

.PHONY: systems
systems: ## go vet for the systems that users build on, too
	@for os in darwin windows; do GOOS=$$os $(GO) vet $(PKGS); done

.PHONY: lint
lint: $(GOLANGCI) ## golangci-lint, installed on first use
	@$(call each-module,$(GOLANGCI) run --config $(CURDIR)/.golangci.yml ./...)

.PHONY: sim
sim: ## Simulated schedules, judged by the history checker
	@$(call some-tests,$(SIM_PKGS),$(SIM_RUN),$(SIM_FLAGS))

.PHONY: planted
planted: ## Planted bugs: the simulator must find every one
	@$(call some-tests,$(PLANTED_PKGS),$(PLANTED_RUN),-tags planted $(PLANTED_FLAGS))

.PHONY: crash
crash: ## Crash loops on the real engine
	@$(call some-tests,$(CRASH_PKGS),$(CRASH_RUN),$(CRASH_FLAGS))

.PHONY: figures
figures: ## Tests that judge a time, without the race detector
	@$(call some-tests,$(FIGURES_PKGS),$(FIGURES_RUN),$(FIGURES_FLAGS))

# The tests of the other tiers run there, once and without the detector's cost.
.PHONY: race
# store/sqlite is the longest, and goes first.
race: ## All other tests, under the race detector where there are goroutines
	@for module in $(SUBMODULES); do (cd $$module && $(GO) test -race $(RACE_FLAGS) $(PKGS)); done
	@$(GO) test $(OVERLAP) -skip '$(OTHER_TIERS)' $(RACE_FLAGS) $$($(GO) list $(PKGS) | grep -E '$(PURE)')
	@$(GO) test -race $(OVERLAP) -skip '$(OTHER_TIERS)' $(RACE_FLAGS) $$($(GO) list $(PKGS) | grep -vE '/internal/imports$$|$(PURE)' | sort -r)

.PHONY: tiers
tiers: ## Fail when tests of a tier exist and make test does not run them
	@$(call listed-if-tests,sim,$(SIM_RUN))
	@$(call listed-if-tests,planted,$(PLANTED_RUN))
	@$(call listed-if-tests,crash,$(CRASH_RUN))
	@$(call listed-if-tests,figures,$(FIGURES_RUN))

##@ On demand

.PHONY: bench
bench: build ## Measure this machine and the engine; writes docs/benchmarks.md
	./bin/unwind bench --write docs/benchmarks.md

.PHONY: storms
storms: build ## Let every storm loose; writes docs/storms.md and its pictures
	./bin/unwind storm --write docs/storms.md

.PHONY: microbench
microbench: ## Go benchmarks; BENCH=regexp picks some
	@$(call each-module,$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(PKGS))

.PHONY: fuzz
fuzz: ## Every Fuzz target for FUZZTIME each (10s)
	@found=0; \
	for pkg in $$($(GO) list $(PKGS)); do \
		targets=$$($(GO) test -list '^Fuzz' $$pkg | { grep '^Fuzz' || true; }); \
		for target in $$targets; do \
			found=$$((found + 1)); echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done; \
	if ((found == 0)); then echo "no Fuzz target in $(PKGS)"; exit 1; fi

.PHONY: cover
cover: ## Statements covered, the total last; coverage.out for go tool cover
	@$(GO) test -short -coverpkg=$(COVERPKG) -coverprofile=coverage.out $(PKGS)
	@$(GO) tool cover -func=coverage.out | tail -n 1

# The version is part of the name, so a new one is installed when it changes.
$(GOLANGCI):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

# $(call some-tests,PACKAGES,RUN,FLAGS) runs the tests that match and fails when
# none does: go test alone is content with packages and patterns that match nothing.
# Packages come first: behind a flag of the tests' own they would be its arguments.
define some-tests
listing=$$($(GO) test $(1) $(3) -list '$(2)'); \
names=$$(grep '^Test' <<<"$$listing" || true); \
if [[ -z $$names ]]; then echo "make $@: no test matches $(2) in $(1)"; exit 1; fi; \
pkgs=$$(awk '/^Test/ { found = 1 } /^ok/ { if (found) print $$2; found = 0 }' <<<"$$listing"); \
echo "make $@:" $$names; \
$(GO) test $$pkgs $(3) -run '$(2)'
endef

# $(call listed-if-tests,TIER,RUN) compares the tree with TIERS. The other modules
# have no tiers: race runs all their tests.
define listed-if-tests
if [[ " $(TIERS) " != *" $(1) "* ]]; then \
	files=$$(grep -rlE --include='*_test.go' --exclude-dir=testdata $(addprefix --exclude-dir=,$(SUBMODULES)) 'func $(2:^%=%)' . || true); \
	if [[ -n $$files ]]; then echo "the tier $(1) has tests but is not in TIERS:" $$files; exit 1; fi; \
	echo "make test: there is no test of the tier $(1) yet"; \
fi
endef
