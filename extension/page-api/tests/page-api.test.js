// The library against the plugin's own content script, and against plugins that are absent, broken or foreign.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { afterEach, test } from "node:test";
import { fakePage } from "../../tests/fake-page.js";
import { confirm, EidError, status } from "../index.js";

const CHALLENGE = "c".repeat(44);
const world = /** @type {Record<string, any>} */ (globalThis);
world.crypto ??= webcrypto;

/** The page the library is in. @param {Parameters<typeof fakePage>[0] & { plugin?: boolean }} [options] */
function open({ plugin = true, ...options } = {}) {
  const page = fakePage(options);
  world.window = page.window;
  world.location = page.window.location;
  if (plugin) page.inject();
  return page;
}

afterEach(() => {
  delete world.window;
  delete world.location;
});

/** What a call rejected with; the time it may take is the clock's. @param {Promise<unknown>} promise @returns {Promise<EidError>} */
async function failure(promise) {
  const error = await promise.then((value) => assert.fail(`resolved: ${JSON.stringify(value)}`), (thrown) => thrown);
  assert.ok(error instanceof EidError);
  return error;
}

/** What a promise became, without waiting for it. @param {Promise<unknown>} promise */
function watched(promise) {
  /** @type {{ state: string, value?: any }} */
  const outcome = { state: "pending" };
  promise.then((value) => Object.assign(outcome, { state: "resolved", value }), (value) => Object.assign(outcome, { state: "rejected", value }));
  return outcome;
}

test("status gives what the plugin says", async () => {
  const page = open();
  const call = status();
  await page.clock.advance(1);
  assert.equal(page.port().said[0].call, "status");
  page.port().tell({ result: { plugin: "0.2.0", state: "ready", agent: "0.2.0" } });
  await page.clock.advance(1);
  assert.deepEqual(await call, { plugin: "0.2.0", state: "ready", agent: "0.2.0" });
  assert.equal(page.clock.pending(), 0, "nothing is left behind");
});

test("confirm gives the proof, and tells each stage", async () => {
  const page = open();
  /** @type {string[]} */
  const stages = [];
  const call = confirm({ challenge: CHALLENGE, format: "cms", purpose: "sign_in", detached: true, onProgress: (stage) => stages.push(stage) });
  await page.clock.advance(1);
  assert.deepEqual(page.port().said[0].arguments, { challenge: CHALLENGE, format: "cms", purpose: "sign_in", detached: true });
  for (const progress of ["connecting", "awaiting_consent", "signing"]) page.port().tell({ progress });
  page.port().tell({ result: { proof: { format: "cms", cms: "MII" }, test: true } });
  await page.clock.advance(1);
  assert.deepEqual(await call, { proof: { format: "cms", cms: "MII" }, test: true });
  assert.deepEqual(stages, ["connecting", "awaiting_consent", "signing"]);
  assert.equal(page.clock.pending(), 0);
});

test("a card's holder is asked to sign where the page says so", async () => {
  const page = open();
  void confirm({ challenge: CHALLENGE, format: "uec", holderSignature: true });
  await page.clock.advance(1);
  assert.deepEqual(page.port().said[0].arguments, { challenge: CHALLENGE, format: "uec", purpose: "confirm_identity", holder_signature: true });
});

test("what is not said has its default", async () => {
  const page = open();
  void confirm({ challenge: CHALLENGE });
  await page.clock.advance(1);
  assert.deepEqual(page.port().said[0].arguments, { challenge: CHALLENGE, format: "jws", purpose: "confirm_identity" });
});

test("without a plugin both calls say so within a second", async () => {
  const page = open({ plugin: false });
  const calls = [status(), confirm({ challenge: CHALLENGE })].map(watched);
  await page.clock.advance(1_000);
  assert.deepEqual(calls.map(({ value }) => value.code), ["no_plugin", "no_plugin"]);
  assert.equal(page.clock.pending(), 0);
});

test("a plugin that comes a moment after the page still hears the call, once", async () => {
  const page = open({ plugin: false });
  void confirm({ challenge: CHALLENGE });
  await page.clock.advance(500);
  page.inject();
  await page.clock.advance(1_000);
  assert.equal(page.ports.length, 1);
  const said = page.told((data) => data.to === "plugin").length;
  await page.clock.advance(10_000);
  assert.equal(page.told((data) => data.to === "plugin").length, said, "once it was heard it is not said again");
});

test("an error has the code, the message, the tries left", async () => {
  const page = open();
  const call = failure(confirm({ challenge: CHALLENGE }));
  await page.clock.advance(1);
  page.port().tell({ error: { code: "pin_incorrect", message: "The PIN was wrong.", retryable: false, triesLeft: 2 } });
  await page.clock.advance(1);
  const { name, code, message, retryable, triesLeft } = await call;
  assert.deepEqual({ name, code, message, retryable, triesLeft }, {
    name: "EidError", code: "pin_incorrect", message: "The PIN was wrong.", retryable: false, triesLeft: 2,
  });
});

