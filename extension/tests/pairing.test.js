// Pairing by digits and by the native host, and when which of them is taken.

import { memoryStore, until } from "./setup.js";
import assert from "node:assert/strict";
import test from "node:test";
import { Agent } from "../background/agent.js";
import { sessionOf } from "../background/calls.js";
import { Pairer } from "../background/pairer.js";
import { pairByDigits, pairByNativeHost } from "../background/pairing.js";
import { FakeAgent } from "./fake-agent.js";

const NAME = "eid-agent plugin, test";

/** @param {import("node:test").TestContext} t @param {import("../background/agent.js").AskNativeHost} [native] */
async function world(t, native = async () => null) {
  const fake = new FakeAgent();
  const port = await fake.start(0);
  t.after(() => fake.stop());
  const store = memoryStore();
  const agent = new Agent({ store, native, ports: [port] });
  return { fake, port, store, agent };
}

/** A native host of the fake agent. @param {() => FakeAgent} fake @param {string[]} asked */
function hostOf(fake, asked) {
  return async (/** @type {string} */ command, /** @type {any} */ args) => {
    asked.push(command);
    return { port: fake().port, ...(command === "pair" ? { agent_jwk: await fake().register(args.client.jwk) } : {}) };
  };
}

/** Windows that a person closes, or not. */
function fakeWindows() {
  return {
    opened: 0,
    shown: 0,
    begun: 0,
    async open() { return ++this.opened; },
    async show() { return (this.shown++, this.opened > 0); },
    async beginAnew() { this.begun++; },
  };
}

const never = new AbortController().signal;
/** The person pressed "It is the same" in the plugin's window. */
const yes = Promise.resolve();

test("by digits: both show the same, and the pairing is kept after a signed answer", async (t) => {
  const { agent, fake, store, port } = await world(t);
  /** @type {import("../types").PairState[]} */
  const told = [];
  await pairByDigits(agent, NAME, never, (state) => {
    if (state.stage === "paired") assert.equal(fake.seen.at(-1)?.path, "/v1/info");
    told.push(state);
  }, yes);
  assert.deepEqual(told.map(({ stage, agreed }) => (agreed ? "agreed" : stage)), ["connecting", "compare", "agreed", "paired"]);
  assert.match(told[1]?.digits ?? "", /^\d{3} \d{3}$/);
  assert.equal(told[1]?.digits, fake.shown);
  assert.equal(fake.offer.client.name, NAME);
  assert.equal(store.pairing?.port, port);
  assert.equal(store.pairing?.keys.privateKey.extractable, false);
  assert.equal((await agent.request("GET", "/v1/tokens")).status, 200);
});

test("by digits, and the person says no: nothing is kept", async (t) => {
  const { agent, fake, store } = await world(t);
  fake.decision = Promise.resolve("declined");
  await assert.rejects(pairByDigits(agent, NAME, never, () => {}, yes), (/** @type {any} */ error) => error.code === "declined");
  assert.equal(store.pairing, null);
});

test("by digits, and the window is closed: the reveal breaks off", async (t) => {
  const { agent, fake, store } = await world(t);
  const closed = new AbortController();
  fake.decision = new Promise(() => {});
  const pairing = pairByDigits(agent, NAME, closed.signal, ({ stage }) => void (stage === "compare" && until(() => fake.shown !== "").then(() => closed.abort())), yes);
  await assert.rejects(pairing, (/** @type {any} */ error) => error.code === "aborted");
  assert.equal(store.pairing, null);
});

