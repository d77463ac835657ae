# The crates of Cargo.lock. After this every cargo command runs without the
# network, so a build cannot be surprised by it half-way.

fetch_crates() {
    host=$(rustc -vV | sed -n 's/^host: //p')
    if ! cargo fetch --quiet --locked --offline --target "$host" 2>/dev/null; then
        say "fetching the crates of Cargo.lock"
        [ -t 2 ] && quiet= || quiet=--quiet         # a line per crate is only noise in a log
        CARGO_NET_OFFLINE=false CARGO_NET_RETRY=${CARGO_NET_RETRY:-5} cargo fetch $quiet --locked --target "$host" ||
            die "cargo could not fetch the crates; its own words are above." \
                "The first run needs the network. Behind a proxy set https_proxy, for a certificate of its own SSL_CERT_FILE." \
                "If it says that Cargo.lock needs to be updated, the manifests were changed: run cargo check once and commit the lock file."
    fi
    CARGO_NET_OFFLINE=true
    export CARGO_NET_OFFLINE
}
