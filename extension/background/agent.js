// The way to the agent: finds its port, signs every request, believes only answers that its key of our pairing signed.

import { EidError } from "./errors.js";
import { exchange, parse, pause, settled } from "./http.js";
import { importAgentKey, base64url, isAnswerSigned, signRequest, thumbprint, utf8 } from "./signature.js";

/** @typedef {import("../types").KeyStore} KeyStore */
/** @typedef {import("../types").Pairing} Pairing */
/** @typedef {import("../types").AgentInfo} AgentInfo */
/** @typedef {import("./http.js").Answer} Answer */
/** @typedef {{ body?: unknown, idempotencyKey?: string, wait?: number, launch?: boolean, signal?: AbortSignal | undefined }} Options */
/** @typedef {{ pairing: Pairing, agentKey: CryptoKey, agentKeyid: string, port: number, info: AgentInfo }} Connection */
/** @typedef {(command: "locate" | "pair", args: Record<string, unknown>) => Promise<Record<string, unknown> | null>} AskNativeHost */

export const PORTS = [47290, 47291, 47292];
/** Seconds of a long poll: below the 30 after which a browser stops an idle worker. */
export const MAX_WAIT = 25;
/** The oldest agent this plugin works with. */
export const MIN_AGENT = "0.2.0";
const API = "1";

/** The codes of kind *gate* (PROTOCOL.md section 10): the only ones an unsigned answer may carry. */
export const GATE = new Set([
  "bad_host", "forbidden_context", "method_not_allowed", "unsupported_media_type", "too_large", "not_paired",
  "bad_signature", "stale_signature", "replayed", "rate_limited",
]);
/** What says that this is not, or no more, the agent we are paired with. */
const ELSEWHERE = new Set(["unreachable", "forged", "bad_host", "forbidden_context", "not_paired", "bad_signature"]);
const NOBODY = new Set(["unreachable", "forged"]);

/** Whether version `a` is before `b`; both are SemVer, of which the three numbers count. @param {string} a @param {string} b */
export function isOlder(a, b) {
  const [left, right] = [a, b].map((text) => text.split(/[-+]/)[0]?.split(".").map(Number) ?? []);
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] || 0) - (right?.[i] || 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

export class Agent {
  /** @type {Promise<Connection> | undefined} */
  #found;
  /** @type {Promise<Connection> | undefined} */
  #launched;

  /** @param {{ store: KeyStore, native: AskNativeHost, ports?: number[] }} parts */
  constructor({ store, native, ports = PORTS }) {
    this.store = store;
    this.native = native;
    this.ports = ports;
  }

  /** Forgets where the agent was; the next request looks for it. */
  reset() {
    this.#found = undefined;
  }

  /**
   * The verified connection, found anew if there is none. Rejects with `no_agent`, `not_paired` or `old_plugin`.
   * @param {boolean} [launch] whether the native host may be asked where the agent is, which starts it
   */
  async connect(launch = true) {
    try {
      return await this.#find();
    } catch (thrown) {
      const error = EidError.of(thrown);
      if (!launch || error.code === "old_plugin") throw error;
      this.#launched ??= this.#launch(error).finally(() => (this.#launched = undefined));
      return this.#launched;
    }
  }

  /**
   * A signed request and its verified answer. Rejects with the EidError of the agent's problem, if it is one.
   * What can be mended without a person is: another port, a stale time, a nonce the browser's own retry used up.
   * @param {"GET" | "POST" | "DELETE"} method
   * @param {string} path
   * @param {Options} [options] `body` is sent as JSON; with `wait`, the agent holds the answer up to so many seconds
   * @returns {Promise<Answer>}
   */
  async request(method, path, options = {}) {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.connect(options.launch);
      try {
        return await signed(connection, method, path, options);
      } catch (thrown) {
        const error = EidError.of(thrown);
        if (attempt === 3) throw NOBODY.has(error.code) ? new EidError("no_agent", undefined, { cause: error }) : error;
        if (ELSEWHERE.has(error.code)) this.reset();
        else if (error.code === "stale_signature") await pause(1, options.signal);
        else if (error.code !== "replayed") throw error;
      }
    }
  }

  /**
   * What happened at the agent after event `since` (PROTOCOL.md section 9). That our pairing was ended there is acted on.
   * @param {number} since
   * @param {number} wait
   * @param {AbortSignal} signal
   * @returns {Promise<{ events: any[], next: number }>}
   */
  async events(since, wait, signal) {
    const { body } = await this.request("GET", `/v1/events?since=${since}`, { wait, signal, launch: false });
    const pairing = await this.store.load();
    if (body.events.some((/** @type {any} */ event) => event.type === "pairing.revoked" && event.pairing === pairing?.keyid)) {
      await this.store.forget(true);
      this.reset();
    }
    return body;
  }

  /** The ports where something says that it speaks our protocol, the likeliest first. Rejects with `old_plugin`. */
  async speakingPorts() {
    const remembered = (await this.store.load())?.port;
    const ports = [...new Set([remembered ?? this.ports[0] ?? 0, ...this.ports])];
    const said = await Promise.all(ports.map(hello));
    if (said.includes("later") && !said.includes("ours")) throw new EidError("old_plugin");
    return ports.filter((_, i) => said[i] === "ours");
  }

  /** One search at a time; what it found is kept until `reset`, unless an update of the agent is what is missing. */
  #find() {
    if (this.#found === undefined) {
      const search = this.#search();
      this.#found = search;
      const forget = () => this.#found === search && this.reset();
      search.then(({ info }) => isOlder(info.version, MIN_AGENT) && forget(), forget);
    }
    return this.#found;
  }

  /** @returns {Promise<Connection>} */
  async #search() {
    const pairing = await this.store.load();
    if (pairing !== null) {
      for (const port of new Set([pairing.port, ...this.ports])) {
        const connection = await this.#at(port, pairing);
        if (connection !== undefined) return connection;
      }
    }
    throw new EidError((await this.speakingPorts()).length > 0 ? "not_paired" : "no_agent");
  }

  /** Has the native host find or start the agent. @param {EidError} error why it was not found @returns {Promise<Connection>} */
  async #launch(error) {
    const pairing = await this.store.load();
    if (pairing === null && error.code === "not_paired") throw error;
    const port = (await this.native("locate", {}))?.port;
    if (typeof port !== "number") throw error;
    const connection = pairing === null ? undefined : await this.#at(port, pairing);
    if (connection === undefined) throw new EidError((await hello(port)) === "ours" ? "not_paired" : "no_agent");
    this.#found = Promise.resolve(connection);
    return connection;
  }

  /** @param {number} port @param {Pairing} pairing */
  async #at(port, pairing) {
    const connection = await verify(port, pairing).catch(() => undefined);
    if (connection !== undefined && port !== pairing.port) await this.store.moved(pairing.keyid, port);
    return connection;
  }
}