test("whoever says paired is not believed before the person agreed here: a port may be anybody's", async (t) => {
  const { agent, fake, store } = await world(t);
  const closed = new AbortController();
  let agree = () => {};
  const agreed = new Promise((/** @type {(value: void) => void} */ resolve) => (agree = resolve));
  const cancelled = pairByDigits(agent, NAME, closed.signal, () => {}, new Promise(() => {}));
  await until(() => fake.pairings.size === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(store.pairing, null);
  closed.abort();
  await assert.rejects(cancelled, (/** @type {any} */ error) => error.code === "aborted");
  // The agent, if it is one, does not keep what nobody here will use.
  await until(() => fake.pairings.size === 0);
  const pairing = pairByDigits(agent, NAME, never, () => {}, agreed);
  await until(() => fake.pairings.size === 1);
  assert.equal(store.pairing, null);
  agree();
  await pairing;
  assert.equal(fake.pairings.has((await store.load())?.keyid ?? ""), true);
});

test("an agent that says `paired` and cannot sign is not believed", async (t) => {
  const { agent, fake, store } = await world(t);
  fake.intercept = ({ path }) => (path === "/v1/info" ? { status: 200, body: { version: "0.2.0" }, tamper: true } : undefined);
  await assert.rejects(pairByDigits(agent, NAME, never, () => {}, yes));
  assert.equal(store.pairing, null);
});

test("pairing anew takes a new key, and the old pairing stays until the new one stands", async (t) => {
  const { agent, fake, store } = await world(t);
  await pairByDigits(agent, NAME, never, () => {}, yes);
  const first = store.pairing;
  fake.decision = Promise.resolve("declined");
  await assert.rejects(pairByDigits(agent, NAME, never, () => {}, yes));
  assert.equal(store.pairing, first);
  fake.decision = Promise.resolve("paired");
  await pairByDigits(agent, NAME, never, () => {}, yes);
  assert.notEqual(store.pairing?.keyid, first?.keyid);
});

test("by the native host", async (t) => {
  /** @type {string[]} */
  const asked = [];
  const { agent, store } = await world(t, hostOf(() => fake, asked));
  const fake = new FakeAgent();
  await fake.start(0);
  t.after(() => fake.stop());
  assert.equal(await pairByNativeHost(agent, NAME), true);
  assert.deepEqual(asked, ["pair"]);
  assert.equal(store.pairing?.port, fake.port);
  assert.equal((await agent.request("GET", "/v1/tokens")).status, 200);
});

test("a native host that names a key its agent does not have is not believed", async (t) => {
  const { agent, store } = await world(t, async (_, { client }) => ({ port: agent.ports[0], agent_jwk: /** @type {any} */ (client).jwk }));
  await assert.rejects(pairByNativeHost(agent, NAME));
  assert.equal(store.pairing, null);
});

test("silently where it can be; in one window else, for all who ask", async (t) => {
  const { agent, fake } = await world(t);
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const calls = [pairer.ensure({ byPerson: false }), pairer.ensure({ byPerson: false })];
  await until(() => windows.opened === 1);
  await pairer.byDigits(never, () => {}, yes);
  await Promise.all(calls);
  assert.equal(windows.opened, 1);

  const silent = new Agent({ store: memoryStore(), native: hostOf(() => fake, []), ports: [fake.port] });
  await new Pairer({ agent: silent, name: NAME, windows }).ensure({ byPerson: false });
  assert.equal(windows.opened, 1);
  assert.equal((await silent.request("GET", "/v1/tokens")).status, 200);
});

test("a pairing the person ended is not silently made again for a page", async (t) => {
  /** @type {string[]} */
  const asked = [];
  const { agent, store, fake } = await world(t, hostOf(() => fake, asked));
  await store.forget(true);
  assert.equal(await new Pairer({ agent, name: NAME, windows: fakeWindows() }).silently(), false);
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const page = pairer.ensure({ byPerson: false });
  await until(() => windows.opened + windows.shown > 0);
  assert.deepEqual(asked, []);
  pairer.windowClosed(windows.opened);
  await assert.rejects(page, (/** @type {any} */ error) => error.code === "not_paired");
  await pairer.ensure({ byPerson: true });
  assert.deepEqual(asked, ["pair"]);
});

test("a closed window ends the calls that wait, and is not opened again at once by a page", async (t) => {
  const { agent } = await world(t);
  await chrome.storage.session.set({ pairWindow: undefined });
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const call = pairer.ensure({ byPerson: false });
  await until(() => windows.opened === 1);
  pairer.windowClosed(1);
  await assert.rejects(call, (/** @type {any} */ error) => error.code === "not_paired");
  await assert.rejects(pairer.ensure({ byPerson: false }));
  assert.equal(windows.opened, 1);
});

test("a window whose attempt is over begins another, and one whose attempt goes on is shown as it is", async (t) => {
  const { agent, store } = await world(t);
  await chrome.storage.session.set({ pairWindow: undefined });
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const first = pairer.ensure({ byPerson: false });
  await until(() => windows.opened === 1);
  await pairer.byDigits(never, () => {}, yes);
  await first;

  await store.forget(false);
  const second = pairer.ensure({ byPerson: false });
  await until(() => windows.begun === 1);
  let agree = () => {};
  const agreed = new Promise((/** @type {(value: void) => void} */ resolve) => (agree = resolve));
  const attempt = pairer.byDigits(never, () => {}, agreed);
  const third = pairer.ensure({ byPerson: true });
  agree();
  await Promise.all([attempt, second, third]);
  assert.deepEqual([windows.opened, windows.begun], [1, 1]);
  assert.notEqual(store.pairing, null);
});

test("closing a window whose attempt is over refuses nothing", async (t) => {
  const { agent, store } = await world(t);
  await chrome.storage.session.set({ pairWindow: undefined });
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const first = pairer.ensure({ byPerson: false });
  await until(() => windows.opened === 1);
  await pairer.byDigits(never, () => {}, yes);
  await first;
  pairer.windowClosed(1);

  await store.forget(false);
  const second = pairer.ensure({ byPerson: false });
  await until(() => windows.opened + windows.shown > 1);
  await pairer.byDigits(never, () => {}, yes);
  await second;
});

test("the window of a stopped worker, in which an attempt has begun again, is only shown", async (t) => {
  const { agent } = await world(t);
  await chrome.storage.session.set({ pairWindow: 1 });
  const windows = { ...fakeWindows(), opened: 1 };
  const pairer = new Pairer({ agent, name: NAME, windows });
  let agree = () => {};
  const agreed = new Promise((/** @type {(value: void) => void} */ resolve) => (agree = resolve));
  const attempt = pairer.byDigits(never, () => {}, agreed);
  const call = pairer.ensure({ byPerson: false });
  await until(() => windows.shown === 1);
  agree();
  await Promise.all([attempt, call]);
  assert.deepEqual([windows.opened, windows.begun], [1, 0]);
});

test("a page that goes does not wait for the pairing, which others may wait for", async (t) => {
  const { agent } = await world(t);
  const control = new AbortController();
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const gone = pairer.ensure({ byPerson: false, signal: control.signal });
  const stays = pairer.ensure({ byPerson: false });
  control.abort();
  await assert.rejects(gone, (/** @type {any} */ error) => error.code === "aborted");
  await until(() => windows.opened + windows.shown > 0);
  await pairer.byDigits(never, () => {}, yes);
  await stays;
});

test("a page that asks for the state has the plugin paired where the native host is there, and no window opens", async (t) => {
  /** @type {string[]} */
  const asked = [];
  const { agent, fake } = await world(t, hostOf(() => fake, asked));
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  const hooks = { signal: never, progress() {} };
  const session = () => sessionOf({ agent, pairer, version: "0.2.0" }, { origin: "https://portal.example" }, "id", hooks);
  const both = await Promise.all([session().status(), session().status()]);
  assert.deepEqual(both.map(({ state }) => state), ["ready", "ready"]);
  assert.deepEqual(asked, ["pair"]);
  await agent.store.forget(true);
  agent.reset();
  assert.equal((await session().status()).state, "not_paired");
  assert.equal(windows.opened, 0);
});

test("a pairing that was ended while the worker was connected: the page's next call pairs anew and goes on", async (t) => {
  const { agent, fake } = await world(t);
  const windows = fakeWindows();
  const pairer = new Pairer({ agent, name: NAME, windows });
  await pairer.byDigits(never, () => {}, yes);
  await agent.connect();
  fake.pairings.clear();
  const challenge = "c".repeat(44);
  const args = { challenge, format: "jws" };
  const stages = /** @type {string[]} */ ([]);
  const hooks = { signal: never, progress: (/** @type {string} */ stage) => void stages.push(stage) };
  const session = sessionOf({ agent, pairer, version: "0.2.0" }, { origin: "https://portal.example" }, "id", hooks);
  const call = session.confirm(args);
  await until(() => windows.opened === 1);
  await pairer.byDigits(never, () => {}, yes);
  await until(() => fake.operations.size === 1);
  fake.proceed("done", { proof: { format: "jws", jws: "a.b.c" } });
  assert.deepEqual((await call).proof, { format: "jws", jws: "a.b.c" });
  assert.deepEqual(stages.slice(0, 2), ["connecting", "pairing"]);
});
