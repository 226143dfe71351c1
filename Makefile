# Everything here runs on a fresh Debian or Ubuntu with Go, as root; each
# target installs what it needs from the distribution's packages first.

GO      ?= go
SHELL   := /bin/bash
DEMO    ?=
# What .ci/run, or a caller, sets to 1 so that a test that cannot run fails
# instead of skipping.
NOSKIP  ?= $(NETBOOTKIT_TEST_NOSKIP)

# What measures memory: the race detector takes some for itself.
MEMORY  := -run Memory ./internal/ext ./internal/isomaster ./internal/resident ./internal/tartree ./isobuild/...

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: ## boot a QEMU machine through a private network; DEMO="-path bios|uefi|http"
	@.ci/setup demo
	@$(MAKE) --no-print-directory bin/netboot bin/demo
	@bin/demo -netboot bin/netboot $(DEMO)

.PHONY: test
test: ## every rung: unit, golden, oracle, and the virtual machines that fit
	@.ci/setup test
	$(GO) vet ./...
	$(MAKE) --no-print-directory cross
	NETBOOTKIT_TEST_NOSKIP=$(NOSKIP) $(GO) test -race -shuffle=on -timeout=25m ./...
	$(GO) test $(MEMORY)
	cd artifacts/sigstore && $(GO) vet ./... && $(GO) test -race -shuffle=on ./...

# At the end, the same bytes without the assembler of what packs.
.PHONY: test-all
test-all: lint fuzz ## the full matrix: lint, fuzzing, all virtual machines
	@.ci/setup test-all
	NETBOOTKIT_TEST_NOSKIP=1 NETBOOTKIT_TEST_ALL=1 $(GO) test -count=1 -race -shuffle=on -timeout=60m ./...
	NETBOOTKIT_TEST_ALL=1 $(GO) test -count=1 $(MEMORY)
	$(GO) test -count=1 -tags noasm -run 'Bytes|Digest|AlwaysTheSame' ./isobuild/... ./diskimage
	cd artifacts/sigstore && $(GO) test -count=1 -race -shuffle=on ./...

.PHONY: bench
bench: ## compare with what people use today, all in one run
	@.ci/setup bench
	@$(MAKE) --no-print-directory bin/netboot bin/rootfs bin/isobuilder
	$(GO) run ./internal/bench -netboot bin/netboot -rootfs bin/rootfs -isobuilder bin/isobuilder

.PHONY: cross
cross: ## compile for the other systems
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=linux GOARCH=386 CGO_ENABLED=0 $(GO) vet ./...

LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
.PHONY: lint
lint: ## golangci-lint at the version that the configuration was written for
	$(GO) run $(LINT) run ./...
	cd artifacts/sigstore && $(GO) run $(LINT) run ./...

FUZZTIME ?= 10s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz || true); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

.PHONY: bin/netboot bin/rootfs bin/isobuilder bin/demo
bin/netboot:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o $@ ./examples/netboot
bin/rootfs:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o $@ ./examples/rootfs
bin/isobuilder:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o $@ ./examples/isobuilder
bin/demo:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -o $@ ./internal/vmtest/demo

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
