// What the plugin has of PROTOCOL.md in its own code is what PROTOCOL.md says; and what is written in several files of
// this repository is the same in each. (`tests/tests/tidy.rs` ties the Rust side.)

import "./setup.js";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { GATE, isOlder, MAX_WAIT, MIN_AGENT, PORTS } from "../background/agent.js";
import { isOrigin } from "../background/callers.js";
import { confirmationBody, signatureBody } from "../background/calls.js";
import { NATIVE_APP } from "../background/web-eid.js";

const read = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const protocol = read("plugin-protocol/PROTOCOL.md");
const version = JSON.parse(read("extension/manifest.json")).version;

/** The numbers a limit of section 11 has. @param {string} name */
function limit(name) {
  const value = new RegExp(`^\\| \`${name}\` \\| ([0-9, ]+) \\|`, "m").exec(protocol)?.[1] ?? "";
  assert.notEqual(value, "", `section 11 has no ${name}`);
  return value.split(",").map(Number);
}

/** The one number it has. @param {string} name */
const one = (name) => limit(name)[0] ?? NaN;

test("the ports and the longest wait are those of the protocol", () => {
  assert.deepEqual(PORTS, limit("PORTS"));
  assert.equal(MAX_WAIT, one("MAX_WAIT"));
});

test("the codes an unsigned answer may carry are those of kind gate", () => {
  const gate = [...protocol.matchAll(/^\| `(\w+)` \| \d{3} \| (?:yes|no) \| gate \|/gm)].map(([, code]) => code);
  assert.deepEqual([...GATE].sort(), gate.sort());
});

test("what a page may say is bounded as at the agent", () => {
  const caller = { origin: "https://portal.example" };
  const challenge = (/** @type {number} */ length) => () => confirmationBody({ challenge: "A".repeat(length) }, caller);
  for (const length of [one("MIN_CHALLENGE"), one("MAX_CHALLENGE")]) assert.doesNotThrow(challenge(length));
  for (const length of [one("MIN_CHALLENGE") - 1, one("MAX_CHALLENGE") + 1]) assert.throws(challenge(length));

  const origin = (/** @type {number} */ length) => `https://${"a.".repeat(length).slice(0, length - "https://".length - 1)}a`;
  assert.equal(origin(one("MAX_ORIGIN")).length, one("MAX_ORIGIN"));
  assert.ok(isOrigin(origin(one("MAX_ORIGIN"))));
  assert.ok(!isOrigin(origin(one("MAX_ORIGIN") + 1)));

  // The largest request there can be, to the longest origins, is not too large.
  const hash = `${"A".repeat(86)}==`;
  const body = signatureBody({ certificate: "A".repeat(24_000), hash_function: "SHA-512", hash }, { origin: origin(255), topOrigin: origin(255) });
  assert.ok(JSON.stringify(body).length < one("MAX_BODY"));
});

test("a page's call outlives the agent's pairing and operation", () => {
  const content = read("extension/content.js");
  const number = (/** @type {string} */ name) => Number(new RegExp(`const ${name} = ([0-9_]+);`).exec(content)?.[1]?.replaceAll("_", ""));
  assert.ok(number("CONFIRM_LIMIT") > 1000 * (one("PAIRING_LIFETIME") + one("OPERATION_LIFETIME")));
  const reconnect = /RECONNECT = \[([0-9_, ]+)\]/.exec(content)?.[1] ?? "";
  const waits = reconnect.split(",").map((wait) => Number(wait.replaceAll("_", "")));
  assert.ok(waits.reduce((sum, wait) => sum + wait, 0) < 1000 * one("CLIENT_RECONNECT"), "the operation is still there");
});

test("one version for all; the oldest agent is no later than that", () => {
  assert.equal(/^\[workspace\.package\]\nversion = "([^"]+)"/m.exec(read("Cargo.toml"))?.[1], version);
  for (const name of ["extension", "extension/page-api"]) assert.equal(JSON.parse(read(`${name}/package.json`)).version, version, name);
  assert.ok(!isOlder(version, MIN_AGENT));
  assert.ok(protocol.includes(`{"version": "${version}"}`), "what the native host says first");
});

test("Web eID's application is of one version, by our native host and without it", () => {
  assert.ok(read("agent/src/native_host/web_eid.rs").includes(`"${NATIVE_APP}+eid-agent."`));
});

test("lock files name no registry", () => {
  for (const path of ["extension/package-lock.json", "tests/browser/package-lock.json"]) {
    assert.doesNotMatch(read(path), /"resolved"/, path);
  }
});
