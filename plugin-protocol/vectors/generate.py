#!/usr/bin/env python3
"""Writes the test vectors of PROTOCOL.md, from its text alone.

This is a second implementation, in Python's standard library, that shares no
code with the crate: what both get wrong, both must have misread. ECDSA is
deterministic here (RFC 6979), so a second run changes nothing. The keys are
published test keys: RFC 6979 A.2.5 (plugin) and RFC 7515 A.3 (agent).

    python3 plugin-protocol/vectors/generate.py
"""

import base64
import hashlib
import hmac
import json
import pathlib

HERE = pathlib.Path(__file__).parent

# --- ECDSA on P-256 (FIPS 186-5), nonces of RFC 6979 ---

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def rfc6979(d, digest):
    def mac(key, data):
        return hmac.new(key, data, hashlib.sha256).digest()

    seed = d.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32
    for step in (b"\x00", b"\x01"):
        k = mac(k, v + step + seed)
        v = mac(k, v)
    while True:
        v = mac(k, v)
        candidate = int.from_bytes(v, "big")
        if 1 <= candidate < N:
            return candidate
        k = mac(k, v + b"\x00")
        v = mac(k, v)


def sign(d, message):
    digest = hashlib.sha256(message).digest()
    k = rfc6979(d, digest)
    r = multiply(k, G)[0] % N
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * d) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- the notation of section 1 ---


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Key:
    def __init__(self, d):
        self.d = d
        x, y = multiply(d, G)
        self.jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64url(x.to_bytes(32, "big")),
            "y": b64url(y.to_bytes(32, "big")),
        }
        self.thumbprint = sha256(canonical(self.jwk).encode())
        self.keyid = b64url(self.thumbprint)
        self.private = f"{d:064x}"


