// The bridge and the page API: one answer to every call, none to anything else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakePage } from "./fake-page.js";

const CALL = { eidAgent: 1, to: "plugin", id: "one", call: "confirm", arguments: { challenge: "c".repeat(44), format: "jws" } };

/** @param {ReturnType<typeof fakePage>} page @param {string} id */
const told = (page, id = "one") => page.told((data) => data.to === "page" && data.id === id);

/** @param {Parameters<typeof fakePage>[0]} [options] */
async function open(options) {
  const page = fakePage(options);
  page.inject();
  await page.clock.advance(0);
  return page;
}

test("a call is acknowledged at once, told of its progress and answered once", async () => {
  const page = await open();
  page.post(CALL);
  await page.clock.advance(1);
  assert.deepEqual(told(page), [{ eidAgent: 1, to: "page", id: "one", ack: true }]);
  const { call, arguments: args, id } = page.port().said[0];
  assert.deepEqual({ call, args }, { call: "confirm", args: { challenge: "c".repeat(44), format: "jws" } });
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.notEqual(id, "one", "the agent's key is not the page's to choose");
  page.port().tell({ progress: "awaiting_consent" });
  page.port().tell({ result: { proof: { format: "jws" }, test: true } });
  page.port().tell({ result: "a second" });
  await page.clock.advance(1);
  assert.deepEqual(told(page).slice(1), [
    { eidAgent: 1, to: "page", id: "one", progress: "awaiting_consent" },
    { eidAgent: 1, to: "page", id: "one", result: { proof: { format: "jws" }, test: true } },
  ]);
  assert.ok(page.port().closed);
  assert.ok(page.posted.slice(1).every(({ target }) => target === "https://portal.example"));
  assert.equal(page.clock.pending(), 0, "no timer is left");
});

test("of the page's arguments nothing goes on but what a call has, and plain values of it", async () => {
  const page = await open();
  page.post({ ...CALL, arguments: { challenge: ["x"], format: "jws", origin: "https://other.example", token: "t", detached: true, holder_signature: true } });
  await page.clock.advance(1);
  assert.deepEqual(page.port().said[0].arguments, { format: "jws", detached: true, holder_signature: true });
  assert.equal("ancestors" in page.port().said[0], false);
});

test("in a frame the browser's list of ancestors goes along", async () => {
  const page = await open({ ancestors: ["https://outer.example"] });
  page.post(CALL);
  await page.clock.advance(1);
  assert.deepEqual(page.port().said[0].ancestors, ["https://outer.example"]);
});

test("the same id again is the same call, before and after its end", async () => {
  const page = await open();
  page.post(CALL);
  page.post(CALL);
  await page.clock.advance(1);
  page.port().tell({ error: { code: "declined", message: "no" } });
  page.post(CALL);
  await page.clock.advance(1000);
  assert.equal(page.ports.length, 1);
  assert.equal(told(page).filter((data) => data.error).length, 1);
});

test("injected twice it answers once", async () => {
  const page = await open();
  page.inject();
  page.post(CALL);
  page.post({ action: "web-eid:status", libraryVersion: "2.0.0" });
  await page.clock.advance(1000);
  assert.equal(page.ports.length, 2);
  assert.equal(told(page).length, 1);
  assert.equal(page.told((data) => data.action === "web-eid:status-ack").length, 1);
});

test("it answers nothing of its own, and nothing that is not a request", async () => {
  const page = await open();
  const strays = [
    null, 7, "web-eid:status", [], { action: 7 }, { action: "web-eid:" }, { action: "web-eid:warning", warnings: [] },
    { action: "web-eid:status-ack-ack" }, { action: "web-eid:status-failure", error: {} }, { action: "web-eid:sign-success" },
    { action: "web-eid:status_FAILURE" }, { action: "web-eid:authenticate-ack" }, { action: "constructor" },
    { eidAgent: 1, to: "page", id: "x", call: "confirm" }, { eidAgent: 2, to: "plugin", id: "x", call: "confirm" },
    { eidAgent: 1, to: "plugin", id: "", call: "confirm" }, { eidAgent: 1, to: "plugin", id: "x".repeat(65), call: "confirm" },
    { eidAgent: 1, to: "plugin", id: { toString: "x" }, call: "confirm" }, { eidAgent: 1, to: "plugin", id: "x", call: null },
    { eidAgent: 1, to: "plugin", id: "x", call: "abort" },
  ];
  for (const stray of strays) page.post(/** @type {any} */ (stray));
  await page.clock.advance(10_000);
  assert.equal(page.posted.length, strays.length, "nothing was said to any of them");
  assert.equal(page.ports.length, 0);
});

test("another window's message is not the page's", async () => {
  const page = await open();
  page.dispatch({ isTrusted: true, data: CALL, source: page.window, origin: "https://portal.example" });
  assert.equal(page.ports.length, 1);
  // `status`, as a second `confirm` would be refused for another reason.
  page.dispatch({ isTrusted: false, data: { ...CALL, id: "made", call: "status" }, source: page.window, origin: "https://portal.example" });
  page.dispatch({ isTrusted: true, data: { ...CALL, id: "two", call: "status" }, source: {}, origin: "https://portal.example" });
  page.dispatch({ isTrusted: true, data: { action: "web-eid:status" }, source: {}, origin: "https://portal.example" });
  await page.clock.advance(1_000);
  assert.equal(page.ports.length, 1);
});

