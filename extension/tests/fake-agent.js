// An agent for tests: the wire of PROTOCOL.md on a real port of loopback, with a person who is a promise.

import { createHash, randomBytes, randomInt } from "node:crypto";
import http from "node:http";
import { digits as digitsOf } from "../background/pairing.js";
import { base64, base64url, contentDigest, fromBase64url, newKeys, requestBase, thumbprint, utf8 } from "../background/signature.js";

/** @typedef {import("../types").Jwk} Jwk */
/** @typedef {{ method: string, path: string, query: URLSearchParams, body: any, idempotencyKey: string | undefined }} Request */
/** @typedef {{ status: number, body?: any, unsigned?: boolean, headers?: Record<string, string>, tamper?: boolean }} Reply */

const ECDSA = { name: "ECDSA", hash: "SHA-256" };
const FINAL = ["done", "failed", "cancelled", "expired"];
/** Below the ports that systems give to connections: one of those would be in the way of an agent that comes back. */
const BY_NAME_ONLY = { from: 20_000, to: 32_000 };

/** @param {number} status @param {string} code */
export const problem = (status, code, more = {}) => ({
  status,
  body: { type: `urn:eid-agent:problem:${code}`, title: code, status, code, retryable: false, ...more },
});

export class FakeAgent {
  version = "0.2.0";
  api = ["1"];
  /** @type {any[]} */ tokens = [{ id: "t", kind: "software", pin: "ok", pin_pad: false, test: true }];
  /** @type {any[]} */ unavailable = [];
  /** @type {Map<string, { jwk: Jwk, key: CryptoKey, own: Awaited<ReturnType<typeof newKeys>> }>} */ pairings = new Map();
  /** @type {Map<string, any>} */ operations = new Map();
  /** @type {any[]} */ events = [];
  /** Every signed request that was answered. @type {Request[]} */ seen = [];
  /** What the agent's window shows while pairing. */ shown = "";
  /** The person's answer to a pairing. @type {Promise<"paired" | "declined">} */ decision = Promise.resolve("paired");
  /** Answers in the agent's place. @type {(request: Request) => Reply | undefined | Promise<Reply | undefined>} */ intercept = () => undefined;
  port = 0;
  /** @type {http.Server | undefined} */ server;

