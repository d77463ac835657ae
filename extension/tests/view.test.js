// What the popup and the pairing window show, from the worker's messages alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { matches, patternOf } from "../background/sites.js";
import { view as pairView } from "../pair/view.js";
import { changes, view } from "../popup/view.js";
import { STATES, ascii, clean, outcome } from "../popup/words.js";
import { PAIR, POPUP } from "./screens.js";

const ready = POPUP.ready;

test("each state has its own title, and every state but ready one remedy", () => {
  const views = STATES.map((state) => view(/** @type {any} */ ({ state, plugin: "0.2.0" })).state);
  assert.equal(new Set(views.map((state) => state.title.key)).size, STATES.length);
  const remedies = views.flatMap((state) => state.remedy?.key ?? []);
  assert.equal(new Set(remedies).size, STATES.length - 1);
  assert.equal(view(ready).state.remedy, undefined);
});

test("before the first message it looks; when the worker does not answer it says so, whatever was known", () => {
  assert.equal(view(null).state.title.key, "state_connecting_title");
  assert.equal(view(null).tokens, undefined);
  assert.equal(view(ready, { lost: true }).state.title.key, "state_lost_title");
});

test("an unknown state, an unknown code and odd values are shown as such", () => {
  const odd = view(/** @type {any} */ ({
    state: "constructor",
    plugin: 7,
    tokens: [{ kind: "ring", pin: "toString", reader: "a\u202Eb\n\u0000c" }, null],
    history: [{ time: "yesterday", action: "constructor", origin: "javascript:alert(1)", outcome: "<b>" }, null],
    site: { origin: "null", allowed: true },
  }));
  assert.equal(odd.state.title.key, "state_unknown_title");
  assert.equal(odd.plugin, "");
  assert.deepEqual(odd.tokens?.map((token) => [token.kind.key, token.pin.key, token.reader]), [
    ["kind_unknown", "pin_unknown", "a b c"],
    ["kind_unknown", "pin_unknown", ""],
  ]);
  assert.deepEqual(odd.history?.map((entry) => [entry.time, entry.origin, entry.action.key, entry.outcome]), [
    ["", "", "action_unknown", { key: "code_unknown", args: ["?"] }],
    ["", "", "action_unknown", { key: "code_unknown", args: ["?"] }],
  ]);
  assert.equal(odd.site.origin, "");
  assert.deepEqual(outcome("a_new_code"), { key: "code_unknown", args: ["a_new_code"] });
});

test("a site can be allowed if it is https or localhost, and taken back if it is not listed", () => {
  const site = (/** @type {string} */ origin, allowed = false, listed = false) =>
    view({ ...ready, site: { origin, allowed, listed } }).site;
  assert.equal(site("https://portal.example").button, "allow");
  assert.equal(site("http://localhost:8080").button, "allow");
  assert.equal(site("http://localhost.example").button, undefined);
  assert.equal(site("http://portal.example").button, undefined);
  assert.equal(site("https://portal.example", true).button, "remove");
  assert.equal(site("https://esia.gosuslugi.ru", true, true).button, undefined);
  assert.equal(view({ ...ready, site: undefined }).site.button, undefined);
});

test("what is allowed is exactly the origin where the browser knows ports, and the person is told where it does not", () => {
  assert.equal(patternOf("https://portal.example", true), "https://portal.example:443/*");
  assert.equal(patternOf("http://localhost:8080", true), "http://localhost:8080/*");
  assert.equal(patternOf("http://localhost:8080", false), "http://localhost/*");
  assert.ok(matches(patternOf("https://portal.example", true), "https://portal.example"));
  assert.ok(!matches(patternOf("https://portal.example", true), "https://portal.example:8443"));
  const detail = (/** @type {boolean} */ ports) => view(POPUP["ready-new"], { ports }).site.detail?.key;
  assert.equal(detail(true), undefined);
  assert.equal(detail(false), "site_any_port");
});

test("a site is shown in ASCII, with a caution where it holds a foreign alphabet", () => {
  assert.equal(ascii("https://пример.example/path"), "https://xn--e1afmkfd.example");
  assert.equal(ascii("file:///etc/passwd"), "");
  assert.equal(ascii(undefined), "");
  assert.equal(view(POPUP["site-punycode"]).site.caution?.key, "site_punycode");
  assert.equal(view({ ...ready, site: { origin: "https://not-xn--.example", allowed: false, listed: false } }).site.caution, undefined);
});

