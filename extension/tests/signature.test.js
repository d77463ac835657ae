// PROTOCOL.md section 6 against the vectors that are part of it.

import "./setup.js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { isOrigin } from "../background/callers.js";
import { commitment, digits } from "../background/pairing.js";
import {
  base64, base64url, contentDigest, fromBase64url, importAgentKey, isAnswerSigned, newKeys, p256Jwk, requestBase, signRequest, thumbprint, utf8,
} from "../background/signature.js";

/** @param {string} name @returns {any[]} */
const vectors = (name) => JSON.parse(readFileSync(new URL(`../../plugin-protocol/vectors/${name}.json`, import.meta.url), "utf8")).cases;
/** @param {string} hex */
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ECDSA = { name: "ECDSA", hash: "SHA-256" };

/** @param {any} vector @param {Record<string, string>} [changes] */
function headersOf(vector, changes = {}) {
  return new Headers({ "Content-Digest": vector.content_digest, "Signature-Input": vector.signature_input, Signature: vector.signature, ...changes });
}

test("keys and thumbprints", async () => {
  for (const { name, jwk, accepted, thumbprint_hex, keyid } of vectors("thumbprint")) {
    const key = p256Jwk(jwk);
    const usable = key !== null && (await importAgentKey(key).then(() => true, () => false));
    assert.equal(usable, accepted, name);
    if (key === null || !accepted) continue;
    assert.deepEqual(await thumbprint(key), bytes(thumbprint_hex), name);
    assert.equal(base64url(await thumbprint(key)), keyid, name);
  }
});

test("a request's signature base and headers", async () => {
  for (const vector of vectors("request-signature")) {
    const { method, target_uri: uri, created, nonce } = vector;
    const idempotencyKey = vector.idempotency_key ?? undefined;
    const keyid = base64url(await thumbprint(vector.jwk));
    const { base, input } = requestBase({ method, uri, digest: await contentDigest(utf8(vector.body)), idempotencyKey, created, nonce, keyid });
    assert.equal(base, vector.base);
    assert.equal(input, vector.signature_input);

    const d = base64url(bytes(vector.private_key_hex));
    const privateKey = await crypto.subtle.importKey("jwk", { ...vector.jwk, d }, CURVE, false, ["sign"]);
    const headers = await signRequest(privateKey, { method, uri, body: utf8(vector.body), idempotencyKey, keyid, created, nonce });
    assert.equal(headers["Content-Digest"], vector.content_digest);
    assert.equal(headers["Signature-Input"], vector.signature_input);
    assert.equal(headers["Idempotency-Key"], idempotencyKey);
    const signature = Buffer.from(/** @type {string} */ (headers.Signature).slice("sig=:".length, -1), "base64");
    assert.ok(await crypto.subtle.verify(ECDSA, await importAgentKey(vector.jwk), signature, utf8(vector.base)));
  }
});

test("an answer is believed as it is in the vectors, and in no other way", async () => {
  for (const vector of vectors("response-signature")) {
    const key = await importAgentKey(vector.jwk);
    const keyid = base64url(await thumbprint(vector.jwk));
    const of = `sig=:${base64(bytes(vector.request_signature_hex))}:`;
    const body = utf8(vector.body);
    const { status } = vector;
    const believed = (/** @type {any} */ answer, request = of, id = keyid) => isAnswerSigned(key, id, request, answer);
    assert.ok(await believed({ status, headers: headersOf(vector), body }));

    assert.ok(!(await believed({ status: status + 1, headers: headersOf(vector), body })), "another status");
    assert.ok(!(await believed({ status, headers: headersOf(vector), body: utf8(`${vector.body} `) })), "another body");
    assert.ok(!(await believed({ status, headers: headersOf(vector), body }, `sig=:${base64(new Uint8Array(64))}:`)), "another request");
    assert.ok(!(await believed({ status, headers: headersOf(vector), body }, of, "0".repeat(43))), "another keyid");
    const digest = await contentDigest(utf8("other"));
    assert.ok(!(await believed({ status, headers: headersOf(vector, { "Content-Digest": digest }), body: utf8("other") })), "a digest of its own");
    for (const name of ["Content-Digest", "Signature-Input", "Signature"]) {
      const lacking = headersOf(vector);
      lacking.delete(name);
      assert.ok(!(await believed({ status, headers: lacking, body })), `no ${name}`);
      const doubled = headersOf(vector);
      doubled.append(name, doubled.get(name) ?? "");
      assert.ok(!(await believed({ status, headers: doubled, body })), `two of ${name}`);
    }
  }
});

test("no other spelling of an answer's Signature-Input, though its signature is right", async () => {
  const { keys, jwk, keyid } = await newKeys();
  const key = await importAgentKey(jwk);
  const of = `sig=:${base64(new Uint8Array(64))}:`;
  const body = utf8("{}");
  const digest = await contentDigest(body);
  let refused = 0;
  for (const vector of vectors("signature-input").filter((vector) => vector.of === "response")) {
    const header = vector.header.replaceAll("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", keyid);
    const base = `"@status": 200\n"content-digest": ${digest}\n"signature";req;key="sig": ${of.slice(4)}\n"@signature-params": ${header.slice(4)}`;
    const signature = base64(new Uint8Array(await crypto.subtle.sign(ECDSA, keys.privateKey, utf8(base))));
    const headers = { get: (/** @type {string} */ name) => ({ "Content-Digest": digest, "Signature-Input": header, Signature: `sig=:${signature}:` })[name] ?? null };
    assert.equal(await isAnswerSigned(key, keyid, of, { status: 200, headers, body }), vector.accepted, header);
    refused += vector.accepted ? 0 : 1;
  }
  assert.ok(refused > 5);
});

test("the commitment and the digits of pairing", async () => {
  for (const vector of vectors("pairing")) {
    const [plugin, agent] = [fromBase64url(vector.plugin_nonce), fromBase64url(vector.agent_nonce)];
    assert.ok(plugin && agent);
    assert.equal(await commitment(vector.plugin_jwk, plugin), vector.commitment);
    assert.equal(await digits(vector.plugin_jwk, vector.agent_jwk, plugin, agent), vector.digits);
  }
});

test("what is an origin", () => {
  for (const { text, accepted } of vectors("origin")) assert.equal(isOrigin(text), accepted, JSON.stringify(text));
});

test("the plugin's private key cannot be exported", async () => {
  const { keys } = await newKeys();
  assert.equal(keys.privateKey.extractable, false);
  for (const format of /** @type {const} */ (["jwk", "pkcs8"])) await assert.rejects(crypto.subtle.exportKey(format, keys.privateKey));
});

test("base64url is canonical", () => {
  assert.deepEqual(fromBase64url("AQ"), new Uint8Array([1]));
  for (const text of ["AR", "AQ==", "A", "A+", "A/", " AQ", "AQ\n", null, 1]) assert.equal(fromBase64url(text), null, String(text));
});
