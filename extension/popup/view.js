// What the popup shows, as a pure function of the worker's message (and of what
// the popup is busy with). The same message gives the same view; popup.js only
// draws it. No DOM, no browser API.

import { STATES, action, ascii, clean, kind, name, outcome, pin, pinTone, say, unavailable } from "./words.js";

/** @typedef {import("../types").PopupState} PopupState */
/** @typedef {import("../types").Token} Token */
/** @typedef {import("../types").HistoryEntry} Entry */
/** @typedef {import("./words.js").Words} Words */

/**
 * @typedef {"good" | "attention" | "problem" | "busy"} Tone
 *
 * @typedef {object} StateView
 * @property {Tone} tone
 * @property {Words} title
 * @property {Words} [text]
 * @property {Words} [remedy] the one thing that helps
 * @property {"pair" | "refresh"} [button]
 * @property {string} [help] the part of the help page that says more
 * @property {Words | undefined} [error] why the last thing the person asked for did not succeed
 *
 * @typedef {object} TokenView
 * @property {Words} kind
 * @property {string} reader
 * @property {Words} pin
 * @property {"good" | "attention" | "problem"} tone
 * @property {boolean} test
 *
 * @typedef {object} EntryView
 * @property {string} time RFC 3339, or empty
 * @property {string} origin
 * @property {Words} action
 * @property {Words} outcome
 * @property {boolean} done
 *
 * @typedef {object} SiteView
 * @property {string} origin
 * @property {Words} text
 * @property {"allow" | "remove"} [button]
 * @property {Words | undefined} [caution] what should make the person look twice
 * @property {Words | undefined} [detail] what the browser will allow beyond this origin
 *
 * @typedef {object} View
 * @property {StateView} state
 * @property {SiteView} site
 * @property {TokenView[] | undefined} tokens
 * @property {Words[]} unavailable sources of tokens that could not be looked at
 * @property {EntryView[] | undefined} history
 * @property {{since: string} | undefined} pairing `since` is RFC 3339, or empty
 * @property {string} plugin
 * @property {string} agent
 */

/** Records shown; the whole history is the agent's. */
const ENTRIES = 3;

/**
 * @param {PopupState | null} message the last one; null before the first
 * @param {{lost?: boolean, ports?: boolean}} [own] what only the popup knows: `lost`, the worker does not answer;
 *   `ports`, whether the browser tells the ports of a site apart
 * @returns {View}
 */
export function view(message, own = {}) {
  const told = /** @type {Partial<PopupState>} */ (message ?? {});
  return {
    state: own.lost ? lost() : message ? state(message) : connecting(),
    site: site(told.site, message !== null, own.ports ?? true),
    tokens: Array.isArray(told.tokens) ? told.tokens.map(token) : undefined,
    unavailable: Array.isArray(told.unavailable) ? told.unavailable.map(({ source }) => unavailable(source)) : [],
    history: Array.isArray(told.history) ? told.history.slice(0, ENTRIES).map(entry) : undefined,
    pairing: told.pairing ? { since: time(told.pairing.created) } : undefined,
    plugin: clean(told.plugin, 20),
    agent: clean(told.agent, 20),
  };
}

/** @returns {StateView} */
const connecting = () => ({ tone: "busy", title: say("state_connecting_title") });

/** @returns {StateView} */
const lost = () => ({ tone: "problem", title: say("state_lost_title"), remedy: say("state_lost_remedy") });

/**
 * @param {PopupState} message
 * @returns {StateView}
 */
function state(message) {
  const error = message.error ? say("because", outcome(message.error.code)) : undefined;
  if (!STATES.includes(message.state)) {
    return {
      tone: "attention",
      title: say("state_unknown_title"),
      text: say("state_unknown_text", name(message.state)),
      remedy: say("state_unknown_remedy"),
      button: "refresh",
      error,
    };
  }
  const at = message.state;
  /** @type {StateView} */
  const view = { tone: "good", title: say(`state_${at}_title`), text: say(`state_${at}_text`), error };
  if (at === "ready") return view;
  view.remedy = say(`state_${at}_remedy`);
  view.tone = at === "not_paired" || at === "no_token" ? "attention" : "problem";
  if (at === "not_paired") view.button = "pair";
  else if (at !== "no_token") view.button = "refresh";
  view.help = at;
  const agent = clean(message.agent, 20);
  if (at === "old_agent" && agent) view.text = say("state_old_agent_version", agent);
  return view;
}

/**
 * @param {PopupState["site"]} site
 * @param {boolean} known whether the worker has spoken
 * @param {boolean} ports
 * @returns {SiteView}
 */
function site(site, known, ports) {
  const origin = ascii(site?.origin);
  if (!origin) return { origin: "", text: say(known ? "site_none" : "site_unknown") };
  const url = new URL(origin);
  const caution = url.hostname.split(".").some((label) => label.startsWith("xn--")) ? say("site_punycode") : undefined;
  if (site?.listed) return { origin, text: say("site_listed"), caution };
  if (site?.allowed) return { origin, text: say("site_allowed"), button: "remove", caution };
  if (!grantable(url)) return { origin, text: say("site_insecure"), caution };
  const detail = url.port && !ports ? say("site_any_port", url.hostname) : undefined;
  return { origin, text: say("site_not_allowed"), button: "allow", caution, detail };
}

/**
 * Whether a site may be allowed at all: an encrypted one, or one on this computer.
 * @param {URL} url
 */
const grantable = (url) => url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "localhost");

/**
 * @param {Token} token
 * @returns {TokenView}
 */
const token = (token) => ({
  kind: kind(token?.kind),
  reader: clean(token?.reader),
  pin: pin(token?.pin, token?.triesLeft),
  tone: pinTone(token?.pin),
  test: token?.test === true,
});

/**
 * @param {Entry} entry
 * @returns {EntryView}
 */
const entry = (entry) => ({
  time: time(entry?.time),
  origin: ascii(entry?.origin),
  action: action(entry?.action),
  outcome: outcome(entry?.outcome),
  done: entry?.outcome === "done",
});

/**
 * @param {unknown} time
 * @returns {string}
 */
const time = (time) => (typeof time === "string" && !Number.isNaN(Date.parse(time)) ? time : "");

/**
 * What to tell somebody who cannot see the change from one view to the next, most important first.
 * The state speaks for itself: it stands in a live region.
 * @param {View} before
 * @param {View} after
 * @returns {Words[]}
 */
export function changes(before, after) {
  /** @type {Words[]} */
  const words = [];
  if (before.tokens && after.tokens) {
    for (const token of missing(after.tokens, before.tokens)) words.push(say("said_token", token.kind, token.pin));
    if (after.tokens.length < before.tokens.length) words.push(say("said_token_removed"));
  }
  if (before.site.origin === after.site.origin && before.site.button !== after.site.button) words.push(after.site.text);
  const [newest] = after.history ?? [];
  if (before.history && newest && missing([newest], before.history).length) {
    words.push(say("said_entry", newest.origin, newest.action, newest.outcome));
  }
  return words;
}

/**
 * Those of `some` that are not in `others`.
 * @template T
 * @param {T[]} some
 * @param {T[]} others
 * @returns {T[]}
 */
function missing(some, others) {
  const left = others.map((other) => JSON.stringify(other));
  return some.filter((one) => {
    const at = left.indexOf(JSON.stringify(one));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