  /** @param {number} [port]  0: any that nothing takes by chance while this is away */
  async start(port = this.port) {
    for (;;) {
      const at = port || randomInt(BY_NAME_ONLY.from, BY_NAME_ONLY.to);
      const server = http.createServer((request, response) => void this.#serve(request, response));
      const error = await new Promise((/** @type {(error?: any) => void} */ resolve) => server.once("error", resolve).listen(at, "127.0.0.1", () => resolve()));
      if (error !== undefined && (port || error.code !== "EADDRINUSE")) throw error;
      if (error !== undefined) continue;
      [this.server, this.port] = [server, at];
      return at;
    }
  }

  async stop() {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    this.server?.closeAllConnections();
    await closed;
  }

  /** A restart forgets operations, not pairings. @param {number} [port] */
  async restart(port = this.port) {
    await this.stop();
    this.operations.clear();
    this.events = [];
    await this.start(port);
  }

  /** What the native host does: registers a plugin's key. @param {Jwk} jwk */
  async register(jwk) {
    const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    const own = await newKeys();
    this.pairings.set(base64url(await thumbprint(jwk)), { jwk, key, own });
    return own.jwk;
  }

  /** @param {string} state @param {any} [more] the last operation goes on to it */
  proceed(state, more = {}) {
    const operation = [...this.operations.values()].at(-1);
    Object.assign(operation, { state, ...more });
    this.events.push({ seq: this.events.length + 1, type: "operation.changed", operation: operation.id, state });
  }

  /** @param {http.IncomingMessage} message @param {http.ServerResponse} response */
  async #serve(message, response) {
    const bytes = Buffer.concat(await message.toArray());
    const uri = new URL(message.url ?? "", `http://127.0.0.1:${this.port}`);
    const text = bytes.toString();
    const request = {
      method: message.method ?? "",
      path: uri.pathname,
      query: uri.searchParams,
      body: text === "" ? undefined : JSON.parse(text),
      idempotencyKey: /** @type {string | undefined} */ (message.headers["idempotency-key"]),
    };
    const wait = /wait=(\d+)/.exec(String(message.headers.prefer ?? ""))?.[1];
    if (wait !== undefined) request.query.set("wait", wait);
    const open = await this.#open(request);
    const signer = open === undefined ? await this.#caller(message, bytes) : undefined;
    if (signer) this.seen.push(request);
    const reply = open ?? (await this.intercept(request)) ?? (signer ? await this.#route(request, message) : { ...problem(401, "not_paired"), unsigned: true });
    const body = Buffer.from(reply.body === undefined ? "" : JSON.stringify(reply.body));
    response.writeHead(reply.status, { ...(signer && !reply.unsigned ? await this.#seal(signer, message, reply, body) : {}), ...reply.headers });
    response.end(body);
  }

  /** The endpoints that need no signature. @param {Request} request @returns {Promise<Reply | undefined>} */
  async #open({ method, path, body }) {
    if (path === "/v1/hello") return { status: 200, body: { protocol: "eid-agent", api: this.api } };
    if (path === "/v1/pairings" && method === "POST") {
      const nonce = randomBytes(32);
      const own = await newKeys();
      this.offer = { ...body, own, nonce };
      return { status: 201, body: { id: "attempt", agent_jwk: own.jwk, agent_nonce: base64url(nonce), expires_in: 120 } };
    }
    if (path !== "/v1/pairings/attempt/reveal") return undefined;
    const { client, commitment, own, nonce } = this.offer;
    const revealed = Uint8Array.from(fromBase64url(body.nonce) ?? []);
    const label = utf8("eid-agent pairing commitment v1\0");
    const opened = createHash("sha256").update(label).update(await thumbprint(client.jwk)).update(revealed).digest("base64url");
    if (opened !== commitment) return problem(403, "commitment_mismatch");
    this.shown = await digitsOf(client.jwk, own.jwk, revealed, nonce);
    if ((await this.decision) === "declined") return problem(403, "declined");
    await this.register(client.jwk);
    const pairing = this.pairings.get(base64url(await thumbprint(client.jwk)));
    if (pairing) pairing.own = own;
    return { status: 200, body: { id: "attempt", state: "paired" } };
  }

  /** Who signed a request, by keyid; nobody if the signature is not of the profile. @param {http.IncomingMessage} message @param {Buffer} bytes */
  async #caller(message, bytes) {
    const input = String(message.headers["signature-input"] ?? "");
    const [, created, nonce, keyid] = /;created=(\d+);nonce="([\w-]+)";keyid="([\w-]+)";/.exec(input) ?? [];
    const pairing = this.pairings.get(keyid ?? "");
    if (pairing === undefined) return undefined;
    const digest = await contentDigest(new Uint8Array(bytes));
    const expected = requestBase({
      method: message.method ?? "",
      uri: `http://${message.headers.host}${message.url}`,
      digest,
      idempotencyKey: /** @type {string | undefined} */ (message.headers["idempotency-key"]),
      created: Number(created),
      nonce: nonce ?? "",
      keyid: keyid ?? "",
    });
    const signature = Buffer.from(String(message.headers.signature).slice(5, -1), "base64");
    const right = await crypto.subtle.verify(ECDSA, pairing.key, signature, utf8(expected.base));
    return right && input === expected.input && message.headers["content-digest"] === digest ? pairing : undefined;
  }

  /** @param {{ own: Awaited<ReturnType<typeof newKeys>> }} signer @param {http.IncomingMessage} message @param {Reply} reply @param {Buffer} body */
  async #seal({ own }, message, reply, body) {
    const digest = await contentDigest(new Uint8Array(body));
    const params = `("@status" "content-digest" "signature";req;key="sig");created=${Math.floor(Date.now() / 1000)};keyid="${own.keyid}";alg="ecdsa-p256-sha256";tag="eid-agent-response"`;
    const of = String(message.headers.signature).slice(4);
    const base = `"@status": ${reply.status}\n"content-digest": ${digest}\n"signature";req;key="sig": ${of}\n"@signature-params": ${params}`;
    const signature = new Uint8Array(await crypto.subtle.sign(ECDSA, own.keys.privateKey, utf8(reply.tamper ? `${base} ` : base)));
    return { "Content-Digest": digest, "Signature-Input": `sig=${params}`, Signature: `sig=:${base64(signature)}:` };
  }

  /** @param {Request} request @param {http.IncomingMessage} message @returns {Promise<Reply>} */
  async #route({ method, path, query, body, idempotencyKey }, message) {
    if (path === "/v1/info") return { status: 200, body: { version: this.version, api: ["1"], formats: ["jws"], test: true } };
    if (path === "/v1/tokens") return { status: 200, body: { tokens: this.tokens, unavailable: this.unavailable } };
    if (path === "/v1/history") return { status: 200, body: { entries: [] } };
    if (path === "/v1/pairings") return { status: 200, body: { pairings: [...this.pairings.keys()].map((id) => ({ id, name: "n", created: "2026-01-01T00:00:00Z" })) } };
    if (path === "/v1/events") return this.#events(Number(query.get("since")), Number(query.get("wait")), message);
    if (path.startsWith("/v1/pairings/")) return this.pairings.delete(path.split("/")[3] ?? "") ? { status: 204 } : problem(404, "not_found");
    if (method === "POST") return this.#begin(body, idempotencyKey ?? "");
    const operation = this.operations.get(path.split("/")[3] ?? "");
    if (operation === undefined) return problem(404, "not_found");
    if (method === "DELETE" && !FINAL.includes(operation.state)) this.proceed("cancelled", { problem: problem(409, "cancelled").body });
    await patience(Number(query.get("wait")), message, () => FINAL.includes(operation.state));
    return { status: 200, body: operation };
  }

  /** @param {any} body @param {string} key @returns {Reply} */
  #begin(body, key) {
    const known = [...this.operations.values()].find((operation) => operation.key === key);
    if (known) return JSON.stringify(known.request) === JSON.stringify(body) ? { status: 202, body: known } : problem(422, "idempotency_conflict");
    if ([...this.operations.values()].some(({ state }) => !FINAL.includes(state))) return { ...problem(409, "busy"), headers: { "Retry-After": "1" } };
    const operation = { id: randomBytes(8).toString("hex"), key, request: body, state: "awaiting_consent" };
    this.operations.set(operation.id, operation);
    return { status: 202, body: operation };
  }

  /** @param {number} since @param {number} wait @param {http.IncomingMessage} message @returns {Promise<Reply>} */
  async #events(since, wait, message) {
    await patience(wait, message, () => this.events.length > since);
    return { status: 200, body: { events: this.events.slice(since), next: this.events.length, gap: false } };
  }
}

/** @param {number} seconds @param {http.IncomingMessage} message @param {() => boolean} enough */
async function patience(seconds, message, enough) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end && !enough() && !message.socket.destroyed; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
