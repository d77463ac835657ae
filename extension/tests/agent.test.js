// The client against a fake agent: what is believed, what is retried, where the agent is looked for.

import { memoryStore } from "./setup.js";
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, isOlder, MIN_AGENT } from "../background/agent.js";
import { base64url, newKeys, thumbprint } from "../background/signature.js";
import { judge, stateOf, statusOf } from "../background/state.js";
import { FakeAgent, problem } from "./fake-agent.js";

/** A port of loopback nobody listens at. */
async function freePort() {
  const other = new FakeAgent();
  const port = await other.start(0);
  await other.stop();
  return port;
}

/** @param {import("node:test").TestContext} t @param {{ paired?: boolean, native?: import("../background/agent.js").AskNativeHost }} [how] */
async function world(t, { paired = true, native = async () => null } = {}) {
  const fake = new FakeAgent();
  const port = await fake.start(0);
  t.after(() => fake.stop());
  const store = memoryStore();
  if (paired) {
    const { keys, jwk, keyid } = await newKeys();
    await store.save({ keys, keyid, agentJwk: await fake.register(jwk), port });
  }
  const agent = new Agent({ store, native, ports: [port] });
  return { fake, port, store, agent };
}

/** @param {string} code */
const withCode = (code) => (/** @type {any} */ error) => {
  assert.equal(error.code, code);
  return true;
};

test("a signed request, a verified answer", async (t) => {
  const { agent, fake } = await world(t);
  const { status, body } = await agent.request("GET", "/v1/tokens");
  assert.equal(status, 200);
  assert.equal(body.tokens[0].kind, "software");
  assert.deepEqual(fake.seen.map(({ path }) => path), ["/v1/info", "/v1/tokens"]);
});

test("a signed problem is told with what it has", async (t) => {
  const { agent, fake } = await world(t);
  fake.intercept = ({ path }) => (path === "/v1/tokens" ? problem(403, "pin_incorrect", { tries_left: 2, detail: "wrong PIN" }) : undefined);
  await assert.rejects(agent.request("GET", "/v1/tokens"), (/** @type {any} */ error) => {
    assert.deepEqual(error.toMessage(), { code: "pin_incorrect", message: "wrong PIN", retryable: false, triesLeft: 2 });
    return true;
  });
});

test("unsigned or wrongly signed answers are forgeries", async (t) => {
  const forgeries = [
    { status: 200, body: { tokens: [] }, unsigned: true },
    { status: 200, body: { tokens: [] }, tamper: true },
    { ...problem(403, "declined"), unsigned: true },
    { ...problem(404, "not_found"), unsigned: true },
    { ...problem(401, "not_paired"), unsigned: true, headers: { "Content-Digest": "sha-256=:AAAA:" } },
  ];
  for (const forgery of forgeries) {
    const { agent, fake, store } = await world(t);
    fake.intercept = ({ path }) => (path === "/v1/tokens" ? forgery : undefined);
    const before = store.pairing;
    const gate = forgery.body && "code" in forgery.body && forgery.body.code === "not_paired";
    await assert.rejects(agent.request("GET", "/v1/tokens"), withCode(gate ? "not_paired" : "no_agent"));
    assert.equal(store.pairing, before, "nothing remembered has changed");
  }
});

test("what the gate refuses is sent again where that helps", async (t) => {
  for (const code of ["stale_signature", "replayed"]) {
    const { agent, fake } = await world(t);
    let refusals = 0;
    fake.intercept = ({ path }) => (path === "/v1/tokens" && refusals++ === 0 ? { ...problem(401, code), unsigned: true } : undefined);
    assert.equal((await agent.request("GET", "/v1/tokens")).status, 200, code);
    assert.equal(refusals, 2, code);
  }
});

test("a redirection is not followed", async (t) => {
  const { agent, fake } = await world(t);
  fake.intercept = ({ path }) => (path === "/v1/tokens" ? { status: 307, unsigned: true, headers: { Location: "/v1/info" } } : undefined);
  await assert.rejects(agent.request("GET", "/v1/tokens"), withCode("no_agent"));
});

