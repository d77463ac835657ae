// What a page asks for, checked member by member, and turned into operations for the caller the browser named.

import { EidError } from "./errors.js";
import { operate } from "./operations.js";
import { judge, statusOf } from "./state.js";

/** @typedef {import("../types").CallMessage} CallMessage */
/** @typedef {import("../types").Caller} Caller */
/** @typedef {import("../types").Progress} Progress */
/** @typedef {import("../types").Session} Session */
/** @typedef {import("./agent.js").Agent} Agent */
/** @typedef {import("./pairer.js").Pairer} Pairer */
/** @typedef {{ agent: Agent, pairer: Pairer, version: string }} Parts */

const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const CHALLENGE = /^[A-Za-z0-9+/_=-]{32,128}$/;
const FORMAT = /^[a-z0-9][a-z0-9:.-]{0,31}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HASH_LENGTHS = /** @type {Record<string, number>} */ ({ "SHA-256": 44, "SHA-384": 64, "SHA-512": 88 });
/** Characters of a certificate, base64: beside it a request of at most 64 KiB holds all else. */
const MAX_CERTIFICATE = 24_000;

/**
 * The first message of a call's Port, or null if it is none.
 * @param {unknown} message
 * @returns {CallMessage | null}
 */
export function callMessage(message) {
  const { call, id, arguments: args, ancestors } = /** @type {Record<string, any>} */ (message ?? {});
  if (typeof call !== "string" || typeof id !== "string" || !ID.test(id)) return null;
  if (args === null || typeof args !== "object" || Array.isArray(args)) return null;
  return { call: /** @type {CallMessage["call"]} */ (call), id, arguments: args, ancestors };
}

/** @param {unknown} condition @param {string} member */
function valid(condition, member) {
  if (!condition) throw new EidError("invalid_field", `The page's call has no valid "${member}".`);
}

/** @param {Record<string, any>} args @param {Caller} caller */
export function confirmationBody({ challenge, format = "jws", purpose = "confirm_identity", detached = false, holder_signature = false }, caller) {
  valid(typeof challenge === "string" && CHALLENGE.test(challenge), "challenge");
  valid(typeof format === "string" && FORMAT.test(format), "format");
  valid(purpose === "confirm_identity" || purpose === "sign_in", "purpose");
  valid(typeof detached === "boolean", "detached");
  valid(typeof holder_signature === "boolean", "holder_signature");
  const choices = { ...(detached ? { detached } : {}), ...(holder_signature ? { holder_signature } : {}) };
  return { ...origins(caller), challenge, format, purpose, ...choices };
}

/** @param {Record<string, any>} args @param {Caller} caller */
export function signatureBody({ certificate, hash_function, hash }, caller) {
  valid(typeof certificate === "string" && certificate.length <= MAX_CERTIFICATE && BASE64.test(certificate), "certificate");
  valid(typeof hash_function === "string" && Object.hasOwn(HASH_LENGTHS, hash_function), "hash_function");
  valid(typeof hash === "string" && BASE64.test(hash) && hash.length === HASH_LENGTHS[hash_function], "hash");
  return { ...origins(caller), items: [{ hash_function, hash }], certificate };
}

/** @param {Caller} caller */
function origins({ origin, topOrigin }) {
  return { origin, ...(topOrigin === undefined ? {} : { top_origin: topOrigin }) };
}

/**
 * The session of one call.
 * @param {Parts} parts
 * @param {Caller} caller
 * @param {string} id
 * @param {{ signal: AbortSignal, progress(stage: Progress): void }} hooks
 * @returns {Session}
 */
export function sessionOf({ agent, pairer, version }, caller, id, hooks) {
  /** @param {import("./operations.js").Path} path @param {Record<string, unknown>} body */
  async function run(path, body) {
    hooks.progress("connecting");
    return operate(agent, path, body, id, { ...hooks, pair });
  }
  function pair() {
    hooks.progress("pairing");
    return pairer.ensure({ byPerson: false, signal: hooks.signal });
  }
  return {
    caller,
    signal: hooks.signal,
    async status() {
      const judged = await judge(agent, version);
      const paired = judged.state === "not_paired" && (await pairer.silently().catch(() => false));
      return statusOf(paired ? await judge(agent, version) : judged);
    },
    async confirm(args) {
      const { proof, test } = await run("/v1/confirmations", confirmationBody(args, caller));
      return { proof: given(proof), test: test === true };
    },
    async certificate() {
      const { certificate, test } = await run("/v1/certificates", origins(caller));
      return { ...given(certificate), test: test === true };
    },
    async sign(args) {
      const { signatures, test } = await run("/v1/signatures", signatureBody(args, caller));
      return { ...given(signatures), test: test === true };
    },
  };
}

/** @template T @param {T | undefined} result @returns {T} */
function given(result) {
  if (result === undefined) throw new EidError("internal", "The agent's operation is done without a result.");
  return result;
}

/**
 * A call of our own page API.
 * @param {CallMessage} message
 * @param {Session} session
 */
export async function answer({ call, arguments: args }, session) {
  switch (call) {
    case "status":
      return session.status();
    case "confirm":
      return session.confirm(/** @type {any} */ (args));
    default:
      throw new EidError("invalid_field", "The plugin knows no such call.");
  }
}
