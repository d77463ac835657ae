// Who may call, from where, with what. Everything a content script sends is a stranger's word.

import "./setup.js";
import assert from "node:assert/strict";
import test from "node:test";
import { callMessage, confirmationBody, signatureBody } from "../background/calls.js";
import { callerOf } from "../background/callers.js";
import { matches, patternOf } from "../background/sites.js";

const PORTAL = "https://portal.example";
const CHALLENGE = "A".repeat(44);

/** @param {any} sender */
const sender = (sender) => ({ id: "x", frameId: 0, tab: { id: 1 }, ...sender });
/** @param {any} from @param {unknown} [ancestors] */
const caller = (from, ancestors) => callerOf(sender(from), ancestors);
/** @param {any} from @param {string} code @param {unknown} [ancestors] */
const refused = (from, code, ancestors) => assert.throws(() => caller(from, ancestors), (/** @type {any} */ error) => error.code === code && error.message !== "");

test("a page in a tab is its origin", () => {
  assert.deepEqual(caller({ origin: PORTAL }), { origin: PORTAL });
  assert.deepEqual(caller({ url: `${PORTAL}/a/page?with=query` }), { origin: PORTAL });
  assert.deepEqual(caller({ origin: "http://localhost:8080" }), { origin: "http://localhost:8080" });
});

test("no origin, no secure origin, no tab: refused", () => {
  refused({ origin: "null", url: `${PORTAL}/sandboxed` }, "frame_not_allowed");
  refused({ url: "about:srcdoc" }, "frame_not_allowed");
  refused({}, "frame_not_allowed");
  refused({ origin: PORTAL, tab: undefined }, "frame_not_allowed");
  refused({ origin: PORTAL, documentLifecycle: "prerender" }, "frame_not_allowed");
  refused({ origin: "http://portal.example" }, "insecure_context");
  refused({ origin: "http://localhost.example" }, "insecure_context");
  refused({ origin: "file://" }, "frame_not_allowed");
});

test("a frame is named with the page that shows it", () => {
  const frame = { origin: PORTAL, frameId: 7 };
  const top = "https://outer.example";
  assert.deepEqual(caller({ ...frame, tab: { id: 1, url: `${top}/page` } }), { origin: PORTAL, topOrigin: top });
  assert.deepEqual(caller({ ...frame, tab: { id: 1, url: `${PORTAL}/page` } }), { origin: PORTAL });
  assert.deepEqual(caller(frame, ["https://between.example", top]), { origin: PORTAL, topOrigin: top });
  refused(frame, "frame_not_allowed");
  refused({ ...frame, tab: { id: 1, url: `${top}/page` } }, "frame_not_allowed", [PORTAL]);
  for (const hint of [[], "https://outer.example", ["null"], ["http://outer.example"], [7], [`${top}/`], Array(33).fill(top)]) {
    refused(frame, "frame_not_allowed", hint);
  }
});

test("the first message of a call", () => {
  const id = "0b1b7a3e-6d0c-4c39-9d5c-3f9a54a8a001";
  assert.deepEqual(callMessage({ call: "status", id, arguments: {} }), { call: "status", id, arguments: {}, ancestors: undefined });
  for (const other of [null, 1, "x", {}, { ping: true }, { call: "status", id: "1", arguments: {} }, { call: 1, id, arguments: {} }, { call: "status", id, arguments: [] }, { call: "status", id }]) {
    assert.equal(callMessage(other), null);
  }
});

test("a confirmation has the browser's origins, and of the page what the protocol names", () => {
  const args = { challenge: CHALLENGE, origin: "https://bank.example", top_origin: "https://bank.example", token: "t", text: "Win!" };
  assert.deepEqual(confirmationBody(args, { origin: PORTAL }), { origin: PORTAL, challenge: CHALLENGE, format: "jws", purpose: "confirm_identity" });
  const framed = confirmationBody({ challenge: CHALLENGE, format: "cms", detached: true, purpose: "sign_in" }, { origin: PORTAL, topOrigin: "https://o.example" });
  assert.deepEqual(framed, { origin: PORTAL, top_origin: "https://o.example", challenge: CHALLENGE, format: "cms", purpose: "sign_in", detached: true });
  const card = confirmationBody({ challenge: CHALLENGE, format: "uec", holder_signature: true }, { origin: PORTAL });
  assert.deepEqual(card, { origin: PORTAL, challenge: CHALLENGE, format: "uec", purpose: "confirm_identity", holder_signature: true });
});

test("members outside their type are refused by name", () => {
  const invalid = { challenge: ["", "A".repeat(31), "A".repeat(129), `${"A".repeat(40)}\n`, 7, null, undefined], format: ["", "JWS", "a".repeat(33), 7], purpose: ["buy", null], detached: ["yes", 1], holder_signature: ["yes", 0] };
  for (const [member, values] of Object.entries(invalid)) {
    for (const value of values) {
      const args = { challenge: CHALLENGE, [member]: value };
      assert.throws(() => confirmationBody(args, { origin: PORTAL }), (/** @type {any} */ error) => error.code === "invalid_field" && error.message.includes(member));
    }
  }
});

test("a document to sign", () => {
  const args = { certificate: "MIID", hash_function: "SHA-256", hash: `${"A".repeat(43)}=` };
  const { certificate, ...item } = args;
  assert.deepEqual(signatureBody({ ...args, more: 1 }, { origin: PORTAL }), { origin: PORTAL, items: [item], certificate });
  const invalid = { certificate: [undefined, "", "-----", "A".repeat(24_001)], hash_function: ["toString", "SHA-384", undefined], hash: ["A", 7, undefined] };
  for (const [member, values] of Object.entries(invalid)) {
    for (const value of values) {
      const bad = { ...args, [member]: value };
      assert.throws(() => signatureBody(bad, { origin: PORTAL }), (/** @type {any} */ error) => error.code === "invalid_field", `${member}: ${value}`);
    }
  }
});

test("patterns of sites", () => {
  assert.equal(patternOf("https://portal.example:8443"), "https://portal.example/*");
  for (const wide of ["https://*.example", "https://*"]) assert.throws(() => patternOf(wide), wide);
  assert.ok(matches("https://*.gosuslugi.ru/*", "https://gosuslugi.ru"));
  assert.ok(matches("https://*.gosuslugi.ru/*", "https://esia.gosuslugi.ru"));
  assert.ok(matches("https://portal.example/*", "https://portal.example:8443"));
  assert.ok(matches("https://portal.example:8443/*", "https://portal.example:8443"));
  for (const other of ["https://gosuslugi.ru.example", "https://notgosuslugi.ru", "http://esia.gosuslugi.ru", "https://gosuslugi.example"]) {
    assert.ok(!matches("https://*.gosuslugi.ru/*", other), other);
  }
  assert.ok(!matches("https://portal.example:8443/*", "https://portal.example"));
});
