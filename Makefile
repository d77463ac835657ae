# Every target installs what it lacks (see scripts/with-tools) and works offline once it has run.
# CONTRIBUTORS: recipes are run by /bin/sh; nothing here may need more than make and a POSIX shell.

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo demo-browser test lint bench fresh-machine

help: ## say what the targets do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## build, and confirm an identity to a portal with the embedded software token; CARD=uec, CARD=piv: with a virtual card
	@if [ -n "$(CARD)" ]; then scripts/with-tools pcscd vpcd -- scripts/demo-card "$(CARD)"; else scripts/with-tools -- scripts/demo; fi

demo-browser: ## the same on a desktop, in Chromium or Firefox (BROWSER=firefox) with the plugin
	@scripts/demo-browser

test: ## run every test: SoftHSM's, on cards behind a real pcscd, the extension's, and in real browsers
	@scripts/with-tools softhsm openssl gost-engine pkcs11-tool ps pcscd vpcd yubico-piv-tool libclang -- scripts/test

lint: ## format, clippy, docs, the JavaScript's types, cargo-deny where it is installed; warnings are errors
	@scripts/with-tools rustfmt clippy node npm -- scripts/lint

bench: ## measure signing, confirming and verifying on this machine, beside ssh-agent and OpenSSL
	@scripts/with-tools softhsm openssl gost-engine pkcs11-tool ssh pcscd vpcd -- \
		cargo run --release --locked -p system-tests --bin bench

fresh-machine: ## as root: do lint, test and demo in a bare chroot, with the network and then without
	@scripts/fresh-machine
