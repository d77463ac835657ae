// One operation at the agent, from start to end: PROTOCOL.md section 8. The call's id is the Idempotency-Key, so a call that
// is sent again, by a worker that knows nothing of the first, goes on with the same operation.

import { isOlder, MAX_WAIT, MIN_AGENT } from "./agent.js";
import { EidError } from "./errors.js";
import { pause } from "./http.js";

/** @typedef {import("../types").Operation} Operation */
/** @typedef {import("../types").Progress} Progress */
/** @typedef {import("./agent.js").Agent} Agent */
/** @typedef {"/v1/confirmations" | "/v1/certificates" | "/v1/signatures"} Path */
/** @typedef {{ signal: AbortSignal, progress(stage: Progress): void, pair(): Promise<void> }} Hooks `pair` is asked once, if that is what is missing */

/** Seconds a call waits for another request's window to close: a page that was loaded again is not told `busy`. */
const BUSY_PATIENCE = 6;
/** Seconds an agent that was there may be away, being restarted. */
const RESTART_PATIENCE = 10;
const FINAL = ["done", "failed", "cancelled", "expired"];

/**
 * Runs an operation to its end. Aborting the signal cancels it at the agent.
 *
 * An agent that was restarted has forgotten it. The result of the first was handed to nobody and the person is asked anew, so a
 * confirmation is begun once more under the same id. A document's signature is not: the first may have been made.
 * @param {Agent} agent
 * @param {Path} path
 * @param {Record<string, unknown>} body the same for the same id, byte for byte
 * @param {string} id
 * @param {Hooks} hooks
 * @returns {Promise<Operation>} in state `done`
 */
export async function operate(agent, path, body, id, hooks) {
  for (let again = path !== "/v1/signatures"; ; again = false) {
    const operation = await follow(agent, path, await start(agent, path, body, id, hooks), hooks);
    if (operation !== "forgotten") return finished(operation);
    if (!again) {
      throw new EidError("internal", "The identity agent was restarted before it answered. Nothing was handed out; try again.", { retryable: true });
    }
  }
}

/**
 * @param {Agent} agent
 * @param {Path} path
 * @param {Record<string, unknown>} body
 * @param {string} id
 * @param {Hooks} hooks
 * @returns {Promise<Operation>}
 */
async function start(agent, path, body, id, { signal, pair }) {
  for (let patience = BUSY_PATIENCE, paired = false; ; ) {
    try {
      const { info } = await agent.connect();
      if (isOlder(info.version, MIN_AGENT)) throw new EidError("old_agent");
      if (signal.aborted) throw new EidError("aborted");
      // Not aborted in flight: what has begun can only be cancelled by the name it is given here.
      return (await agent.request("POST", path, { body, idempotencyKey: id })).body;
    } catch (thrown) {
      const error = EidError.of(thrown);
      if (error.code === "not_paired" && !paired) {
        paired = true; // a connection that is remembered may be older than the end of its pairing, so it is told here at last
        await pair();
        continue;
      }
      const wait = Math.min(error.retryAfter ?? 2, error.code === "busy" ? 2 : Infinity);
      patience -= wait;
      if ((error.code !== "busy" && error.code !== "rate_limited") || patience < 0) throw error;
      await pause(wait, signal);
    }
  }
}

/**
 * @param {Agent} agent
 * @param {Path} path
 * @param {Operation} operation
 * @param {Hooks} hooks
 * @returns {Promise<Operation | "forgotten">} final
 */
async function follow(agent, path, operation, { signal, progress }) {
  const over = new AbortController();
  const stop = () => over.abort();
  signal.addEventListener("abort", stop);
  try {
    if (!FINAL.includes(operation.state)) void watch(agent, operation.id, over.signal, progress);
    for (let now = operation; ; ) {
      if (signal.aborted) throw new EidError("aborted");
      if (FINAL.includes(now.state)) return now;
      progress(/** @type {Progress} */ (now.state));
      now = await stateOf(agent, `${path}/${operation.id}`, signal);
    }
  } catch (error) {
    if (EidError.of(error).code === "not_found") return "forgotten";
    // Should this fail too, the agent ends the operation by itself when it misses its caller.
    if (signal.aborted) await agent.request("DELETE", `${path}/${operation.id}`).catch(() => undefined);
    throw error;
  } finally {
    stop();
    signal.removeEventListener("abort", stop);
  }
}

/**
 * The operation when it is final or the wait is over. While the agent is away, it is looked for.
 * @param {Agent} agent
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<Operation>}
 */
async function stateOf(agent, path, signal) {
  for (let away = 0; ; away++) {
    try {
      return (await agent.request("GET", path, { wait: MAX_WAIT, signal })).body;
    } catch (error) {
      const { code } = EidError.of(error);
      if ((code !== "no_agent" && code !== "not_paired") || away === RESTART_PATIENCE) throw error;
      await pause(1, signal);
    }
  }
}

/**
 * Tells how the operation goes on between two answers of the long poll. A nicety: its failure fails nothing.
 * @param {Agent} agent
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {(stage: Progress) => void} progress
 */
async function watch(agent, id, signal, progress) {
  try {
    for (let since = 0; !signal.aborted; ) {
      const { events, next } = await agent.events(since, MAX_WAIT, signal);
      const last = events.findLast((/** @type {any} */ event) => event.type === "operation.changed" && event.operation === id);
      if (last !== undefined && !FINAL.includes(last.state) && !signal.aborted) progress(last.state);
      since = next;
    }
  } catch {
    // The long poll of the operation itself tells what matters.
  }
}

/** @param {Operation} operation */
function finished(operation) {
  if (operation.state === "done") return operation;
  throw EidError.ofProblem(operation.problem, operation.problem?.status ?? 0);
}
