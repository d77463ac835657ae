// What is not there, and must not come: the plugin's lines of ARCHITECTURE.md's invariants.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const root = new URL("../", import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), "utf8");
const manifest = JSON.parse(read("manifest.json"));

/** The scripts that browsers load, without their comments. @type {Map<string, string>} */
const scripts = new Map();
for (const folder of ["", "background/", "popup/", "pair/"]) {
  for (const name of readdirSync(new URL(`./${folder}`, root))) {
    if (name.endsWith(".js")) scripts.set(folder + name, read(folder + name).replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, ""));
  }
}

/** The scripts in which a pattern is found. @param {RegExp} pattern */
const having = (pattern) => [...scripts].filter(([, text]) => pattern.test(text)).map(([path]) => path);

test("the manifest asks for no more than it did", () => {
  assert.deepEqual(manifest.permissions, ["nativeMessaging", "storage", "scripting", "activeTab"]);
  assert.deepEqual(manifest.host_permissions, ["http://127.0.0.1/*"]);
  assert.deepEqual(manifest.optional_host_permissions, ["https://*/*", "http://localhost/*"]);
  assert.deepEqual(manifest.content_scripts.flatMap((/** @type {{ matches: string[] }} */ { matches }) => matches), ["https://*.gosuslugi.ru/*"]);
  for (const door of ["externally_connectable", "web_accessible_resources", "optional_permissions"]) assert.equal(manifest[door], undefined, door);
});

test("it connects to 127.0.0.1 and nowhere else, in one file", () => {
  assert.match(manifest.content_security_policy.extension_pages, /^default-src 'none'; script-src 'self'; .*connect-src http:\/\/127\.0\.0\.1:\*; base-uri 'none'/);
  assert.deepEqual(having(/\bfetch\(/), ["background/http.js"]);
  assert.deepEqual(having(/XMLHttpRequest|WebSocket|EventSource|sendBeacon|WebTransport/), []);
});

test("no build and no dependency: every import is a file beside it, and no code is made from text", () => {
  assert.equal(JSON.parse(read("package.json")).dependencies, undefined);
  for (const [path, text] of scripts) {
    for (const [, from = ""] of text.matchAll(/\bfrom "([^"]+)"/g)) assert.match(from, /^\.\.?\/[\w./-]+\.js$/, path);
  }
  assert.deepEqual(having(/\beval\(|\bnew Function\b|\bimport\(|importScripts/), []);
});

test("pages and other extensions have one way in, and the worker alone knows keys and the native host", () => {
  assert.deepEqual(having(/onConnectExternal|onMessageExternal|runtime\.onMessage\b|onUserScript/), []);
  assert.deepEqual(having(/runtime\.onConnect\b/), ["background.js"]);
  assert.deepEqual(having(/connectNative|sendNativeMessage/), ["background/native.js"]);
  assert.deepEqual(having(/\bindexedDB\b/), ["background/keys.js"]);
});
