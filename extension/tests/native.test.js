// What the native host says, and what of it goes on to pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { askNativeHost } from "../background/native.js";
import { webEidError } from "../background/web-eid.js";

/**
 * A native host that says its version, and `reply` to the command.
 * @param {import("node:test").TestContext} t
 * @param {object} reply
 */
function host(t, reply) {
  /** @type {((message: unknown) => void)[]} */
  const listeners = [];
  /** @type {unknown[]} */
  const asked = [];
  const tell = (/** @type {unknown} */ message) => queueMicrotask(() => listeners.forEach((listener) => listener(message)));
  const port = {
    onMessage: {
      addListener(/** @type {(message: unknown) => void} */ listener) {
        listeners.push(listener);
        tell({ version: "0.2.0" });
      },
    },
    onDisconnect: { addListener() {} },
    postMessage(/** @type {unknown} */ message) {
      asked.push(message);
      tell(reply);
    },
    disconnect() {},
  };
  const world = /** @type {any} */ (globalThis);
  world.chrome = { runtime: { connectNative: () => port } };
  t.after(() => delete world.chrome);
  return asked;
}

test("one command, one reply", async (t) => {
  const asked = host(t, { port: 47290, started: true, version: "0.2.0" });
  assert.deepEqual(await askNativeHost("locate", {}), { port: 47290, started: true, version: "0.2.0" });
  assert.deepEqual(asked, [{ command: "locate", arguments: {} }]);
});

test("why the agent cannot be started names files, and no page is told", async (t) => {
  const words = "the agent ended at once (exit status: 2): /home/vera/.config/eid-agent/config.toml, line 1: unknown field";
  host(t, { error: { code: "agent_unavailable", message: words } });
  const warned = t.mock.method(console, "warn", () => {});
  /** @type {any} */
  const error = await askNativeHost("locate", {}).catch((error) => error);
  assert.equal(error.code, "no_agent");
  for (const told of [error.toMessage(), webEidError(error, "web-eid:authenticate", {}, "0.2.0")]) {
    assert.doesNotMatch(JSON.stringify(told), /vera|\/home/);
  }
  assert.match(String(warned.mock.calls[0]?.arguments), /vera/, "the plugin's own console says it");
});

test("every other refusal keeps its code and its words", async (t) => {
  host(t, { error: { code: "too_many_pairings", message: "64 pairings are kept" } });
  await assert.rejects(askNativeHost("pair", {}), { code: "too_many_pairings", message: "64 pairings are kept" });
});