test("foreign words lose what could mislead, and their excess", () => {
  assert.equal(clean(" a\u200B\u202E\tb\u2028 "), "a b");
  assert.equal(clean("x".repeat(500)).length, 80);
  assert.equal(clean({}), "");
});

test("tries left are said only where they are known and matter", () => {
  const pin = (/** @type {any} */ token) => view({ ...ready, tokens: [token] }).tokens?.[0]?.pin;
  assert.deepEqual(pin({ kind: "card", pin: "low", triesLeft: 2 }), { key: "pin_low", args: ["2"], count: 2 });
  assert.deepEqual(pin({ kind: "card", pin: "low" }), { key: "pin_low" });
  assert.deepEqual(pin({ kind: "card", pin: "ok", triesLeft: 3 }), { key: "pin_ok" });
  assert.deepEqual(pin({ kind: "card", pin: "low", triesLeft: -1 }), { key: "pin_low" });
});

test("what changed is told: a token that came or went, a site, a new record", () => {
  const said = (/** @type {any} */ before, /** @type {any} */ after) => changes(view(before), view(after)).map(({ key }) => key);
  const card = { kind: "card", reader: "A", pin: "ok", test: false };
  assert.deepEqual(said(ready, ready), []);
  assert.deepEqual(said(null, ready), []);
  assert.deepEqual(said({ ...ready, tokens: [] }, { ...ready, tokens: [card] }), ["said_token"]);
  assert.deepEqual(said({ ...ready, tokens: [card, card] }, { ...ready, tokens: [card] }), ["said_token_removed"]);
  assert.deepEqual(said({ ...ready, tokens: [card] }, { ...ready, tokens: [{ ...card, pin: "locked" }] }), ["said_token"]);
  assert.deepEqual(said({ ...ready, site: POPUP["ready-new"].site }, { ...ready, site: { ...POPUP["ready-new"].site, allowed: true } }), ["site_allowed"]);
  assert.deepEqual(said({ ...ready, history: [] }, ready), ["said_entry"]);
});

test("the digits are shown in two groups, and only in the stage that compares them", () => {
  assert.deepEqual(pairView(PAIR.compare).digits, ["042", "917"]);
  assert.deepEqual(pairView(PAIR.compare).buttons, ["same", "cancel"]);
  assert.deepEqual(pairView(PAIR.compare_agreed).buttons, ["cancel"]);
  assert.notDeepEqual(pairView(PAIR.compare_agreed).agree, pairView(PAIR.compare).agree);
  assert.deepEqual(pairView({ stage: "compare", digits: "042917" }).digits, ["042", "917"]);
  assert.deepEqual(pairView({ stage: "compare", digits: "<b>1" }).digits, []);
  assert.deepEqual(pairView({ stage: "paired", digits: "042 917" }).digits, []);
  assert.deepEqual(pairView({ stage: "failed", digits: "042 917" }).digits, []);
});

test("each end of a pairing has its own words; another try is offered where it can help", () => {
  const codes = ["declined", "expired", "cancelled", "commitment_mismatch", "busy", "no_agent", "rate_limited", "interrupted", "old_agent"];
  const views = codes.map((code) => pairView(PAIR[code]));
  assert.equal(new Set(views.map((one) => one.title.key)).size, codes.length);
  assert.equal(new Set(views.map((one) => one.remedy?.key)).size, codes.length);
  assert.equal(pairView(PAIR.declined).buttons[0], "again");
  assert.deepEqual(pairView(PAIR.old_agent).buttons, ["close"]);
  assert.equal(pairView(PAIR.commitment_mismatch).title.key, "pair_commitment_mismatch_title");
  assert.deepEqual(pairView(PAIR.a_new_code).text, { key: "because", args: [{ key: "code_unknown", args: ["a_new_code"] }] });
  assert.equal(pairView(/** @type {any} */ ({ stage: "failed" })).title.key, "pair_failed_title");
  assert.equal(pairView(/** @type {any} */ ({ stage: "levitating" })).title.key, "pair_connecting_title");
});
