// Every state the popup and the pairing window can be in, as the worker's
// messages: for the tests of the views, and for pictures of the pages.

const site = { origin: "https://portal.example", allowed: true, listed: false };
const other = { origin: "https://kabinet.example:8443", allowed: false, listed: false };
const pairing = { id: "0cebf1bc", created: "2026-11-20T09:30:00Z" };
const versions = { agent: "0.2.0", plugin: "0.2.0" };
const history = [
  { time: "2026-11-25T21:38:12Z", action: "confirmation", origin: "https://portal.example", outcome: "done" },
  { time: "2026-11-25T21:36:40Z", action: "confirmation", origin: "https://portal.example", outcome: "pin_incorrect" },
  { time: "2026-11-24T08:05:00Z", action: "signatures", origin: "https://kabinet.example:8443", outcome: "declined" },
  { time: "2026-11-23T18:00:09Z", action: "certificate", origin: "https://xn--e1afmkfd.example", outcome: "done" },
  { time: "2026-11-23T17:59:00Z", action: "confirmation", origin: "https://portal.example", outcome: "a_new_code" },
];
const card = { kind: "card", reader: "ACS ACR39U ICC Reader 00 00", pin: "ok", triesLeft: 3, test: false };

/** Loosely typed: some of it is what no worker of today says. @type {Record<string, any>} */
export const POPUP = {
  connecting: null,
  ready: { state: "ready", ...versions, tokens: [card], history, site, pairing },
  "ready-new": { state: "ready", ...versions, tokens: [card], history: [], site: other, pairing },
  "ready-tokens": {
    state: "ready", ...versions, history: history.slice(0, 1), pairing,
    site: { origin: "https://esia.gosuslugi.ru", allowed: true, listed: true },
    tokens: [
      { ...card, pin: "low", triesLeft: 2 },
      { kind: "pkcs11", reader: "Aktiv Rutoken ECP 00 00", pin: "final_try", triesLeft: 1 },
      { kind: "card", reader: "Gemalto PC Twin Reader", pin: "locked", triesLeft: 0 },
      { kind: "pkcs11", pin: "must_change" },
      { kind: "software", pin: "not_needed", test: true },
      { kind: "software", pin: "low", test: true },
    ],
  },
  no_agent: { state: "no_agent", plugin: "0.2.0", site: other },
  old_agent: { state: "old_agent", agent: "0.1.0", plugin: "0.2.0", site: other },
  old_plugin: { state: "old_plugin", agent: "2.0.0", plugin: "0.2.0", site: other },
  not_paired: { state: "not_paired", ...versions, site: { origin: "http://localhost:8080", allowed: false } },
  "not_paired-error": { state: "not_paired", ...versions, site: other, error: { code: "busy", message: "…" } },
  no_token: { state: "no_token", ...versions, tokens: [], history, site, pairing },
  service_down: {
    state: "service_down", ...versions, tokens: [], history: [], site, pairing,
    unavailable: [{ source: "pcsc", reason: "module_unavailable" }, { source: "pkcs11", reason: "module_failed" }],
  },
  "site-insecure": { state: "ready", ...versions, tokens: [card], site: { origin: "http://portal.example", allowed: false }, pairing },
  "site-none": { state: "ready", ...versions, tokens: [card], site: { allowed: false }, pairing: { id: "0cebf1bc" } },
  "site-punycode": {
    state: "ready", ...versions, tokens: [card], pairing,
    site: { origin: "https://xn--80aaacg3ajc5bedviq9r.a-very-long-name-that-does-not-fit-into-one-line.example", allowed: false },
  },
  unknown: { state: "levitating", plugin: "0.4.0", site: other },
};

/** @type {Record<string, any>} */
export const PAIR = {
  start: null,
  connecting: { stage: "connecting" },
  compare: { stage: "compare", digits: "042 917" },
  compare_agreed: { stage: "compare", digits: "042 917", agreed: true },
  paired: { stage: "paired" },
  ...Object.fromEntries(
    [
      "declined", "expired", "cancelled", "commitment_mismatch", "busy", "rate_limited", "too_many_pairings", "no_agent", "prompt_unavailable",
      "old_agent", "old_plugin", "interrupted", "bad_signature", "a_new_code",
    ].map((code) => [code, { stage: "failed", error: { code, message: "…" } }]),
  ),
};
