// Operations: their end, their cancellation, and what a restart of the agent or of the worker does to them.

import { memoryStore, until } from "./setup.js";
import assert from "node:assert/strict";
import test from "node:test";
import { Agent } from "../background/agent.js";
import { operate } from "../background/operations.js";
import { newKeys } from "../background/signature.js";
import { FakeAgent, problem } from "./fake-agent.js";

const BODY = { origin: "https://portal.example", challenge: "A".repeat(44), format: "jws", purpose: "confirm_identity" };
const PROOF = { format: "jws", jws: "a.b.c" };
const PATH = "/v1/confirmations";

/** @param {import("node:test").TestContext} t */
async function world(t) {
  const fake = new FakeAgent();
  const port = await fake.start(0);
  t.after(() => fake.stop());
  const store = memoryStore();
  const { keys, jwk, keyid } = await newKeys();
  await store.save({ keys, keyid, agentJwk: await fake.register(jwk), port });
  /** How often the agent was not found, and the native host asked for it, in vain. */
  const missed = { times: 0 };
  const native = async () => (missed.times++, null);
  const worker = () => new Agent({ store, native, ports: [port] });
  return { fake, port, agent: worker(), worker, missed };
}

/** @param {AbortController} [control] */
function hooks(control = new AbortController()) {
  /** @type {string[]} */
  const stages = [];
  return { stages, signal: control.signal, progress: (/** @type {string} */ stage) => void (stages.at(-1) === stage || stages.push(stage)), pair: async () => assert.fail("it is paired") };
}

/** Waits until an operation is followed: its POST was answered. @param {FakeAgent} fake */
const begun = (fake) => until(() => [...fake.operations.keys()].some((id) => fake.seen.some(({ path }) => path.endsWith(`/${id}`))));
/** @param {FakeAgent} fake @param {string} method */
const count = (fake, method) => fake.seen.filter((request) => request.method === method).length;

/** @param {string} code */
const withCode = (code) => (/** @type {any} */ error) => {
  assert.equal(error.code, code);
  return true;
};

test("to its end, with what happens on the way", async (t) => {
  const { agent, fake } = await world(t);
  const told = hooks();
  const end = operate(agent, PATH, BODY, "id-1", told);
  await begun(fake);
  fake.proceed("signing");
  await until(() => told.stages.includes("signing"));
  fake.proceed("done", { proof: PROOF });
  assert.deepEqual((await end).proof, PROOF);
  assert.deepEqual(told.stages, ["awaiting_consent", "signing"]);
  const [post] = fake.seen.filter(({ method }) => method === "POST");
  assert.equal(post?.idempotencyKey, "id-1");
  assert.deepEqual(post?.body, BODY);
});

test("a failure is told with its code and the tries left", async (t) => {
  const { agent, fake } = await world(t);
  const end = operate(agent, PATH, BODY, "id-1", hooks());
  await begun(fake);
  fake.proceed("failed", { problem: problem(403, "pin_incorrect", { tries_left: 1 }).body });
  await assert.rejects(end, (/** @type {any} */ error) => error.code === "pin_incorrect" && error.triesLeft === 1);
});

test("the page goes while the person thinks: cancelled at the agent", async (t) => {
  const { agent, fake } = await world(t);
  const control = new AbortController();
  const end = operate(agent, PATH, BODY, "id-1", hooks(control));
  await begun(fake);
  await until(() => fake.seen.some(({ path }) => path.startsWith(`${PATH}/`)));
  control.abort();
  await assert.rejects(end, withCode("aborted"));
  assert.equal([...fake.operations.values()][0].state, "cancelled");
});

test("the page goes while the POST is in flight: it is waited for, and cancelled by its name", async (t) => {
  const { agent, fake } = await world(t);
  const control = new AbortController();
  fake.intercept = ({ method }) => void (method === "POST" && control.abort());
  await assert.rejects(operate(agent, PATH, BODY, "id-1", hooks(control)), withCode("aborted"));
  assert.equal([...fake.operations.values()][0].state, "cancelled");
});

test("the page goes before anything was sent: nothing is sent", async (t) => {
  const { agent, fake } = await world(t);
  const control = new AbortController();
  control.abort();
  await assert.rejects(operate(agent, PATH, BODY, "id-1", hooks(control)), withCode("aborted"));
  assert.equal(count(fake, "POST"), 0);
});