test("the agent is found at another port, which is remembered", async (t) => {
  const { fake, port, store } = await world(t);
  const elsewhere = await freePort();
  const agent = new Agent({ store, native: async () => null, ports: [port, elsewhere] });
  await agent.request("GET", "/v1/tokens");
  await fake.restart(elsewhere);
  assert.equal((await agent.request("GET", "/v1/tokens")).status, 200);
  assert.equal(store.pairing?.port, elsewhere);
});

test("who holds the remembered port without our agent's key is passed by", async (t) => {
  const { fake, port, store } = await world(t);
  await fake.stop();
  const squatter = new FakeAgent();
  await squatter.start(port);
  t.after(() => squatter.stop());
  const moved = await fake.start(0);
  const agent = new Agent({ store, native: async () => null, ports: [port, moved] });
  assert.equal((await agent.request("GET", "/v1/tokens")).status, 200);
  assert.equal(squatter.seen.length, 0);
});

test("the native host starts the agent, and is not asked for less", async (t) => {
  /** @type {string[]} */
  const asked = [];
  const { fake, port, agent } = await world(t, {
    native: async (command) => {
      asked.push(command);
      await fake.start(port);
      return { port, started: true, version: "0.2.0" };
    },
  });
  await agent.request("GET", "/v1/tokens");
  await fake.stop();
  await assert.rejects(agent.request("GET", "/v1/tokens", { launch: false }), withCode("no_agent"));
  assert.deepEqual(asked, []);
  assert.equal((await agent.request("GET", "/v1/tokens")).status, 200);
  assert.deepEqual(asked, ["locate"]);
});

test("a profile copied to another computer is not paired there", async (t) => {
  const { store } = await world(t);
  const other = new FakeAgent();
  const port = await other.start(0);
  t.after(() => other.stop());
  const agent = new Agent({ store, native: async () => null, ports: [port] });
  await store.save({ .../** @type {import("../types").Pairing} */ (store.pairing), port });
  await assert.rejects(agent.connect(), withCode("not_paired"));
  assert.notEqual(store.pairing, null, "an unsigned answer forgets nothing");
});

test("a pairing ended at the agent, by its signed word, is forgotten; no page may silently make another", async (t) => {
  const { agent, fake, store } = await world(t);
  fake.events = [{ seq: 1, type: "pairing.revoked", pairing: store.pairing?.keyid }];
  await agent.events(0, 0, new AbortController().signal);
  assert.equal(store.pairing, null);
  assert.equal(await store.endedByPerson(), true);
});

test("the states", async (t) => {
  const { agent, fake, store } = await world(t);
  const state = async () => statusOf(await judge(agent, "0.2.0"));
  assert.deepEqual(await state(), { plugin: "0.2.0", state: "ready", agent: "0.2.0" });
  fake.tokens = [];
  assert.equal((await state()).state, "no_token");
  fake.unavailable = [{ source: "pcsc", reason: "module_unavailable" }];
  assert.equal((await state()).state, "service_down");
  fake.version = "0.1.9";
  assert.deepEqual(await state(), { plugin: "0.2.0", state: "old_agent", agent: "0.1.9" });
  fake.version = MIN_AGENT;
  assert.equal((await state()).state, "service_down", "an agent that was updated is noticed");
  const pairing = store.pairing;
  await store.forget(false);
  agent.reset();
  assert.deepEqual(await state(), { plugin: "0.2.0", state: "not_paired" });
  fake.api = ["2"];
  assert.equal((await state()).state, "old_plugin");
  await fake.stop();
  assert.deepEqual(await state(), { plugin: "0.2.0", state: "no_agent" });
  await fake.start();
  fake.api = ["1"];
  assert.equal(pairing === null, false);
});

test("with a token, a source that is down does not matter", () => {
  assert.equal(stateOf([{}], [{}]), "ready");
});

test("which version is older", () => {
  for (const [a, b] of /** @type {const} */ ([["0.1.9", "0.2.0"], ["0.2.0", "0.2.1"], ["0.2.9", "0.10.0"], ["0.9.9", "1.0.0-rc1"]])) {
    assert.ok(isOlder(a, b), `${a} < ${b}`);
    assert.ok(!isOlder(b, a), `${b} > ${a}`);
    assert.ok(!isOlder(a, a));
  }
});

test("an agent's key is named by its thumbprint", async () => {
  const { jwk, keyid } = await newKeys();
  assert.equal(base64url(await thumbprint(jwk)), keyid);
});