/**
 * The connection to the agent at a port, after its signed answer proved that it is the one of this pairing.
 * @param {number} port
 * @param {Pairing} pairing
 * @returns {Promise<Connection>}
 */
export async function verify(port, pairing) {
  const agentKey = await importAgentKey(pairing.agentJwk);
  const agentKeyid = base64url(await thumbprint(pairing.agentJwk));
  const connection = { pairing, agentKey, agentKeyid, port };
  for (let attempt = 1; ; attempt++) {
    try {
      const { body } = await signed(connection, "GET", "/v1/info", {});
      return { ...connection, info: body };
    } catch (error) {
      const fresh = error instanceof EidError && error.code === "stale_signature" && attempt < 3;
      if (!fresh) throw error;
      await pause(1); // the agent began after our clock's second did
    }
  }
}

/**
 * @param {Omit<Connection, "info">} connection
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 * @returns {Promise<Answer>}
 */
export async function signed({ pairing, agentKey, agentKeyid, port }, method, path, { body, idempotencyKey, wait, signal }) {
  const target = wait === undefined || method === "POST" ? path : `${path}${path.includes("?") ? "&" : "?"}wait=${wait}`;
  const bytes = utf8(body === undefined ? "" : JSON.stringify(body));
  const uri = `http://127.0.0.1:${port}${target}`;
  const headers = await signRequest(pairing.keys.privateKey, { method, uri, body: bytes, idempotencyKey, keyid: pairing.keyid });
  const answer = await exchange(port, method, target, { bytes, headers, wait, signal });
  if (!(await isAnswerSigned(agentKey, agentKeyid, headers.Signature ?? "", answer))) throw unsignedProblem(answer);
  return settled(answer);
}

/** Why an answer that nobody signed is no answer. @param {{ status: number, body: Uint8Array }} answer */
function unsignedProblem({ status, body }) {
  const error = EidError.ofProblem(parse(body), status);
  return GATE.has(error.code) ? error : new EidError("forged", "Something else than the agent answers at its port.");
}

/**
 * What something at the port says of itself; it proves nothing. `later`: it speaks our protocol, but no version we know.
 * @param {number} port
 * @returns {Promise<"ours" | "later" | "none">}
 */
async function hello(port) {
  const answer = await exchange(port, "GET", "/v1/hello").catch(() => undefined);
  const said = answer?.status === 200 ? parse(answer.body) : null;
  if (said?.protocol !== "eid-agent" || !Array.isArray(said.api)) return "none";
  return said.api.includes(API) ? "ours" : "later";
}
