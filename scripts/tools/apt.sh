# Installing through apt-get. None of the packages we name starts a service, and
# recommendations are left out, so no policy-rc.d is needed.

apt_sources=                # options that add the security suite for our calls only
apt_updated=no

# apt_ready PACKAGES WANTED_RUST COMPONENT...: stops with the names of what is
# missing when nothing could be installed anyway; otherwise sees that apt knows
# the packages. PACKAGES is one word, perhaps empty.
apt_ready() {
    packages=$1 lacking=$1
    shift
    [ "$rust_found" = yes ] || lacking="${lacking:+$lacking, and }Rust >= $1 (cargo$(shift; printf ', %s' rustc "$@"))"
    command -v apt-get >/dev/null || die "this needs $lacking, and there is no apt-get to install them with." \
        "Install them with your system's own package manager (Debian's names are given) and run this again."
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null; then
        as_root=sudo
        [ -t 0 ] || as_root='sudo -n'
    else
        [ "$rust_found" = yes ] || packages="${packages:+$packages }$(rust_packages_of "$(best_family "$@" || guess_family)" "$@")"
        die "this needs $lacking; you are not root and there is no sudo." \
            "As root, run:  apt-get update && apt-get install --no-install-recommends $packages"
    fi
    say "missing here: $lacking"
    apt_knows $packages || apt_update
}

# dpkg's line for every step of every package is left out; the rest is shown.
apt_get() {
    status=$({
        {
            $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q \
                -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 $apt_sources "$@" </dev/null 2>&1 &&
                echo 0 >&3 || echo 1 >&3
        } | grep -vE '^(Get:|Ign:|Selecting|Preparing|Unpacking|Setting up|Processing|\(Reading|update-alternatives:)' >&2
    } 3>&1)
    [ "$status" = 0 ]
}

# candidate PACKAGE: the version apt would install, empty when it knows none.
candidate() {
    LC_ALL=C apt-cache $apt_sources policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)$/\1/p'
}

apt_knows() {
    for package in "$@"; do
        [ -n "$(candidate "$package")" ] || return 1
    done
}

# A suite that cannot be read may be one we do not need, so a failure is told
# here and judged when packages turn out to be missing. apt's own exit code
# would call it a success.
apt_update() {
    apt_updated=yes
    say "apt-get update"
    apt_get -o APT::Update::Error-Mode=any update && return
    apt_knows gcc || die "apt-get could not read its package lists; its own words are above." \
        "The first run needs the network. If a Release file is 'not valid yet' or 'expired', set the clock (it says $(date -u));" \
        "for a frozen mirror, put  Acquire::Check-Valid-Until \"false\";  into a file in /etc/apt/apt.conf.d."
    say "apt-get update failed in part; going on with what it could read"
}

apt_install() {
    [ $# -gt 0 ] || return 0
    say "apt-get install $* (downloads and unpacks for a minute or two)"
    apt_get install -y --no-install-recommends --no-remove "$@" && return
    if [ "$apt_updated" = no ]; then
        apt_update
        apt_get install -y --no-install-recommends --no-remove "$@" && return
    fi
    die "apt-get could not install: $*" \
        "Its own words are above. What usually helps:" \
        " - 'Failed to fetch': the first run needs the network" \
        " - 'Unable to locate': enable the main (on Ubuntu also the universe) component and the updates and security suites" \
        " - 'Packages need to be removed': an older Rust package is in the way; remove it, then run this again" \
        " - 'a password is required': run 'sudo -v' first, or install the packages above as root"
}

# Debian keeps its newer Rust (rustc-web) in the security suite, which a bare
# debootstrap does not list. It is added for our calls, from the same mirror,
# and the machine's own sources stay as they are.
add_security_suite() {
    [ -z "$apt_sources" ] || return 1
    uris=$(LC_ALL=C apt-get --print-uris update 2>/dev/null)
    main=$(echo "$uris" | sed -n "s|^'\([a-z]*://[^']*/debian\)/*/dists/\([a-z]*\)/InRelease'.*|\1 \2|p" | head -n 1)
    [ -n "$main" ] || return 1
    mirror=${main% *} suite=${main#* }
    case $uris in *"/dists/$suite-security/"*) return 1 ;; esac
    parts=$(mktemp -d)
    trap 'rm -rf "$parts"' EXIT
    cp /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$parts" 2>/dev/null || :
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -f "$keyring" ] && signed="[signed-by=$keyring] " || signed=
    echo "deb $signed$mirror-security $suite-security main" >"$parts/eid-security.list"
    chmod -R a+rX "$parts"
    apt_sources="-o Dir::Etc::SourceParts=$parts"
    say "looking for a newer Rust in $suite-security (your own apt sources stay as they are)"
    apt_update
}

# with-tools ends in exec, which no trap outlives.
forget_security_suite() {
    [ -z "$apt_sources" ] || rm -rf "${apt_sources#*=}"
    apt_sources=
}
