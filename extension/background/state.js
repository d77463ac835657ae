// In which of the states the whole is, judged in this order:
//
//   no_agent      nothing speaks the protocol at the agent's ports, and the native host did not start it
//   old_plugin    what speaks there names no version of the protocol that we know
//   not_paired    something speaks it, but no answer is signed by an agent we are paired with
//   old_agent     the agent's version, in an answer it signed, is before MIN_AGENT
//   ready         a token is there
//   service_down  none is there, and a source of tokens could not be looked at
//   no_token      none is there, though every source was looked at

import { isOlder, MIN_AGENT } from "./agent.js";
import { EidError } from "./errors.js";

/** @typedef {import("../types").Status} Status */
/** @typedef {import("../types").State} State */
/** @typedef {import("../types").Token} Token */
/** @typedef {import("./agent.js").Agent} Agent */
/** @typedef {Status & { tokens?: Token[], unavailable?: { source: string, reason: string }[] }} Judgement */

/** Errors that are states. */
const STATES = ["no_agent", "old_plugin", "not_paired", "old_agent"];

/**
 * @param {Agent} agent
 * @param {string} plugin the plugin's version
 * @param {boolean} [launch] whether the agent may be started for this
 * @returns {Promise<Judgement>}
 */
export async function judge(agent, plugin, launch = true) {
  try {
    const { body: info } = await agent.request("GET", "/v1/info", { launch });
    if (isOlder(info.version, MIN_AGENT)) return { plugin, state: "old_agent", agent: info.version };
    const { body } = await agent.request("GET", "/v1/tokens", { launch });
    const tokens = list(body?.tokens).map(token);
    const unavailable = list(body?.unavailable);
    return { plugin, state: stateOf(tokens, unavailable), agent: info.version, tokens, unavailable };
  } catch (thrown) {
    const error = EidError.of(thrown);
    if (!STATES.includes(error.code)) throw error;
    return { plugin, state: /** @type {State} */ (error.code) };
  }
}

/**
 * @param {unknown[]} tokens
 * @param {unknown[]} unavailable
 * @returns {State}
 */
export function stateOf(tokens, unavailable) {
  if (tokens.length > 0) return "ready";
  return unavailable.length > 0 ? "service_down" : "no_token";
}

/** @param {unknown} value @returns {any[]} */
const list = (value) => (Array.isArray(value) ? value : []);

/** @param {any} token @returns {Token} */
function token({ kind, reader, pin, tries_left: triesLeft, test }) {
  return { kind, pin, test: test === true, ...(reader ? { reader } : {}), ...(triesLeft === undefined ? {} : { triesLeft }) };
}

/**
 * What a page is told: nothing of tokens.
 * @param {Judgement} judgement
 * @returns {Status}
 */
export function statusOf({ plugin, state, agent }) {
  return { plugin, state, ...(agent === undefined ? {} : { agent }) };
}