PLUGIN = Key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
AGENT = Key(int.from_bytes(base64.urlsafe_b64decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI="), "big"))
assert f"{multiply(PLUGIN.d, G)[0]:X}" == "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
assert AGENT.jwk["x"] == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
# RFC 6979 A.2.5, message "sample".
assert sign(PLUGIN.d, b"sample").hex().upper().startswith("EFD48B2AACB6A8FD1140DD9CD45E81D6")

CHALLENGE = b64(bytes(range(32)))
ORIGIN = "https://portal.example"


def write(name, kind, about, cases):
    document = {"kind": kind, "about": about, "cases": cases}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (HERE / f"{name}.json").write_text(text, encoding="utf-8")


# --- section 1 ---


def origins():
    accepted = [
        ("https://www.gosuslugi.ru", []),
        ("https://a.b:8443", []),
        ("https://a", []),
        ("http://localhost", ["insecure"]),
        ("http://localhost:8080", ["insecure"]),
        ("http://portal.localhost:3000", ["insecure"]),
        ("http://127.0.0.1:1", ["address", "insecure"]),
        ("http://127.255.255.254", ["address", "insecure"]),
        ("https://127.0.0.1", ["address"]),
        ("https://192.0.2.1:65535", ["address"]),
        ("https://[::1]:8443", ["address"]),
        ("http://[::1]", ["address", "insecure"]),
        ("https://[2001:db8::1]", ["address"]),
        ("https://xn--80ak6aa92e.com", ["punycode"]),
        ("https://a.xn--e1afmkfd.xn--p1ai", ["punycode"]),
        ("https://1.example", []),
        ("https://a_b.example", []),
        ("https://a-.example", []),
        ("https://a:80", []),
        ("http://localhost:443", ["insecure"]),
        ("https://" + ".".join(["a" * 63] * 3), []),
    ]
    refused = [
        "", "null", "https", "https:", "https:/a", "https://", "//a", "a", "portal.example",
        "ftp://a", "file:///a", "HTTPS://a", "Https://a", " https://a", "https://a ", "https://a\n", "https://a\x00",
        "http://example.org", "http://192.0.2.1", "http://localhost.example", "http://[2001:db8::1]", "ws://localhost",
        "https://A.b", "https://a/", "https://a/b", "https://a?b", "https://a#b", "https://a b", "https://a\\b",
        "https://пример.рф", "https://exam%70le", "https://u@a", "https://u:p@a", "https://a@", "https://*.example",
        "https://a..b", "https://.a", "https://a.", "https://" + "a" * 64 + ".b",
        "https://127.1", "https://0x7f.1", "https://a.0x7f", "https://017.0.0.1", "https://1.2.3.256", "https://1.2.3",
        "https://1.2.3.4.5", "https://2130706433", "https://1.2.3.04",
        "https://[::1", "https://::1", "https://[0:0::1]", "https://[::FF]", "https://[::ffff:1.2.3.4]",
        "https://[fe80::1%25eth0]", "https://[::1]a", "https://[]",
        "https://a:443", "http://localhost:80", "https://a:0", "https://a:", "https://a:080", "https://a:65536",
        "https://a:+1", "https://a:-1", "https://a:1a", "https://a:8443/x", "https://a:1:2", "https://[::1]:443",
        "https://" + ".".join(["a" * 62] * 4),
    ]
    return [{"text": text, "accepted": True, "warnings": warnings} for text, warnings in accepted] + [
        {"text": text, "accepted": False} for text in refused
    ]


def challenges():
    texts = [
        CHALLENGE, "a" * 31, "a" * 32, "a" * 43, "a" * 44, "a" * 128, "a" * 129, "", "A+/-_=" * 8, "=" * 44,
        " " * 44, "a" * 43 + "\n", "a" * 43 + ".", "я" * 22, "a" * 43 + "\x00", "a" * 43 + "~", '"' * 44,
    ]
    alphabet = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
    return [
        {
            "text": text,
            "accepted": (legal := set(text) <= alphabet and 32 <= len(text) <= 128),
            "bound_formats": legal and len(text) >= 44,
        }
        for text in texts
    ]


# --- section 5 ---


def thumbprints():
    jwk = PLUGIN.jwk
    exported = {"alg": "ES256", "crv": "P-256", "ext": True, "key_ops": ["verify"], "kty": "EC", "x": jwk["x"], "y": jwk["y"]}
    accepted = [("RFC 6979 A.2.5", jwk), ("RFC 7515 A.3", AGENT.jwk), ("as WebCrypto exports it", exported)]
    refused = [
        ("another curve", {**jwk, "crv": "P-384"}),
        ("another type", {**jwk, "kty": "OKP"}),
        ("no y", {name: jwk[name] for name in ("crv", "kty", "x")}),
        ("x of 31 bytes", {**jwk, "x": b64url(bytes(31))}),
        ("x of 33 bytes", {**jwk, "x": b64url(bytes(33))}),
        ("padded x", {**jwk, "x": jwk["x"] + "="}),
        ("x in the other alphabet", {**jwk, "x": "+" * 43}),
        ("a number for y", {**jwk, "y": 5}),
    ]
    cases = []
    for name, key in accepted:
        bare = {member: key[member] for member in ("crv", "kty", "x", "y")}
        cases.append({
            "name": name, "jwk": key, "accepted": True, "canonical": canonical(bare),
            "thumbprint_hex": sha256(canonical(bare).encode()).hex(), "keyid": b64url(sha256(canonical(bare).encode())),
        })
    return cases + [{"name": name, "jwk": key, "accepted": False} for name, key in refused]


def pairings():
    cases = []
    for number in range(8):
        np, na = sha256(b"plugin nonce %d" % number), sha256(b"agent nonce %d" % number)
        cases.append(pairing(np, na))
    # A case whose digits begin with a zero: leading zeros are shown.
    na = next(na for i in range(1000) if pairing(bytes(32), na := i.to_bytes(32, "big"))["digits"].startswith("00"))
    return cases + [pairing(bytes(32), na)]


def pairing(np, na):
    commitment_input = b"eid-agent pairing commitment v1\x00" + PLUGIN.thumbprint + np
    digits_input = b"eid-agent pairing digits v1\x00" + PLUGIN.thumbprint + AGENT.thumbprint + np + na
    digits = f"{int.from_bytes(sha256(digits_input)[:8], 'big') % 1_000_000:06d}"
    return {
        "plugin_jwk": PLUGIN.jwk, "agent_jwk": AGENT.jwk, "plugin_nonce": b64url(np), "agent_nonce": b64url(na),
        "commitment_input_hex": commitment_input.hex(), "commitment": b64url(sha256(commitment_input)),
        "digits_input_hex": digits_input.hex(), "digits": f"{digits[:3]} {digits[3:]}",
    }


# --- section 6 ---


def content_digest(body):
    return f"sha-256=:{b64(sha256(body))}:"


def request(method, target_uri, body="", idempotency_key=None, created=1_795_642_692, nonce="AAECAwQFBgcICQoLDA0ODw"):
    components = '"@method" "@target-uri" "content-digest"' + (' "idempotency-key"' if idempotency_key else "")
    parameters = (
        f'({components});created={created};nonce="{nonce}";keyid="{PLUGIN.keyid}"'
        ';alg="ecdsa-p256-sha256";tag="eid-agent-request"'
    )
    digest = content_digest(body.encode())
    lines = [f'"@method": {method}', f'"@target-uri": {target_uri}', f'"content-digest": {digest}']
    if idempotency_key:
        lines.append(f'"idempotency-key": {idempotency_key}')
    base = "\n".join(lines + [f'"@signature-params": {parameters}'])
    signature = sign(PLUGIN.d, base.encode())
    return {
        "private_key_hex": PLUGIN.private, "jwk": PLUGIN.jwk, "method": method, "target_uri": target_uri, "body": body,
        "idempotency_key": idempotency_key, "created": created, "nonce": nonce, "content_digest": digest,
        "signature_input": "sig=" + parameters, "base": base, "base_hex": base.encode().hex(),
        "signature_hex": signature.hex(), "signature": f"sig=:{b64(signature)}:",
    }


CONFIRMATION = canonical({"challenge": CHALLENGE, "format": "jws", "origin": ORIGIN})


def requests():
    agent = "http://127.0.0.1:47290"
    return [
        request("POST", agent + "/v1/confirmations", CONFIRMATION, idempotency_key="7b1d"),
        request("POST", agent + "/v1/confirmations", CONFIRMATION),
        request("GET", agent + "/v1/info"),
        request("GET", agent + "/v1/events?since=12&wait=25", created=0, nonce="-" * 16),
        request("DELETE", agent.replace("47290", "65535") + "/v1/confirmations/abc", nonce="_" * 64),
    ]


def response(answered, status, body):
    parameters = (
        f'("@status" "content-digest" "signature";req;key="sig");created={answered["created"]};keyid="{AGENT.keyid}"'
        ';alg="ecdsa-p256-sha256";tag="eid-agent-response"'
    )
    digest = content_digest(body.encode())
    request_signature = bytes.fromhex(answered["signature_hex"])
    base = "\n".join([
        f'"@status": {status}', f'"content-digest": {digest}',
        f'"signature";req;key="sig": :{b64(request_signature)}:', f'"@signature-params": {parameters}',
    ])
    signature = sign(AGENT.d, base.encode())
    return {
        "private_key_hex": AGENT.private, "jwk": AGENT.jwk, "status": status, "body": body,
        "request_signature_hex": answered["signature_hex"], "created": answered["created"], "content_digest": digest,
        "signature_input": "sig=" + parameters, "base": base, "base_hex": base.encode().hex(),
        "signature_hex": signature.hex(), "signature": f"sig=:{b64(signature)}:",
    }


def responses():
    operation = '{"id":"abc","state":"awaiting_consent","expires_in":120}'
    first, *_, last = requests()
    return [response(first, 202, operation), response(first, 200, operation), response(last, 204, "")]


def refused_inputs():
    good_request, good_response = requests()[0]["signature_input"], responses()[0]["signature_input"]
    changes = [
        ("sig=", "sig1="), ("sig=", "sig= "), (";created=", "; created="), (";created=", ";created=0"),
        (";created=", ";created=+"), (";created=", ";created=-0"), (";tag=", ";expires=1;tag="), ('"@', '"@@'),
        ("ecdsa-p256-sha256", "hmac-sha256"), ("eid-agent", "eid_agent"), ('keyid="', 'keyid="='), ("(", "((",),
        ('"content-digest" ', ""), (";alg", ";ALG"),
    ]
    request_only = [
        (' "@target-uri"', ""), ('"@method" "@target-uri"', '"@target-uri" "@method"'),
        ('nonce="', 'nonce="."'), ("AAECAwQFBgcICQoLDA0ODw", "A" * 15), ("AAECAwQFBgcICQoLDA0ODw", "A" * 65),
        ("eid-agent-request", "eid-agent-response"),
    ]
    response_only = [(";req", ""), (';key="sig"', ""), ("eid-agent-response", "eid-agent-request")]

    def cases(which, good, pairs):
        yield {"of": which, "header": good, "accepted": True}
        for old, new in pairs:
            assert old in good, old
            yield {"of": which, "header": good.replace(old, new, 1), "accepted": False}
        for changed in (good + " ", good + ", sig2=()", "", "sig=", good.replace(PLUGIN.keyid, "").replace(AGENT.keyid, "")):
            yield {"of": which, "header": changed, "accepted": False}

    return list(cases("request", good_request, changes + request_only)) + list(
        cases("response", good_response, changes + response_only)
    )


# --- section 12 ---


def web_eid():
    cases = []
    for size in ("256", "384", "512"):
        def digest(text):
            return hashlib.new("sha" + size, text.encode()).digest()

        for family in ("ES", "RS", "PS"):
            tbs = digest(ORIGIN) + digest(CHALLENGE)
            cases.append({
                "origin": ORIGIN, "challenge": CHALLENGE, "algorithm": family + size, "to_be_signed_hex": tbs.hex(),
                "digest_hex": hashlib.new("sha" + size, tbs).hexdigest(),
            })
    return cases


CERTIFICATE = b"any bytes: only their hash matters here"


def statement(origin=ORIGIN, challenge=CHALLENGE, purpose="confirm_identity", time="2026-11-25T21:38:12Z"):
    return {
        "certificate_sha256": sha256(CERTIFICATE).hex(), "challenge": challenge, "origin": origin, "purpose": purpose,
        "time": time, "type": "eid-confirmation", "version": 1,
    }


def statements():
    cases = []
    for members, seconds in (
        (statement(), 1_795_642_692),
        (statement(purpose="sign_in", origin="http://127.0.0.1:8080", challenge="A+/-_=" * 8, time="1970-01-01T00:00:00Z"), 0),
        (statement(origin="https://xn--80ak6aa92e.com:8443", time="2099-12-31T23:59:59Z"), 4_102_444_799),
    ):
        cases.append({
            "accepted": True, "origin": members["origin"], "challenge": members["challenge"],
            "purpose": members["purpose"], "unix_time": seconds, "certificate": b64(CERTIFICATE),
            "canonical": canonical(members), "sha256_hex": sha256(canonical(members).encode()).hex(),
        })
    good = canonical(statement())
    refused = [
        ("a space", good.replace(":", ": ", 1)),
        ("a line feed at the end", good + "\n"),
        ("another order", json.dumps({"origin": ORIGIN, **statement()}, separators=(",", ":"))),
        ("an escape", good.replace("portal.example", "portal\\u002eexample")),
        ("an escaped slash", good.replace("https://", "https:\\/\\/")),
        ("a repeated member", good.replace('"version":1', '"version":1,"version":1')),
        ("one more member", good.replace('"version":1', '"version":1,"x":1')),
        ("a missing member", good.replace('"purpose":"confirm_identity",', "")),
        ("a number in another form", good.replace('"version":1', '"version":1.0')),
        ("no origin", good.replace(ORIGIN, "null")),
        ("a short challenge", good.replace(CHALLENGE, "a" * 31)),
        ("an unknown purpose", good.replace("confirm_identity", "anything")),
        ("a byte order mark", "\ufeff" + good),
        ("nothing", ""),
    ]
    return cases + [{"accepted": False, "name": name, "canonical": text} for name, text in refused]


def jws():
    cases = []
    intermediate = b"an intermediate"
    for algorithm, chain in (("ES256", [CERTIFICATE]), ("RS512", [CERTIFICATE, intermediate]), ("PS384", [CERTIFICATE])):
        header = {"alg": algorithm, "typ": "eid-confirmation+jws", "x5c": [b64(der) for der in chain]}
        signing_input = b64url(canonical(header).encode()) + "." + b64url(canonical(statement()).encode())
        cases.append({
            "algorithm": algorithm, "certificates": [b64(der) for der in chain], "header": canonical(header),
            "statement": canonical(statement()), "to_be_signed": signing_input,
            "sha256_hex": sha256(signing_input.encode()).hex(),
        })
    return cases


# Python has no Streebog: the two examples of RFC 6986 section 10.1 and 10.2, as the octets that X.509 and CMS hold.
STREEBOG = (
    (
        b"012345678901234567890123456789012345678901234567890123456789012",
        "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
        "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
        "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
    ),
    (
        "Се ветри, Стрибожи внуци, веютъ с моря стрелами на храбрыя плъкы Игоревы".encode("cp1251"),
        "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50",
        "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
        "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28",
    ),
)


def hash_functions():
    cases = []
    for message, streebog256, streebog512 in STREEBOG:
        digests = [("SHA-256", hashlib.sha256(message).hexdigest()), ("SHA-384", hashlib.sha384(message).hexdigest()),
                   ("SHA-512", hashlib.sha512(message).hexdigest()),
                   ("GOSTR3411-2012-256", streebog256), ("GOSTR3411-2012-512", streebog512)]
        cases += [{"hash_function": name, "message_hex": message.hex(), "digest_hex": digest} for name, digest in digests]
    return cases


def main():
    write("origin", "origin", "Section 1: what is an origin, and which deserve a second look.", origins())
    write("challenge", "challenge", "Section 1: what is a challenge, and which are long enough for bound formats.", challenges())
    write("thumbprint", "thumbprint", "Section 5: keys and their thumbprints (RFC 7638).", thumbprints())
    write("pairing", "pairing", "Section 5: the commitment and the six digits.", pairings())
    write("request-signature", "request-signature", "Section 6: signed requests.", requests())
    write("response-signature", "response-signature", "Section 6: signed answers.", responses())
    write("signature-input", "signature-input", "Section 6: the only spelling of Signature-Input.", refused_inputs())
    write("hash-function", "hash-function", "Section 7: the hash functions by their names.", hash_functions())
    write("web-eid", "web-eid", "Section 12: the bytes signed by web-eid:1.0.", web_eid())
    write("statement", "statement", "Section 12: the confirmation statement and what is none.", statements())
    write("jws", "jws", "Section 12: the signing input of jws.", jws())


if __name__ == "__main__":
    main()