test("a worker that was stopped: the next one goes on with the same operation", async (t) => {
  const { agent, fake, worker } = await world(t);
  const stopped = new AbortController();
  t.after(() => stopped.abort());
  void operate(agent, PATH, BODY, "id-1", hooks(stopped)).catch(() => undefined);
  await begun(fake);
  const end = operate(worker(), PATH, BODY, "id-1", hooks());
  await until(() => count(fake, "POST") === 2);
  fake.proceed("done", { proof: PROOF });
  assert.deepEqual((await end).proof, PROOF);
  assert.equal(fake.operations.size, 1);
});

test("the agent is restarted: a confirmation is begun once more, under the same id", async (t) => {
  const { agent, fake } = await world(t);
  const end = operate(agent, PATH, BODY, "id-1", hooks());
  await begun(fake);
  await fake.restart();
  await begun(fake);
  fake.proceed("done", { proof: PROOF });
  assert.deepEqual((await end).proof, PROOF);
  assert.deepEqual(new Set(fake.seen.filter(({ method }) => method === "POST").map((request) => request.idempotencyKey)), new Set(["id-1"]));
});

test("the agent is restarted again and again: the call ends", async (t) => {
  const { agent, fake } = await world(t);
  const end = operate(agent, PATH, BODY, "id-1", hooks());
  for (let i = 0; i < 2; i++) {
    await begun(fake);
    await fake.restart();
  }
  await assert.rejects(end, (/** @type {any} */ error) => error.code === "internal" && error.retryable);
  assert.equal(fake.operations.size, 0);
});

test("the agent is restarted: a document is not signed twice", async (t) => {
  const { agent, fake } = await world(t);
  const end = operate(agent, "/v1/signatures", { origin: BODY.origin, items: [] }, "id-1", hooks());
  await begun(fake);
  await fake.restart();
  await assert.rejects(end, (/** @type {any} */ error) => error.code === "internal" && error.retryable);
  assert.equal(fake.operations.size, 0);
});

test("the agent is away for a while", async (t) => {
  const { agent, fake, missed } = await world(t);
  const end = operate(agent, PATH, BODY, "id-1", hooks());
  await begun(fake);
  await fake.stop();
  await until(() => missed.times >= 2);
  await fake.start();
  await until(() => fake.operations.size > 0 && fake.seen.length > 3);
  fake.proceed("done", { proof: PROOF });
  assert.deepEqual((await end).proof, PROOF);
});

test("the agent is away for good: the call ends", async (t) => {
  const { agent, fake, missed } = await world(t);
  const end = operate(agent, PATH, BODY, "id-1", hooks());
  await begun(fake);
  await fake.stop();
  await assert.rejects(end, (/** @type {any} */ error) => error.code === "no_agent");
  assert.equal(missed.times > 5, true);
});

test("another request's window is waited for a little, then it is busy", async (t) => {
  const { agent, fake } = await world(t);
  const first = operate(agent, PATH, BODY, "id-1", hooks());
  await begun(fake);
  const second = operate(agent, PATH, BODY, "id-2", hooks());
  await until(() => count(fake, "POST") >= 2);
  fake.proceed("done", { proof: PROOF });
  await first;
  await until(() => fake.operations.size === 2);
  fake.proceed("done", { proof: PROOF });
  await second;

  const third = new AbortController();
  t.after(() => third.abort());
  void operate(agent, PATH, BODY, "id-3", hooks(third)).catch(() => undefined);
  await until(() => fake.operations.size === 3);
  await assert.rejects(operate(agent, PATH, BODY, "id-4", hooks()), (/** @type {any} */ error) => error.code === "busy" && !error.message.includes("undefined"));
});

test("rate_limited is told at once when the wait is long", async (t) => {
  const { agent, fake } = await world(t);
  fake.intercept = ({ method }) => (method === "POST" ? { ...problem(429, "rate_limited"), headers: { "Retry-After": "40" } } : undefined);
  await assert.rejects(operate(agent, PATH, BODY, "id-1", hooks()), withCode("rate_limited"));
  assert.equal(count(fake, "POST"), 1);
});
