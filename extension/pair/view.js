// What the pairing window shows, as a pure function of the worker's message.

import { name, outcome, say } from "../popup/words.js";

/** @typedef {import("../types").PairState} PairState */
/** @typedef {import("../popup/words.js").Words} Words */

/**
 * @typedef {object} View
 * @property {"busy" | "attention" | "good" | "problem"} tone
 * @property {Words} title
 * @property {Words} [text]
 * @property {string[]} digits two groups of three, or none
 * @property {Words} [agree] where to agree
 * @property {Words} [remedy]
 * @property {boolean} note whether sites are spoken of
 * @property {("again" | "same" | "cancel" | "close")[]} buttons the first gets the focus when it ends
 */

/** Ends that have words of their own here; others are told by their code's. */
const ENDS = [
  "declined", "expired", "cancelled", "commitment_mismatch", "busy", "rate_limited", "too_many_pairings", "no_agent", "prompt_unavailable",
  "old_agent", "old_plugin", "interrupted",
];

/** Other names of the same end. */
const SAME = new Map([
  ["not_found", "expired"],
  ["aborted", "cancelled"],
]);

/** Ends that another try cannot mend. */
const FINAL = new Set(["old_agent", "old_plugin"]);

/**
 * @param {PairState | null} message the last one; null before the first
 * @returns {View}
 */
export function view(message) {
  const digits = /^(\d{3}) ?(\d{3})$/.exec(message?.digits ?? "");
  if (message?.stage === "compare" && digits) {
    return {
      tone: "attention",
      title: say("pair_compare_title"),
      text: say("pair_compare_text"),
      digits: digits.slice(1),
      agree: say(message.agreed ? "pair_compare_agreed" : "pair_compare_agree"),
      note: true,
      buttons: message.agreed ? ["cancel"] : ["same", "cancel"],
    };
  }
  if (message?.stage === "paired") {
    return {
      tone: "good",
      title: say("pair_paired_title"),
      text: say("pair_paired_text"),
      digits: [],
      note: false,
      buttons: ["close"],
    };
  }
  return message?.stage === "failed" ? failed(message.error?.code) : connecting();
}

/** @returns {View} */
const connecting = () => ({
  tone: "busy",
  title: say("pair_connecting_title"),
  text: say("pair_connecting_text"),
  digits: [],
  note: false,
  buttons: ["cancel"],
});

/**
 * @param {unknown} code
 * @returns {View}
 */
function failed(code) {
  const told = name(code);
  const end = SAME.get(told) ?? told;
  /** @type {Pick<View, "tone" | "digits" | "note" | "buttons">} */
  const common = {
    tone: "problem",
    digits: [],
    note: false,
    buttons: FINAL.has(end) ? ["close"] : ["again", "close"],
  };
  if (ENDS.includes(end)) {
    return { ...common, title: say(`pair_${end}_title`), remedy: say(`pair_${end}_remedy`) };
  }
  const text = say("because", outcome(told));
  return { ...common, title: say("pair_failed_title"), text, remedy: say("pair_failed_remedy") };
}

/** Whether nothing more will come by itself. @param {PairState | null} message */
export const ended = (message) => message?.stage === "paired" || message?.stage === "failed";
