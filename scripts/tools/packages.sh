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
        openssl|pkcs11-tool|ps) command -v "$1" >/dev/null ;;
        ssh) command -v ssh-agent >/dev/null && command -v ssh-add >/dev/null ;;
    esac
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
        ps) echo procps ;;
        ssh) echo openssh-client ;;
        ca-certificates|openssl) echo "$1" ;;
        *) die "with-tools knows no tool called $1" ;;
    esac
}

missing_packages() {
    for tool in "$@"; do
        has_tool "$tool" || package_of "$tool"
    done | tr '\n' ' ' | sed 's/ *$//'
}
