// The popup's side of the worker: tells the state while the popup is open, and does what the person presses.

import { MAX_WAIT } from "./agent.js";
import { EidError } from "./errors.js";
import { pause } from "./http.js";
import { activeSite, syncSites } from "./sites.js";
import { judge } from "./state.js";

/** @typedef {import("../types").EidProblem} EidProblem */
/** @typedef {import("../types").PopupState} PopupState */
/** @typedef {import("./agent.js").Agent} Agent */
/** @typedef {import("./calls.js").Parts} Parts */

/** Seconds between two looks for an agent that is not there, or not ours. */
const LOOK_AGAIN = 3;
const HISTORY = 10;

/**
 * @param {Parts} parts
 * @param {{ signal: AbortSignal, tell(state: PopupState): void }} popup `signal` is aborted when it closes
 * @returns what takes the popup's messages
 */
export function servePopup(parts, popup) {
  /** @type {EidProblem | undefined} */
  let error;
  let launch = true;
  /** Ends the present wait, so that the state is looked at anew. */
  let wake = () => {};
  popup.signal.addEventListener("abort", () => wake());

  async function loop() {
    let told = "";
    /** @type {number | undefined} */
    let since;
    while (!popup.signal.aborted) {
      const state = await stateOf(parts, launch, error);
      if (JSON.stringify(state) !== told) popup.tell(state);
      told = JSON.stringify(state);
      launch = false;
      const waiting = new AbortController();
      wake = () => waiting.abort();
      if (popup.signal.aborted) break;
      since = await change(parts.agent, state, since, waiting.signal);
    }
  }
  void loop();

  return async (/** @type {unknown} */ message) => {
    const action = /** @type {{ do?: unknown } | null} */ (message)?.do;
    if (action === undefined) return;
    launch = action === "refresh";
    error = await act(parts, action).then(() => undefined, (thrown) => EidError.of(thrown).toMessage());
    wake();
  };
}

/**
 * @param {Parts} parts
 * @param {unknown} action
 */
async function act({ agent, pairer }, action) {
  if (action === "pair") await pairer.ensure({ byPerson: true });
  if (action === "sites-changed") await syncSites();
  if (action !== "unpair") return;
  const pairing = await agent.store.load();
  if (pairing === null) return;
  try {
    await agent.request("DELETE", `/v1/pairings/${pairing.keyid}`);
  } finally {
    await agent.store.forget(true); // even if the agent is not there to hear of it: the key is gone
    agent.reset();
  }
}

/**
 * @param {Parts} parts
 * @param {boolean} launch
 * @param {EidProblem | undefined} error
 * @returns {Promise<PopupState>}
 */
async function stateOf({ agent, version }, launch, error) {
  const site = await activeSite().catch(() => undefined);
  const more = { ...(site === undefined ? {} : { site }), ...(error === undefined ? {} : { error }) };
  try {
    const judgement = await judge(agent, version, launch);
    if (judgement.tokens === undefined) return { ...judgement, ...more };
    const [{ body: history }, { body: pairings }] = await Promise.all([
      agent.request("GET", "/v1/history"),
      agent.request("GET", "/v1/pairings"),
    ]);
    const [pairing] = pairings.pairings;
    return { ...judgement, history: history.entries.slice(0, HISTORY), ...(pairing === undefined ? {} : { pairing }), ...more };
  } catch (thrown) {
    return { plugin: version, state: "no_agent", ...more, error: EidError.of(thrown).toMessage() };
  }
}

/**
 * Waits until something changed, or may have.
 * @param {Agent} agent
 * @param {PopupState} state
 * @param {number | undefined} since the last event seen
 * @param {AbortSignal} signal
 * @returns {Promise<number | undefined>} the last event seen now
 */
async function change(agent, state, since, signal) {
  try {
    if (state.tokens !== undefined) return (await agent.events(since ?? 0, since === undefined ? 0 : MAX_WAIT, signal)).next;
  } catch {
    // The agent is away: look again, as for one that never was there.
  }
  await pause(LOOK_AGAIN, signal).catch(() => undefined);
  return undefined;
}
