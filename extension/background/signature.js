// Signed requests, verified answers: PROTOCOL.md section 6, in its one fixed spelling. Nothing here is interpreted:
// the header that must be there is built, and compared as a string.

/** @typedef {import("../types").Jwk} Jwk */

const ECDSA = { name: "ECDSA", hash: "SHA-256" };
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const REQUEST = ["@method", "@target-uri", "content-digest"];
const ANSWER = '("@status" "content-digest" "signature";req;key="sig")';

/** @param {string} text */
export const utf8 = (text) => new TextEncoder().encode(text);

/** @param {Uint8Array} bytes */
export function base64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The bytes of canonical base64url without padding, or null.
 * @param {unknown} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function fromBase64url(text) {
  if (typeof text !== "string" || !/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return base64url(bytes) === text ? bytes : null;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/**
 * A P-256 key without its other members, or null if it is none. That its point is on the curve shows when it is imported.
 * @param {unknown} value
 * @returns {Jwk | null}
 */
export function p256Jwk(value) {
  if (value === null || typeof value !== "object") return null;
  const { kty, crv, x, y } = /** @type {Record<string, unknown>} */ (value);
  if (kty !== "EC" || crv !== "P-256" || fromBase64url(x)?.length !== 32 || fromBase64url(y)?.length !== 32) return null;
  return /** @type {Jwk} */ ({ kty, crv, x, y });
}

/**
 * The key's thumbprint (RFC 7638): 32 bytes. Its base64url is the `keyid`.
 * @param {Jwk} jwk
 */
export function thumbprint({ crv, kty, x, y }) {
  return sha256(utf8(JSON.stringify({ crv, kty, x, y })));
}

/** A fresh key pair whose private half never leaves the browser. */
export async function newKeys() {
  const keys = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
  const jwk = p256Jwk(await crypto.subtle.exportKey("jwk", keys.publicKey));
  if (jwk === null) throw new Error("WebCrypto made a key that is not of P-256");
  return { keys, jwk, keyid: base64url(await thumbprint(jwk)) };
}

/** @param {Jwk} jwk the agent's key; rejects if its point is not on the curve */
export function importAgentKey(jwk) {
  return crypto.subtle.importKey("jwk", jwk, CURVE, false, ["verify"]);
}

/** @param {Uint8Array<ArrayBuffer>} body */
export async function contentDigest(body) {
  return `sha-256=:${base64(await sha256(body))}:`;
}

/**
 * The signature base of a request, and the value of its `Signature-Input`.
 * @param {{ method: string, uri: string, digest: string, idempotencyKey?: string | undefined, created: number,
 *   nonce: string, keyid: string }} request
 */
export function requestBase({ method, uri, digest, idempotencyKey, created, nonce, keyid }) {
  const values = [method, uri, digest];
  const names = [...REQUEST];
  if (idempotencyKey !== undefined) {
    names.push("idempotency-key");
    values.push(idempotencyKey);
  }
  const covered = names.map((name) => `"${name}"`).join(" ");
  const params = `(${covered});created=${created};nonce="${nonce}";keyid="${keyid}";alg="ecdsa-p256-sha256";tag="eid-agent-request"`;
  const lines = names.map((name, i) => `"${name}": ${values[i]}`);
  return { base: [...lines, `"@signature-params": ${params}`].join("\n"), input: `sig=${params}` };
}

/**
 * The headers that sign a request.
 * @param {CryptoKey} privateKey
 * @param {{ method: string, uri: string, body: Uint8Array<ArrayBuffer>, idempotencyKey?: string | undefined, keyid: string,
 *   created?: number, nonce?: string }} request `created` and `nonce` are now and random, unless a test says otherwise
 */
export async function signRequest(privateKey, request) {
  const { created = Math.floor(Date.now() / 1000), nonce = base64url(crypto.getRandomValues(new Uint8Array(16))) } = request;
  const digest = await contentDigest(request.body);
  const { base, input } = requestBase({ ...request, digest, created, nonce });
  const signature = base64(new Uint8Array(await crypto.subtle.sign(ECDSA, privateKey, utf8(base))));
  /** @type {Record<string, string>} */
  const headers = { "Content-Digest": digest, "Signature-Input": input, Signature: `sig=:${signature}:` };
  if (request.idempotencyKey !== undefined) headers["Idempotency-Key"] = request.idempotencyKey;
  return headers;
}

/**
 * Whether an answer was signed by the agent's key for this very request.
 * @param {CryptoKey} agentKey
 * @param {string} agentKeyid
 * @param {string} requestSignature the request's `Signature` header
 * @param {{ status: number, headers: { get(name: string): string | null }, body: Uint8Array<ArrayBuffer> }} answer
 */
export async function isAnswerSigned(agentKey, agentKeyid, requestSignature, { status, headers, body }) {
  const input = headers.get("Signature-Input") ?? "";
  const created = /;created=(0|[1-9][0-9]{0,14});/.exec(input)?.[1];
  const params = `${ANSWER};created=${created};keyid="${agentKeyid}";alg="ecdsa-p256-sha256";tag="eid-agent-response"`;
  const digest = await contentDigest(body);
  if (input !== `sig=${params}` || headers.get("Content-Digest") !== digest) return false;
  const signature = signatureBytes(headers.get("Signature"));
  if (signature === null) return false;
  const base = [
    `"@status": ${status}`,
    `"content-digest": ${digest}`,
    `"signature";req;key="sig": ${requestSignature.slice("sig=".length)}`,
    `"@signature-params": ${params}`,
  ].join("\n");
  return crypto.subtle.verify(ECDSA, agentKey, signature, utf8(base));
}

/** @param {string | null} header */
function signatureBytes(header) {
  const text = /^sig=:([A-Za-z0-9+/]{86}==):$/.exec(header ?? "")?.[1];
  if (text === undefined) return null;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return base64(bytes) === text ? bytes : null;
}
