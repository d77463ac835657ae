// What can be said, without saying it: every name of a state, a code or a kind
// becomes the key of a message in _locales. Pure: no DOM, no browser API.

/**
 * A text to be shown: the key of a message and what goes into it.
 * With `count`, the key is that of a family: `key_one`, `key_few`, `key_many`, `key_other`.
 * @typedef {{key: string, args?: (string | Words)[], count?: number}} Words
 */

/**
 * @param {string} key
 * @param {(string | Words)[]} args
 * @returns {Words}
 */
export const say = (key, ...args) => (args.length ? { key, args } : { key });

/** The states of the plugin, as the worker names them. */
export const STATES = ["ready", "no_agent", "old_agent", "old_plugin", "not_paired", "no_token", "service_down"];

/** Codes of the protocol (section 10 of PROTOCOL.md). A test compares them with the document. */
export const PROTOCOL_CODES = [
  "bad_host", "forbidden_context", "not_found", "method_not_allowed", "unsupported_media_type", "too_large",
  "malformed", "invalid_field", "unsupported_format", "not_paired", "bad_signature", "stale_signature", "replayed",
  "rate_limited", "busy", "idempotency_conflict", "commitment_mismatch", "too_many_pairings", "origin_not_allowed", "declined",
  "cancelled", "expired", "no_token", "no_certificate", "token_removed", "card_in_use",
  "reader_service_unavailable", "pin_incorrect", "pin_locked",
  "pin_must_change", "prompt_unavailable", "module_failed", "module_unavailable", "unsupported_algorithm",
  "signature_mismatch", "history_failed", "internal",
];

/** Codes of the plugin itself. */
export const PLUGIN_CODES = [
  "no_plugin", "no_agent", "old_agent", "old_plugin", "aborted", "frame_not_allowed",
  "insecure_context", "pending",
];

const CODES = new Set([...PROTOCOL_CODES, ...PLUGIN_CODES]);
const KINDS = new Set(["card", "pkcs11", "software"]);
const ACTIONS = new Set(["confirmation", "signatures", "certificate"]);
const SOURCES = new Set(["pcsc", "pkcs11", "software"]);
const PINS = new Set(["ok", "low", "final_try", "locked", "must_change", "not_needed"]);

/**
 * How something ended, in a few words.
 * @param {unknown} code `done`, or an error code
 * @returns {Words}
 */
export function outcome(code) {
  if (code === "done") return say("outcome_done");
  if (CODES.has(/** @type {string} */ (code))) return say(`code_${code}`);
  return say("code_unknown", name(code));
}

/**
 * What was asked.
 * @param {unknown} action
 * @returns {Words}
 */
export const action = (action) => say(ACTIONS.has(/** @type {string} */ (action)) ? `action_${action}` : "action_unknown");

/**
 * What kind of token it is.
 * @param {unknown} kind
 * @returns {Words}
 */
export const kind = (kind) => say(KINDS.has(/** @type {string} */ (kind)) ? `kind_${kind}` : "kind_unknown");

/**
 * Where eid-agent could not look.
 * @param {unknown} source
 * @returns {Words}
 */
export function unavailable(source) {
  return say(SOURCES.has(/** @type {string} */ (source)) ? `unavailable_${source}` : "unavailable_unknown");
}

/**
 * How its PIN is.
 * @param {unknown} pin
 * @param {unknown} [triesLeft]
 * @returns {Words}
 */
export function pin(pin, triesLeft) {
  if (pin === "low" && typeof triesLeft === "number" && Number.isSafeInteger(triesLeft) && triesLeft > 0) {
    return { key: "pin_low", args: [String(triesLeft)], count: triesLeft };
  }
  return say(PINS.has(/** @type {string} */ (pin)) ? `pin_${pin}` : "pin_unknown");
}

/**
 * Whether the person should look at this PIN.
 * @param {unknown} pin
 * @returns {"good" | "attention" | "problem"}
 */
export function pinTone(pin) {
  if (pin === "ok" || pin === "not_needed") return "good";
  return pin === "locked" ? "problem" : "attention";
}

/**
 * A name given by a machine: shown only if it looks like one.
 * @param {unknown} code
 * @returns {string}
 */
export const name = (code) => (typeof code === "string" && /^[a-z][a-z0-9_]{0,40}$/.test(code) ? code : "?");

/**
 * A foreign word (a reader's name, a version): without control, invisible and direction marks, and not endless.
 * @param {unknown} text
 * @param {number} [most] characters
 * @returns {string}
 */
export function clean(text, most = 80) {
  if (typeof text !== "string") return "";
  const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").replace(/\s+/gu, " ").trim();
  return plain.length > most ? `${[...plain].slice(0, most - 1).join("")}…` : plain;
}

/**
 * A site's origin in ASCII, or nothing. It has come from the browser; this keeps what is shown to what an origin is.
 * @param {unknown} origin
 * @returns {string}
 */
export function ascii(origin) {
  if (typeof origin !== "string" || !URL.canParse(origin)) return "";
  const url = new URL(origin);
  return url.protocol === "https:" || url.protocol === "http:" ? url.origin : "";
}