test("an insecure context, an opaque origin and an unknown call are refused without asking the worker", async () => {
  for (const [options, call, code, target] of /** @type {const} */ ([
    [{ secure: false }, "confirm", "insecure_context", "https://portal.example"],
    [{ origin: "null" }, "confirm", "frame_not_allowed", "*"],
    [{}, "constructor", "old_plugin", "https://portal.example"],
  ])) {
    const page = await open(options);
    page.post({ ...CALL, call });
    await page.clock.advance(1);
    const answers = told(page);
    assert.equal(answers.at(-1).error.code, code);
    assert.equal(page.posted.at(-1)?.target, target);
    if (target === "*") assert.equal(answers.length, 1, "nothing but the error is told to whoever listens");
    assert.equal(page.ports.length, 0);
  }
});

test("one confirmation at a time, and few calls", async () => {
  const page = await open();
  page.post(CALL);
  page.post({ ...CALL, id: "two" });
  for (let i = 0; i < 5; i++) page.post({ ...CALL, id: `s${i}`, call: "status" });
  await page.clock.advance(1);
  assert.equal(told(page, "two").at(-1).error.code, "pending");
  assert.equal(page.ports.length, 4);
  assert.equal(told(page, "s4").at(-1).error.code, "pending");
  page.ports[0]?.tell({ error: { code: "declined", message: "no" } });
  page.post({ ...CALL, id: "three" });
  await page.clock.advance(1);
  assert.equal(page.port().said[0].call, "confirm", "the end of the first makes room");
});

test("abort closes the port and says so once", async () => {
  const page = await open();
  page.post(CALL);
  page.post({ ...CALL, call: "abort" });
  page.post({ ...CALL, call: "abort" });
  await page.clock.advance(1);
  assert.ok(page.port().closed);
  assert.deepEqual(told(page).map((data) => data.error?.code), [undefined, "aborted"]);
  page.post({ ...CALL, id: "two" });
  await page.clock.advance(1);
  assert.equal(page.ports.length, 2, "another confirmation may begin");
});

test("a worker that was stopped is asked again with the same id", async () => {
  const page = await open();
  page.post(CALL);
  await page.clock.advance(1);
  const first = page.port();
  await page.clock.advance(25_000);
  assert.equal(first.pings, 1);
  first.drop();
  await page.clock.advance(199);
  assert.equal(page.ports.length, 1, "not while the last worker may still be ending");
  await page.clock.advance(1);
  assert.equal(page.ports.length, 2);
  assert.deepEqual(page.port().said[0], first.said[0]);
  page.port().tell({ result: { proof: {}, test: false } });
  await page.clock.advance(1);
  assert.equal(told(page).filter((data) => data.result).length, 1);
});

test("a worker that does not stay up ends the call", async () => {
  const page = await open();
  page.breakWorker(100);
  page.post(CALL);
  await page.clock.advance(10_000);
  assert.equal(told(page).at(-1).error.code, "internal");
  assert.equal(page.ports.length, 6, "the first and five more");
  assert.equal(page.clock.pending(), 0);
});

test("a worker that says nothing ends the call too", async () => {
  const page = await open();
  page.post(CALL);
  page.post({ ...CALL, id: "state", call: "status" });
  await page.clock.advance(10_001);
  assert.equal(told(page, "state").at(-1).error.code, "expired");
  await page.clock.advance(290_000);
  assert.equal(told(page).at(-1).error.code, "expired");
  assert.ok(page.ports.every((port) => port.closed));
});

test("leaving the page closes its ports and leaves nothing behind", async () => {
  const page = await open();
  page.post(CALL);
  page.post({ action: "web-eid:authenticate", challengeNonce: "n" });
  await page.clock.advance(200);
  page.post({ action: "web-eid:sign" });
  await page.clock.advance(10);
  page.leave();
  assert.ok(page.ports.every((port) => port.closed));
  await page.clock.advance(1_000);
  assert.equal(told(page).length, 1, "nobody is there to be told");
  page.comeBack();
  await page.clock.advance(1);
  assert.equal(told(page).at(-1).error.code, "aborted", "a page that comes back from the cache is told");
  assert.equal(page.told((data) => data.action === "web-eid:authenticate-failure").length, 1);
  assert.equal(page.ports.length, 2, "what was held is not begun");
  assert.equal(page.clock.pending(), 0);
});

test("an update in the middle is told, and so is a call to a bridge left behind", async () => {
  const page = await open();
  page.post(CALL);
  await page.clock.advance(1);
  page.invalidate();
  await page.clock.advance(1_000);
  assert.equal(told(page).at(-1).error.code, "old_plugin");
  page.post({ ...CALL, id: "two" });
  page.post({ ...CALL, id: "two" });
  await page.clock.advance(400);
  assert.deepEqual(told(page, "two"), []);
  await page.clock.advance(200);
  assert.deepEqual(told(page, "two").map((data) => data.error.code), ["old_plugin"]);
});

test("a bridge left behind is silent where its successor acknowledges", async () => {
  const page = await open();
  page.invalidate();
  page.post({ ...CALL });
  page.post({ action: "web-eid:status", libraryVersion: "2.0.0" });
  await page.clock.advance(150);
  page.post({ eidAgent: 1, to: "page", id: "one", ack: true });
  page.post({ action: "web-eid:status-ack" });
  const before = page.posted.length;
  await page.clock.advance(5_000);
  assert.equal(page.posted.length, before);
});

test("a ping tells a call that goes on from one that nobody knows", async () => {
  const page = await open();
  page.post(CALL);
  page.post({ ...CALL, call: "ping" });
  page.post({ ...CALL, id: "gone", call: "ping" });
  await page.clock.advance(1);
  assert.deepEqual(told(page).map((data) => data.ack), [true, true]);
  assert.equal(told(page, "gone").at(-1).error.code, "internal");
  page.port().tell({ error: { code: "declined", message: "no" } });
  page.post({ ...CALL, call: "ping" });
  await page.clock.advance(1);
  assert.equal(told(page).length, 3, "an ended call is answered already");
});
