// The bridge and Web eID's page protocol, alone and beside another extension that speaks it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakePage } from "./fake-page.js";

const NONCE = "n".repeat(44);
const AUTHENTICATE = { action: "web-eid:authenticate", libraryVersion: "2.1.0", challengeNonce: NONCE, options: undefined };

/** @param {Parameters<typeof fakePage>[0]} [options] */
async function open(options) {
  const page = fakePage(options);
  page.inject();
  await page.clock.advance(0);
  return page;
}

/** Everything of Web eID that was said in the window, in its order, the page's own requests too. @param {ReturnType<typeof fakePage>} page */
const actions = (page) => page.told((data) => data.action).map((data) => data.action);

/**
 * Another extension on the same page.
 * @param {ReturnType<typeof fakePage>} page
 * @param {number} delay
 */
function foreigner(page, delay) {
  const extension = { present: true };
  page.window.addEventListener("message", (/** @type {any} */ { data }) => {
    if (!extension.present || !/^web-eid:(status|authenticate|sign|get-signing-certificate)$/.test(data.action)) return;
    page.clock.setTimeout(() => page.post({ action: `${data.action}-ack` }), delay);
    page.clock.setTimeout(() => page.post({ action: `${data.action}-success`, by: "the other" }), delay + 400);
  });
  return extension;
}

test("an action is acknowledged within web-eid.js's second, and answered with the worker's members", async () => {
  const page = await open();
  page.post(AUTHENTICATE);
  await page.clock.advance(200);
  assert.deepEqual(actions(page), ["web-eid:authenticate", "web-eid:authenticate-ack"]);
  const { call, arguments: args } = page.port().said[0];
  assert.deepEqual({ call, args }, { call: "web-eid:authenticate", args: { challengeNonce: NONCE, libraryVersion: "2.1.0" } });
  page.port().tell({ progress: "awaiting_consent" });
  page.port().tell({ result: { format: "web-eid:1.0", signature: "s", action: "web-eid:sign" } });
  await page.clock.advance(10_000);
  assert.deepEqual(page.posted.slice(1).map(({ data, target }) => [data, target]), [
    [{ action: "web-eid:authenticate-ack" }, "https://portal.example"],
    [{ format: "web-eid:1.0", signature: "s", action: "web-eid:authenticate-success" }, "https://portal.example"],
  ]);
  assert.equal(page.clock.pending(), 0);
});

test("an error goes to the page as it is", async () => {
  const page = await open();
  page.post({ action: "web-eid:sign", certificate: "c", hash: "h", hashFunction: "SHA-256", libraryVersion: "2.1.0", more: 1 });
  await page.clock.advance(200);
  assert.deepEqual(page.port().said[0].arguments, { certificate: "c", hash: "h", hashFunction: "SHA-256", libraryVersion: "2.1.0" });
  const error = { code: "ERR_WEBEID_NATIVE_FATAL", message: "m", name: "NativeFatalError", reason: "pin_locked", retriesLeft: 0 };
  page.port().tell({ error });
  await page.clock.advance(1);
  assert.deepEqual(page.posted.at(-1)?.data, { action: "web-eid:sign-failure", error });
});

test("the same action again is pending, another one is not", async () => {
  const page = await open();
  page.post(AUTHENTICATE);
  page.post(AUTHENTICATE);
  page.post({ action: "web-eid:status", libraryVersion: "2.1.0" });
  await page.clock.advance(200);
  assert.equal(page.ports.length, 2);
  assert.deepEqual(
    page.told((data) => data.action === "web-eid:authenticate-failure").map((data) => data.error.code),
    ["ERR_WEBEID_ACTION_PENDING"],
  );
  page.ports[0]?.tell({ result: {} });
  await page.clock.advance(1);
  page.post(AUTHENTICATE);
  await page.clock.advance(200);
  assert.equal(page.ports.length, 3, "after the end it may be asked again");
});

for (const delay of [0, 2, 100]) {
  test(`another extension that acknowledges after ${delay} ms answers alone`, async () => {
    const page = await open();
    foreigner(page, delay);
    page.post(AUTHENTICATE);
    page.post({ action: "web-eid:status", libraryVersion: "2.1.0" });
    await page.clock.advance(10_000);
    assert.equal(page.ports.length, 0);
    assert.deepEqual(actions(page).filter((action) => action.startsWith("web-eid:authenticate")), [
      "web-eid:authenticate", "web-eid:authenticate-ack", "web-eid:authenticate-success",
    ]);
    assert.equal(page.clock.pending(), 0);
  });
}

