# Finding, or getting, a Rust that is new enough. What is found is put on PATH.

RUSTUP_AUTO_INSTALL=0       # a look must never download a toolchain
export RUSTUP_AUTO_INSTALL
rust_packages=

# The one place the version is written down.
wanted_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml; }

# at_least HAVE WANT: compares MAJOR.MINOR.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# rust_is_usable WANTED COMPONENT...: judges cargo and rustc as PATH gives them.
rust_is_usable() {
    have=$(rustc --version 2>/dev/null | cut -d ' ' -f 2)
    [ -n "$have" ] && at_least "$have" "$1" || return 1
    have=$(cargo --version 2>/dev/null | cut -d ' ' -f 2)
    [ -n "$have" ] && at_least "$have" "$1" || return 1
    shift
    for component in "$@"; do
        cargo "${component#rust}" --version >/dev/null 2>&1 || return 1
    done
}

# find_rust WANTED COMPONENT...: PATH as it is, then the places where rustup and
# the distributions put a Rust (Ubuntu's rustc-1.NN live in /usr/lib/rust-1.NN),
# then every toolchain rustup already has.
find_rust() {
    rust_is_usable "$@" && return
    plain_path=$PATH
    cargo_bin=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
    for dir in "$cargo_bin" $(ls -d /usr/lib/rust-*/bin 2>/dev/null | sort -rV) /usr/local/bin /usr/bin; do
        [ -x "$dir/cargo" ] || continue
        PATH=$dir:$plain_path
        rust_is_usable "$@" && export PATH && return
    done
    PATH=$plain_path
    [ ! -x "$cargo_bin/rustup" ] || PATH=$cargo_bin:$PATH
    command -v rustup >/dev/null || return 1
    for RUSTUP_TOOLCHAIN in $(rustup toolchain list 2>/dev/null | cut -d ' ' -f 1 | sort -rV); do
        export RUSTUP_TOOLCHAIN
        rust_is_usable "$@" && export PATH && return
    done
    unset RUSTUP_TOOLCHAIN
    return 1
}

# rust_from_rustup WANTED COMPONENT...: only where the person has rustup.
rust_from_rustup() {
    command -v rustup >/dev/null || return 1
    if rust_is_usable "$1"; then
        say "rustup component add$(shift; printf ' %s' "$@")"
        (shift; rustup component add "$@" >&2) && rust_is_usable "$@" && return
    fi
    say "rustup toolchain install stable"
    rustup toolchain install stable --profile minimal --component rustfmt --component clippy >&2 || {
        say "rustup could not bring a newer Rust; trying the distribution's"
        return 1
    }
    RUSTUP_TOOLCHAIN=stable
    export RUSTUP_TOOLCHAIN
    rust_is_usable "$@"
}

# best_family WANTED: the suffix (none, -web, -1.91, ...) of the newest of the
# distribution's Rusts, fails when that is older than WANTED.
best_family() {
    newest=$(apt-cache $apt_sources pkgnames cargo 2>/dev/null | grep -E '^cargo(-web|-[0-9]+\.[0-9]+)?$' |
        while read -r cargo; do
            suffix=${cargo#cargo}
            version=$(candidate "rustc$suffix")
            [ -z "$version" ] || echo "${version#*:} $suffix"
        done | sort -V | tail -n 1)
    [ -n "$newest" ] && at_least "${newest%% *}" "$1" || return 1
    echo "${newest#* }"
}

# choose_rust_packages WANTED COMPONENT...: sets rust_packages.
choose_rust_packages() {
    best_family "$1" >/dev/null || [ "$apt_updated" = yes ] || apt_update
    best_family "$1" >/dev/null || add_security_suite || :
    if family=$(best_family "$1"); then
        rust_packages="rustc$family cargo$family"
        shift
        for component in "$@"; do
            case $component in
                rustfmt) rust_packages="$rust_packages rustfmt$family" ;;
                clippy) rust_packages="$rust_packages rust$family-clippy" ;;
            esac
        done
    elif apt_knows rustup; then
        rust_packages=rustup
    else
        die "this distribution has no Rust >= $1 (tried rustc, rustc-web, rustc-1.NN and rustup)." \
            "On Ubuntu, enable the universe component and the updates suite; elsewhere install Rust >= $1 by rustup." \
            "Then run this again: it uses whichever cargo is on PATH or in ~/.cargo/bin."
    fi
}