test("abort ends the call at once, here and at the agent", async () => {
  const page = open();
  const control = new AbortController();
  const call = failure(confirm({ challenge: CHALLENGE, signal: control.signal }));
  await page.clock.advance(1);
  control.abort(new Error("the person left"));
  const error = await call;
  assert.equal(error.code, "aborted");
  assert.match(String(error.cause), /the person left/);
  await page.clock.advance(1);
  assert.ok(page.port().closed);
  assert.equal(page.clock.pending(), 0);
});

test("what was aborted before it began is never said", async () => {
  const page = open();
  assert.equal((await failure(confirm({ challenge: CHALLENGE, signal: AbortSignal.abort() }))).code, "aborted");
  assert.equal(page.posted.length, 0);
});

test("a second confirmation is pending while the first goes on", async () => {
  const page = open();
  void confirm({ challenge: CHALLENGE });
  const second = failure(confirm({ challenge: CHALLENGE }));
  await page.clock.advance(1);
  assert.equal((await second).code, "pending");
});

test("status is bounded as its caller says, confirm as this library does", async () => {
  const page = open({ plugin: false });
  page.window.addEventListener("message", (/** @type {any} */ { data }) => {
    if (data.to === "plugin") page.post({ eidAgent: 1, to: "page", id: data.id, ack: true });
  });
  const state = watched(status({ timeout: 2_000 }));
  const confirmation = watched(confirm({ challenge: CHALLENGE }));
  await page.clock.advance(1_999);
  assert.equal(state.state, "pending");
  await page.clock.advance(1);
  assert.equal(state.value.code, "expired");
  await page.clock.advance(308_500);
  assert.equal(confirmation.value?.code, "expired");
  assert.equal(confirmation.value?.retryable, true);
  await page.clock.advance(1_000);
  assert.equal(page.clock.pending(), 0);
});

test("a plugin that dies in the middle is noticed", async () => {
  const page = open({ plugin: false });
  page.window.addEventListener("message", (/** @type {any} */ { data }) => {
    if (data.to === "plugin" && data.call === "confirm") page.post({ eidAgent: 1, to: "page", id: data.id, ack: true });
  });
  const call = watched(confirm({ challenge: CHALLENGE }));
  await page.clock.advance(30_100);
  assert.equal(call.value.code, "no_plugin");
});

test("a person who thinks for two minutes is waited for", async () => {
  const page = open();
  const call = confirm({ challenge: CHALLENGE });
  await page.clock.advance(119_000);
  page.port().tell({ result: { proof: { format: "jws" }, test: false } });
  await page.clock.advance(1);
  assert.deepEqual(await call, { proof: { format: "jws" }, test: false });
});

test("answers to others, and answers that are none, change nothing", async () => {
  const page = open();
  const call = watched(status());
  await page.clock.advance(1);
  const id = page.posted[0]?.data.id;
  page.post({ eidAgent: 1, to: "page", id: "another", result: { state: "ready" } });
  page.post({ eidAgent: 1, to: "plugin", id, result: { state: "ready" } });
  page.post({ eidAgent: 2, to: "page", id, result: { state: "ready" } });
  page.post({ eidAgent: 1, to: "page", id });
  page.dispatch({ data: { eidAgent: 1, to: "page", id, result: { state: "ready" } }, source: {}, origin: "https://portal.example" });
  page.post(/** @type {any} */ (null));
  await page.clock.advance(1);
  assert.equal(call.state, "pending");
});

test("insecure contexts and opaque frames are told apart from a missing plugin, at once", async () => {
  open({ secure: false });
  assert.equal((await failure(status())).code, "insecure_context");
  open({ origin: "null" });
  assert.equal((await failure(confirm({ challenge: CHALLENGE }))).code, "frame_not_allowed");
  delete world.window;
  assert.equal((await failure(status())).code, "no_plugin");
});

test("a challenge that is none is the page's fault, before anything is said", async () => {
  const page = open();
  for (const options of [undefined, {}, { challenge: 7 }]) {
    assert.equal((await failure(confirm(/** @type {any} */ (options)))).code, "invalid_field");
  }
  assert.equal(page.posted.length, 0);
});

test("a fault in onProgress is reported to the page and ends nothing", async () => {
  const page = open();
  const fault = new Error("the page's own");
  const call = confirm({ challenge: CHALLENGE, onProgress: () => { throw fault; } });
  await page.clock.advance(1);
  page.port().tell({ progress: "signing" });
  page.port().tell({ result: { proof: { format: "jws" }, test: false } });
  await page.clock.advance(1);
  await call;
  assert.deepEqual(page.window.reported, [fault]);
});

test("a result without a proof is no confirmation", async () => {
  const page = open();
  const call = failure(confirm({ challenge: CHALLENGE }));
  await page.clock.advance(1);
  page.port().tell({ result: {} });
  await page.clock.advance(1);
  assert.equal((await call).code, "internal");
});
