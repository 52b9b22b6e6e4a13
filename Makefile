# Verbs only. `make run ACCEPT_EULA=yes` tries the broker, `make test` is what CI runs; the steps of the longer verbs stand in .ci/.

VERSION  := $(shell .ci/version 2>/dev/null)
LDFLAGS  := -s -w $(if $(VERSION),-X main.version=$(VERSION))
FUZZTIME ?= 30s
BENCH    ?= .
SUITE    ?= .
LOADTIME ?= 1s
BIN      := bin
REPO_KEY ?= $(HOME)/.config/vernemq/repo-key.asc
RELEASE_KEY ?= $(HOME)/.config/vernemq/release-key.pem
IMAGE_KEY ?= $(HOME)/.config/vernemq/image-key.pem
LINT     := go tool -modfile=.ci/tools/go.mod golangci-lint

.PHONY: build run test check race fuzz bench crash overload prove packages container image image-key repo repo-key release release-key clean footprint

build:
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/vernemq ./appliance/cmd/vernemq
	@ln -sf vernemq $(BIN)/vmq-admin
	@ln -sf vernemq $(BIN)/vmq-passwd

run: build
	@.ci/foreground '$(ACCEPT_EULA)'

test: build
	@.ci/test

check:
	$(LINT) run ./...
	cd .ci/container && go tool -modfile=../tools/go.mod golangci-lint run --config ../../.golangci.yml ./...

race:
	@.ci/race ./...

fuzz:
	@.ci/fuzz $(FUZZTIME)

bench: build
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	@.ci/bench '$(SUITE)' '$(LOADTIME)'

crash:
	go test ./broker/node -run '^TestCrash$$' -crash.kills=300 -count=1 -v -timeout 30m

overload:
	go test ./broker/node -run '^TestOverload$$' -overload.time=5m -count=1 -v -timeout 30m

prove: test crash overload
	@.ci/race -count=3 ./...
	@.ci/fuzz 5m
	@.ci/bench-store
	@.ci/bench-bystander
	@.ci/prove-packages
	@.ci/prove-container
	@.ci/prove-repo
	@.ci/prove-release
	@.ci/prove-image
	@ARCH=arm64 .ci/prove-image

container:
	@.ci/build-container $(ARCH)

packages:
	@.ci/packages $(ARCH)

image:
	@.ci/image '$(or $(ARCH),amd64)' '$(IMAGE_KEY)'

image-key: build
	@$(BIN)/vernemq image key '$(abspath $(IMAGE_KEY))'

repo-key:
	@.ci/repo-key '$(REPO_KEY)'

repo:
	@REPO_KEY='$(REPO_KEY)' REPO_URL='$(REPO_URL)' .ci/repo

release-key:
	@.ci/release-key '$(RELEASE_KEY)'

release:
	@REPO_KEY='$(REPO_KEY)' REPO_URL='$(REPO_URL)' RELEASE_KEY='$(RELEASE_KEY)' .ci/release

footprint:
	go test ./appliance/house -run '^TestFootprint$$' -count=1 -update

clean:
	rm -rf bin run dist
