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
        version=$(cargo "${component#rust}" --version 2>/dev/null) || return 1
        # Clippy 0.1.N belongs to Rust 1.N, and judges wrongly beside another.
        [ "$component" != clippy ] || case "$version " in *"${have%.*}"[.\ ]*) ;; *) return 1 ;; esac
    done
}

# find_rust WANTED COMPONENT...: PATH as it is, then the places where rustup and
# the distributions put a Rust (Ubuntu's rustc-1.NN live in /usr/lib/rust-1.NN),
# then every toolchain rustup already has.
find_rust() {
    rust_is_usable "$@" && return
    plain_path=$PATH
    cargo_bin=${CARGO_HOME:-${HOME:-}/.cargo}/bin
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

# rust_from_rustup WANTED COMPONENT...: only where the person has rustup. What
# it says of its success is not believed (it also updates itself, and fails for
# that); the toolchain is tried instead.
rust_from_rustup() {
    command -v rustup >/dev/null || return 1
    if rust_is_usable "$1"; then
        say "rustup component add$(shift; printf ' %s' "$@")"
        (shift; rustup component add "$@" >&2) || :
        rust_is_usable "$@" && return
    fi
    say "rustup toolchain install stable"
    rustup toolchain install stable --no-self-update --profile minimal \
        --component rustfmt --component clippy >&2 || :
    RUSTUP_TOOLCHAIN=stable
    export RUSTUP_TOOLCHAIN
    rust_is_usable "$@" && return
    unset RUSTUP_TOOLCHAIN
    say "rustup brought no Rust >= $1; trying the distribution's"
    return 1
}

# best_family WANTED COMPONENT...: the suffix (none, -web, -1.91, ...) of the
# newest of the distribution's Rusts that has the components in the same
# version; fails when there is none as new as WANTED.
best_family() {
    wanted_version=$1
    shift
    newest=$(apt-cache $apt_sources pkgnames cargo 2>/dev/null | grep -E '^cargo(-web|-[0-9]+\.[0-9]+)?$' |
        while read -r cargo; do
            suffix=${cargo#cargo}
            version=$(candidate "rustc$suffix")
            [ -n "$version" ] && at_least "${version#*:}" "$wanted_version" || continue
            for package in $(rust_packages_of "$suffix" any "$@"); do
                [ "$(candidate "$package")" = "$version" ] || continue 2
            done
            echo "${version#*:} $suffix"
        done | sort -V | tail -n 1)
    [ -n "$newest" ] && echo "${newest#* }"
}

# Where apt has no lists yet: Debian's newer Rust, or the pattern of Ubuntu's.
guess_family() {
    if grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null; then echo -1.NN; else echo -web; fi
}

# rust_packages_of SUFFIX WANTED COMPONENT...
rust_packages_of() {
    printf 'rustc%s cargo%s' "$1" "$1"
    suffix=$1
    shift 2
    for component in "$@"; do
        case $component in
            rustfmt) printf ' rustfmt%s' "$suffix" ;;
            clippy) printf ' rust%s-clippy' "$suffix" ;;
        esac
    done
}

# choose_rust_packages WANTED COMPONENT...: sets rust_packages.
choose_rust_packages() {
    best_family "$@" >/dev/null || [ "$apt_updated" = yes ] || apt_update
    best_family "$@" >/dev/null || add_security_suite || :
    if family=$(best_family "$@"); then
        rust_packages=$(rust_packages_of "$family" "$@")
    elif apt_knows rustup; then
        rust_packages=rustup
    else
        die "this distribution has no Rust >= $1 (tried rustc, rustc-web, rustc-1.NN and rustup)." \
            "On Debian, enable the security suite; on Ubuntu the updates suite and universe; elsewhere install Rust >= $1 by rustup." \
            "Then run this again: it uses whichever cargo is on PATH or in ~/.cargo/bin."
    fi
}
