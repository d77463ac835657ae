// Web eID's calls and codes: what its pages are given, and what they are told when it fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EidError } from "../background/errors.js";
import { webEid, webEidError } from "../background/web-eid.js";

const NONCE = "12345678123456781234567812345678912356789123";
const TOKEN = { unverifiedCertificate: "MIIE", algorithm: "ES384", signature: "c2ln", format: "web-eid:1.0", appVersion: "https://a/0.2.0" };

/** The codes of web-eid.js, and its class names. */
const THIRTEEN = new Map([
  ["ERR_WEBEID_ACTION_TIMEOUT", "ActionTimeoutError"],
  ["ERR_WEBEID_USER_TIMEOUT", "UserTimeoutError"],
  ["ERR_WEBEID_VERSION_MISMATCH", "VersionMismatchError"],
  ["ERR_WEBEID_VERSION_INVALID", "VersionInvalidError"],
  ["ERR_WEBEID_EXTENSION_UNAVAILABLE", "ExtensionUnavailableError"],
  ["ERR_WEBEID_NATIVE_UNAVAILABLE", "NativeUnavailableError"],
  ["ERR_WEBEID_UNKNOWN_ERROR", "UnknownError"],
  ["ERR_WEBEID_CONTEXT_INSECURE", "ContextInsecureError"],
  ["ERR_WEBEID_USER_CANCELLED", "UserCancelledError"],
  ["ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "NativeInvalidArgumentError"],
  ["ERR_WEBEID_NATIVE_FATAL", "NativeFatalError"],
  ["ERR_WEBEID_ACTION_PENDING", "ActionPendingError"],
  ["ERR_WEBEID_MISSING_PARAMETER", "MissingParameterError"],
]);

/**
 * A session that answers what it is given and remembers what it was asked.
 * @param {Record<string, any>} answers
 */
function session(answers) {
  /** @type {any[]} */
  const asked = [];
  const of = (/** @type {string} */ name) => async (/** @type {unknown} */ args) => {
    asked.push([name, args]);
    return answers[name];
  };
  const calls = { status: of("status"), confirm: of("confirm"), certificate: of("certificate"), sign: of("sign") };
  const whole = { caller: { origin: "https://portal.example" }, signal: new AbortController().signal, ...calls };
  return { asked, session: /** @type {import("../types").Session} */ (whole) };
}

/** @param {import("../types").CallName} call @param {Record<string, unknown>} args @param {Record<string, any>} answers */
async function failed(call, args, answers = {}) {
  const fake = session(answers);
  const thrown = await webEid(call, args, fake.session).then(() => assert.fail("no failure"), (error) => error);
  return { error: webEidError(thrown, call, args, "0.2.0"), asked: fake.asked };
}

test("authenticate gives the token's five fields and no other", async () => {
  const fake = session({ confirm: { proof: { ...TOKEN, more: 1 }, test: true } });
  assert.deepEqual(await webEid("web-eid:authenticate", { challengeNonce: NONCE, libraryVersion: "2.1.0" }, fake.session), TOKEN);
  assert.deepEqual(fake.asked, [["confirm", { challenge: NONCE, format: "web-eid:1.0", purpose: "sign_in" }]]);
});

test("a token that lacks a field is not handed out", async () => {
  const { appVersion: _, ...proof } = TOKEN;
  const { error } = await failed("web-eid:authenticate", { challengeNonce: NONCE }, { confirm: { proof, test: false } });
  assert.equal(error.code, "ERR_WEBEID_NATIVE_FATAL");
  assert.equal(error.reason, "internal");
});

test("get-signing-certificate names algorithms as Web eID does", async () => {
  const algorithms = [
    { scheme: "ECDSA", hash_function: "SHA-384" },
    { scheme: "RSA-PKCS1", hash_function: "SHA-256" },
    { scheme: "RSA-PSS", hash_function: "SHA-512" },
  ];
  const fake = session({ certificate: { certificate: "MIID", algorithms, test: false } });
  assert.deepEqual(await webEid("web-eid:get-signing-certificate", {}, fake.session), {
    certificate: "MIID",
    supportedSignatureAlgorithms: [
      { cryptoAlgorithm: "ECC", hashFunction: "SHA-384", paddingScheme: "NONE" },
      { cryptoAlgorithm: "RSA", hashFunction: "SHA-256", paddingScheme: "PKCS1.5" },
      { cryptoAlgorithm: "RSA", hashFunction: "SHA-512", paddingScheme: "PSS" },
    ],
  });
});

test("what Web eID has no name for is left out, and refused where nothing is left", async () => {
  const ecdsa = { scheme: "ECDSA", hash_function: "SHA-256" };
  const nameless = [{ scheme: "GOSTR3410-2012", hash_function: "GOSTR3411-2012-256" }, { scheme: "toString", hash_function: "SHA-256" }, { scheme: "ECDSA", hash_function: "SHA-3" }];
  const both = session({ certificate: { certificate: "MIID", algorithms: [...nameless, ecdsa], test: false } });
  assert.deepEqual((await webEid("web-eid:get-signing-certificate", {}, both.session)).supportedSignatureAlgorithms, [
    { cryptoAlgorithm: "ECC", hashFunction: "SHA-256", paddingScheme: "NONE" },
  ]);
  const { error } = await failed("web-eid:get-signing-certificate", {}, { certificate: { certificate: "MIID", algorithms: nameless, test: false } });
  assert.equal(error.code, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT");
  assert.equal(error.reason, "unsupported_algorithm");
  assert.match(error.message, /ECDSA or RSA/);
});

test("sign asks for one hash with the certificate's key", async () => {
  const items = [{ scheme: "ECDSA", hash_function: "SHA-384", signature: "c2ln" }];
  const fake = session({ sign: { certificate: "MIID", items, test: false } });
  const args = { certificate: "MIID", hash: "aGFzaA==", hashFunction: "SHA-384", libraryVersion: "2.1.0" };
  assert.deepEqual(await webEid("web-eid:sign", args, fake.session), {
    signature: "c2ln",
    signatureAlgorithm: { cryptoAlgorithm: "ECC", hashFunction: "SHA-384", paddingScheme: "NONE" },
  });
  assert.deepEqual(fake.asked, [["sign", { certificate: "MIID", hash_function: "SHA-384", hash: "aGFzaA==" }]]);
});

test("status says versions that web-eid.js takes for compatible, and who it is", async () => {
  for (const [state, agent, nativeApp] of [["ready", "0.2.0", "2.9.0+eid-agent.0.2.0"], ["no_token", "0.2.0+x y", "2.9.0+eid-agent.0.2.0-x-y"], ["not_paired", undefined, "2.9.0+eid-agent"]]) {
    const fake = session({ status: { plugin: "0.2.0", state, ...(agent ? { agent } : {}) } });
    assert.deepEqual(await webEid("web-eid:status", { libraryVersion: "2.1.0-beta.2" }, fake.session), {
      library: "2.1.0-beta.2",
      extension: "2.5.0+eid-agent.0.2.0",
      nativeApp,
    });
  }
});

test("status fails where nothing could be authenticated, and says what to update", async () => {
  for (const [state, code, requiresUpdate] of /** @type {const} */ ([
    ["no_agent", "ERR_WEBEID_NATIVE_UNAVAILABLE", undefined],
    ["old_agent", "ERR_WEBEID_VERSION_MISMATCH", { extension: false, nativeApp: true }],
    ["old_plugin", "ERR_WEBEID_VERSION_MISMATCH", { extension: true, nativeApp: false }],
  ])) {
    const { error } = await failed("web-eid:status", { libraryVersion: "2.0.0" }, { status: { plugin: "0.2.0", state } });
    assert.equal(error.code, code);
    assert.equal(error.reason, state);
    assert.deepEqual(error.requiresUpdate, requiresUpdate);
    assert.equal(error.extension, "2.5.0+eid-agent.0.2.0");
  }
});

test("versions: what is none is invalid, what is later than ours is a mismatch, what is older is served", async () => {
  const ready = { status: { plugin: "0.2.0", state: "ready", agent: "0.2.0" } };
  for (const libraryVersion of [undefined, "", "2", "2.0", "two", "02.0.0", "2.0.0 "]) {
    const { error, asked } = await failed("web-eid:status", libraryVersion === undefined ? {} : { libraryVersion }, ready);
    assert.equal(error.code, "ERR_WEBEID_VERSION_INVALID", libraryVersion);
    assert.deepEqual(asked, []);
  }
  const { error } = await failed("web-eid:status", { libraryVersion: "3.0.0" }, ready);
  assert.equal(error.code, "ERR_WEBEID_VERSION_MISMATCH");
  assert.ok(await webEid("web-eid:status", { libraryVersion: "v1.9.0" }, session(ready).session));
  const later = (/** @type {string} */ code) => webEidError(new EidError(code), "web-eid:sign", { libraryVersion: "3.0.0" }, "0.2.0").code;
  assert.equal(later("internal"), "ERR_WEBEID_VERSION_MISMATCH");
  assert.equal(later("declined"), "ERR_WEBEID_USER_CANCELLED");
});

test("what the page left out or got wrong is refused before anybody is asked", async () => {
  const whole = { certificate: "MIID", hash: "aGFzaA==", hashFunction: "SHA-384" };
  for (const name of Object.keys(whole)) {
    const { error, asked } = await failed("web-eid:sign", { ...whole, [name]: name === "hash" ? 7 : undefined });
    assert.equal(error.code, "ERR_WEBEID_MISSING_PARAMETER");
    assert.match(error.message, new RegExp(name));
    assert.deepEqual(asked, []);
  }
  assert.equal((await failed("web-eid:authenticate", {})).error.code, "ERR_WEBEID_MISSING_PARAMETER");
  for (const challengeNonce of ["5char", "x".repeat(43), "x".repeat(129)]) {
    assert.equal((await failed("web-eid:authenticate", { challengeNonce })).error.code, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT");
  }
  for (const hashFunction of ["SHA-1", "SHA3-256", "constructor"]) {
    assert.equal((await failed("web-eid:sign", { ...whole, hashFunction })).error.code, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT");
  }
});

test("an error has one of the thirteen codes, its class's name, the reason, and the tries left", () => {
  const told = webEidError(new EidError("pin_incorrect", "wrong", { triesLeft: 2 }), "web-eid:authenticate", { libraryVersion: "2.1.0" }, "0.2.0");
  assert.deepEqual(told, {
    code: "ERR_WEBEID_NATIVE_FATAL",
    name: "NativeFatalError",
    message: "wrong",
    reason: "pin_incorrect",
    retryable: false,
    retriesLeft: 2,
  });
  assert.equal(webEidError(new TypeError("x"), "web-eid:sign", {}, "0.2.0").code, "ERR_WEBEID_NATIVE_FATAL");
  assert.equal(webEidError(new EidError("of_tomorrow"), "web-eid:sign", {}, "0.2.0").code, "ERR_WEBEID_UNKNOWN_ERROR");
});

test("every code of the plugin protocol, and of the plugin, has its Web eID code", () => {
  const protocol = readFileSync(new URL("../../plugin-protocol/PROTOCOL.md", import.meta.url), "utf8");
  const rows = [...protocol.matchAll(/^\| `([a-z_]+)` \| \d{3} \| (?:yes|no) \| (request|operation) \|/gm)];
  assert.ok(rows.length >= 20, "the table of section 10 was found");
  const own = ["no_plugin", "no_agent", "old_agent", "old_plugin", "not_paired", "aborted", "frame_not_allowed", "insecure_context", "pending", "too_many_pairings"];
  const unsaid = new Set(["not_found"]);
  for (const code of [...rows.map(([, code = ""]) => code), ...own]) {
    const told = webEidError(new EidError(code), "web-eid:sign", {}, "0.2.0");
    assert.equal(told.name, THIRTEEN.get(told.code), code);
    assert.equal(told.reason, code);
    assert.equal(told.code === "ERR_WEBEID_UNKNOWN_ERROR", unsaid.has(code), code);
  }
});