test("once it was late, another extension has longer the next time", async () => {
  const page = await open();
  foreigner(page, 300);
  page.post(AUTHENTICATE);
  await page.clock.advance(200);
  assert.equal(page.ports.length, 1);
  await page.clock.advance(150);
  assert.ok(page.port().closed, "the race was lost: ours ends at the agent, and without a word to the page");
  await page.clock.advance(10_000);
  assert.deepEqual(actions(page).filter((action) => /success|failure/.test(action)), ["web-eid:authenticate-success"]);
  page.post(AUTHENTICATE);
  await page.clock.advance(10_000);
  assert.equal(page.ports.length, 1);
});

test("when the other extension is gone, this one answers, still within the second", async () => {
  const page = await open();
  const other = foreigner(page, 1);
  page.post(AUTHENTICATE);
  await page.clock.advance(1_000);
  other.present = false;
  page.post(AUTHENTICATE);
  await page.clock.advance(600);
  assert.equal(page.ports.length, 1);
  page.port().tell({ result: {} });
  page.post(AUTHENTICATE);
  await page.clock.advance(200);
  assert.equal(page.ports.length, 2, "and does not wait the next time");
});

test("a hidden page, whose timers come late, is acknowledged without one", async () => {
  const page = await open({ hidden: true });
  page.post(AUTHENTICATE);
  await page.clock.advance(100);
  assert.deepEqual(actions(page), ["web-eid:authenticate", "web-eid:authenticate-ack"]);
});

test("in a hidden page, too, another extension that answers goes first", async () => {
  const page = await open({ hidden: true });
  foreigner(page, 1);
  page.post(AUTHENTICATE);
  await page.clock.advance(2_000);
  assert.deepEqual(actions(page), ["web-eid:authenticate", "web-eid:authenticate-ack", "web-eid:authenticate-success"]);
  assert.equal(page.ports.length, 0, "the agent hears nothing of it");
});

test("the person's time is the page's option, and the window closes with it", async () => {
  const page = await open();
  page.post({ ...AUTHENTICATE, options: { userInteractionTimeout: 3_000, lang: "et" } });
  page.post({ action: "web-eid:get-signing-certificate", libraryVersion: "2.1.0" });
  page.post({ action: "web-eid:status", libraryVersion: "2.1.0" });
  await page.clock.advance(3_100);
  assert.ok(page.ports.every((port) => !port.closed));
  await page.clock.advance(100);
  assert.equal(page.posted.at(-1)?.data.error.code, "ERR_WEBEID_USER_TIMEOUT");
  assert.ok(page.ports[0]?.closed);
  await page.clock.advance(2_000);
  assert.deepEqual(page.posted.at(-1)?.data.action, "web-eid:status-failure");
  assert.equal(page.posted.at(-1)?.data.error.code, "ERR_WEBEID_NATIVE_UNAVAILABLE");
  await page.clock.advance(115_000);
  assert.equal(page.posted.at(-1)?.data.action, "web-eid:get-signing-certificate-failure");
});

test("a site is warned of what it should mend, once", async () => {
  const page = await open();
  for (const options of [{ userInteractionTimeout: "soon" }, { userInteractionTimeout: "soon" }, { userInteractionTimeout: 200_000 }]) {
    page.post({ action: "web-eid:authenticate", challengeNonce: NONCE, options });
    await page.clock.advance(200);
    page.port().tell({ result: {} });
  }
  const warnings = page.told((data) => data.action === "web-eid:warning").map((data) => data.warnings.length);
  assert.deepEqual(warnings, [2, 1], "no version and no number; then a time too long");
});

test("insecure contexts and opaque frames are refused, once and without the worker", async () => {
  for (const [options, reason, target] of /** @type {const} */ ([
    [{ secure: false }, "insecure_context", "https://portal.example"],
    [{ origin: "null" }, "frame_not_allowed", "*"],
  ])) {
    const page = await open(options);
    page.post({ action: "web-eid:status" });
    await page.clock.advance(20_000);
    assert.deepEqual(actions(page), ["web-eid:status", "web-eid:status-ack", "web-eid:status-failure"]);
    const { data, target: sent } = /** @type {any} */ (page.posted.at(-1));
    assert.equal(data.error.code, "ERR_WEBEID_CONTEXT_INSECURE");
    assert.equal(data.error.reason, reason);
    assert.equal(sent, target);
    assert.equal(page.ports.length, 0);
  }
});

test("a bridge left behind by an update says so where nobody else answers", async () => {
  const page = await open();
  page.invalidate();
  page.post(AUTHENTICATE);
  await page.clock.advance(600);
  assert.deepEqual(actions(page).slice(1), ["web-eid:authenticate-ack", "web-eid:authenticate-failure"]);
  assert.equal(page.posted.at(-1)?.data.error.code, "ERR_WEBEID_EXTENSION_UNAVAILABLE");
});
