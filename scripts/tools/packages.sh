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
        openssl|pkcs11-tool|ps|Xvfb|pinentry-gtk-2|yubico-piv-tool) command -v "$1" >/dev/null ;;
        pcscd) pcscd_is_there ;;
        vpcd) vpcd_driver ;;
        libclang) libclang && clang_headers ;;
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

# Only ever started by tests, on sockets of their own; it is in no ordinary user's PATH. Installing
# it in a container starts nothing; on a desktop systemd listens for it, as for anyone's reader.
pcscd_is_there() {
    for program in /usr/sbin/pcscd /usr/local/sbin/pcscd /usr/bin/pcscd; do
        [ -x "$program" ] && return 0
    done
    return 1
}

vpcd_driver() {
    for driver in /usr/lib/pcsc/drivers/serial/libifdvpcd.so /usr/local/lib/pcsc/drivers/serial/libifdvpcd.so; do
        [ -f "$driver" ] && return 0
    done
    return 1
}

libclang() {
    for library in "${LIBCLANG_PATH:-/nonexistent}"/libclang*.so* /usr/lib/llvm-*/lib/libclang*.so* \
        /usr/lib/*/libclang*.so* /usr/lib/libclang*.so* /usr/lib64/libclang*.so* /usr/local/lib/libclang*.so*; do
        case $library in *libclang-cpp*) continue ;; esac
        [ -f "$library" ] && return 0
    done
    return 1
}

# The compiler's own headers, which come apart from the library: stddef.h.
clang_headers() {
    for header in /usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib/clang/*/include/stddef.h \
        /usr/lib64/clang/*/include/stddef.h /usr/local/lib/clang/*/include/stddef.h; do
        [ -f "$header" ] && return 0
    done
    return 1
}

# Debian names the headers after the version that its libclang1 has.
clang_packages() {
    version=$(LC_ALL=C apt-cache $apt_sources depends libclang1 2>/dev/null | sed -n 's/^ *Depends: libclang1-\([0-9]*\).*/\1/p' | head -n 1)
    echo "libclang1 libclang-common-${version:-14}-dev"
}

package_of() {
    case $1 in
        cc) echo gcc libc6-dev ;;
        softhsm) echo softhsm2 ;;
        pkcs11-tool) echo opensc ;;
        vpcd) echo vsmartcard-vpcd ;;
        libclang) clang_packages ;;
        gost-engine) echo libengine-gost-openssl ;;
        ps) echo procps ;;
        pinentry) echo pinentry-qt ;;
        ssh) echo openssh-client ;;
        Xvfb) echo xvfb ;;
        pinentry-gtk-2) echo pinentry-gtk2 fonts-dejavu-core ;;
        ca-certificates|openssl|npm|pcscd|yubico-piv-tool) echo "$1" ;;
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
