# Which tools there are, how to see that one is present, and the distribution's
# package that brings it. Presence is tried, never looked up in a package
# database: a tool that came some other way is as good.

has_tool() {
    case $1 in
        cc) printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' |
            cc -x c -o /dev/null - 2>/dev/null ;;
        ca-certificates) [ -s "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" ] ||
            [ -s "${CARGO_HTTP_CAINFO:-/nonexistent}" ] ;;
        softhsm) command -v softhsm2-util >/dev/null && softhsm_module ;;
        openssl|pkcs11-tool|ps|Xvfb|pinentry-gtk-2) command -v "$1" >/dev/null ;;
        gost-engine) OPENSSL_CONF=/dev/null openssl engine gost >/dev/null 2>&1 ;;
        pinentry) pinentry_with_a_window ;;
        ssh) command -v ssh-agent >/dev/null && command -v ssh-add >/dev/null ;;
        node) node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null ;;
        npm) npm --version >/dev/null 2>&1 ;;
        chromium) real_browser "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/google-chrome-stable ;;
        firefox) real_browser "${FIREFOX:-}" /usr/bin/firefox-esr /usr/bin/firefox ;;
    esac
}

# Ubuntu's browsers in /usr/bin are scripts that start a snap, and a snap sees
# neither a temporary profile nor an unpacked extension.
real_browser() {
    for browser; do
        [ -x "$browser" ] && ! head -c 4096 "$browser" | grep -aq snap && return 0
    done
    return 1
}

pinentry_with_a_window() {
    for flavour in gnome3 qt qt6 qt5 gtk-2 fltk mac; do
        command -v "pinentry-$flavour" >/dev/null && return 0
    done
    return 1
}

softhsm_module() {
    for module in "${SOFTHSM2_MODULE:-}" /usr/lib/softhsm/libsofthsm2.so \
        /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm2.so \
        /usr/lib64/pkcs11/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so; do
        [ -f "$module" ] && return 0
    done
    return 1
}

package_of() {
    case $1 in
        cc) echo gcc libc6-dev ;;
        softhsm) echo softhsm2 ;;
        pkcs11-tool) echo opensc ;;
        gost-engine) echo libengine-gost-openssl ;;
        ps) echo procps ;;
        pinentry) echo pinentry-qt ;;
        ssh) echo openssh-client ;;
        Xvfb) echo xvfb ;;
        pinentry-gtk-2) echo pinentry-gtk2 fonts-dejavu-core ;;
        ca-certificates|openssl|npm) echo "$1" ;;
        node) echo nodejs ;;
        chromium) no_snap CHROMIUM Chromium && echo chromium ;;
        firefox) no_snap FIREFOX Firefox && echo firefox-esr ;;
        *) die "with-tools knows no tool called $1" ;;
    esac
}

# Debian packages its browsers; Ubuntu has snaps instead, which do not serve here.
no_snap() {
    ! grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null || die "the browser tests need a $2 that is no snap, and Ubuntu packages none." \
        "Install one from its maker's .deb, and set $1=PATH if it is not in /usr/bin; or run the tests on Debian." \
        "Everything but the browsers is tested by:  scripts/test --workspace"
}

missing_packages() {
    for tool in "$@"; do
        has_tool "$tool" || package_of "$tool"
    done | tr '\n' ' ' | sed 's/ *$//'
}
