// The texts: both languages say the same things, nothing is missing, nothing is left over, every code has its words.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { view as pairView } from "../pair/view.js";
import { changes, view } from "../popup/view.js";
import { PLUGIN_CODES, PROTOCOL_CODES, STATES } from "../popup/words.js";
import { PAIR, POPUP } from "./screens.js";

/** @typedef {Record<string, {message: string, placeholders?: Record<string, {content: string}>}>} Messages */

const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), "utf8");
/** @type {Record<string, Messages>} */
const locales = { en: JSON.parse(read("../_locales/en/messages.json")), ru: JSON.parse(read("../_locales/ru/messages.json")) };
const keys = (/** @type {string} */ locale) => Object.keys(locales[locale] ?? {});
const message = (/** @type {string} */ locale, /** @type {string} */ key) => locales[locale]?.[key]?.message ?? "";

const PLURALS = ["one", "few", "many", "other"];
const pages = ["../popup/popup.html", "../popup/help.html", "../pair/pair.html"].map(read);
const scripts = ["../popup/popup.js", "../popup/help.js", "../popup/page.js", "../pair/pair.js"].map(read);

/** Every key that the views, the pages, the scripts or the manifest can ask for. */
function used() {
  /** @type {Set<string>} */
  const found = new Set();
  const collect = (/** @type {unknown} */ value) => {
    if (typeof value !== "object" || value === null) return;
    const { key, count } = /** @type {{key?: unknown, count?: unknown}} */ (value);
    if (typeof key === "string") for (const one of count === undefined ? [key] : PLURALS.map((rule) => `${key}_${rule}`)) found.add(one);
    Object.values(value).forEach(collect);
  };
  const states = STATES.map((state) => ({ plugin: "0.2.0", state }));
  const codes = ["done", "?", ...PROTOCOL_CODES, ...PLUGIN_CODES];
  const ends = codes.map((code) => ({ stage: "failed", error: { code } }));
  const outcomes = codes.map((code) => ({ state: "ready", history: [{ time: "", action: "", origin: "", outcome: code }], error: { code } }));
  const sources = { state: "ready", unavailable: ["pcsc", "pkcs11", "software", "?"].map((source) => ({ source, reason: "" })) };
  const kinds = { state: "ready", tokens: [{ kind: "?", pin: "?" }], history: [{ action: "?" }] };
  const actions = ["confirmation", "signatures", "certificate"].map((action) => ({ state: "ready", history: [{ action }] }));
  const views = [...Object.values(POPUP), ...states, ...outcomes, ...actions, sources, kinds].map((one) => view(/** @type {any} */ (one)));
  collect([...views, view(null, { lost: true }), view(POPUP["ready-new"], { ports: false }), ...[...Object.values(PAIR), ...ends].map((one) => pairView(/** @type {any} */ (one)))]);
  for (const before of views) for (const after of views) collect(changes(before, after));
  for (const { button } of views.map((one) => one.state)) if (button) found.add(`do_${button}`).add(`doing_${button}`);
  for (const page of pages) for (const [, key = ""] of page.matchAll(/data-i18n(?:-label)?="([^"]*)"/g)) found.add(key);
  for (const script of scripts) for (const [, key = ""] of script.matchAll(/(?:say|getMessage)\("([^"]*)"/g)) found.add(key);
  for (const [, key = ""] of read("../manifest.json").matchAll(/__MSG_(\w+)__/g)) found.add(key);
  return found;
}

test("no text is missing, and none is left over", () => {
  for (const locale of Object.keys(locales)) assert.deepEqual(keys(locale).sort(), [...used()].sort(), locale);
});

test("both languages have the same keys in the same order, with the same placeholders", () => {
  assert.deepEqual(keys("ru"), keys("en"));
  for (const key of keys("en")) {
    assert.deepEqual(locales.ru?.[key]?.placeholders, locales.en?.[key]?.placeholders, key);
    for (const locale of ["en", "ru"]) {
      const named = [...message(locale, key).matchAll(/\$(\w+)\$/g)].map(([, name = ""]) => name.toLowerCase());
      assert.deepEqual([...new Set(named)].sort(), Object.keys(locales[locale]?.[key]?.placeholders ?? {}).sort(), `${locale} ${key}`);
    }
  }
});

test("each text is whole: no blank, no stray space, no markup, backquotes in pairs, Russian in Russian", () => {
  for (const locale of ["en", "ru"]) {
    for (const key of keys(locale)) {
      const text = message(locale, key);
      assert.match(text, /^\S(.*\S)?$/u, `${locale} ${key}`);
      assert.doesNotMatch(text, /[<>]| {2}/, `${locale} ${key}`);
      assert.equal(text.split("`").length % 2, 1, `${locale} ${key}`);
      // Names of programs, commands and variables aside, a text of one language has letters of that language only.
      const bare = text.replace(/\$\w+\$|`[^`]*`|eid-agent|gosuslugi\.ru|PKCS#11|PC\/SC|USB|xn--|^(en|ru)$/gu, "");
      assert.doesNotMatch(bare, locale === "en" ? /\p{Script=Cyrillic}/u : /\p{Script=Latin}/u, `${locale} ${key}`);
    }
  }
});

test("the plugin is called a plugin", () => {
  const other = keys("ru").filter((key) => /расширени|агент/iu.test(message("ru", key).replace(/страниц\p{L}+ расширений браузера/gu, "")));
  assert.deepEqual(other, []);
});

test("the codes are those of the protocol, each once", () => {
  const section = read("../../plugin-protocol/PROTOCOL.md").split("## 10. Errors")[1]?.split("## 11.")[0] ?? "";
  const written = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  assert.deepEqual(PROTOCOL_CODES, written);
  assert.equal(new Set([...PROTOCOL_CODES, ...PLUGIN_CODES]).size, PROTOCOL_CODES.length + PLUGIN_CODES.length);
});

test("a browser's store takes the name and the description", () => {
  for (const locale of ["en", "ru"]) {
    assert.ok(message(locale, "ext_name").length <= 75);
    assert.ok(message(locale, "ext_description").length <= 132);
  }
});

test("pages hold no words, no code and no style of their own, and scripts write no markup", () => {
  for (const page of pages) {
    const text = page.replace(/<title>eid-agent<\/title>/, "").replace(/<[^>]*>/g, "").trim();
    assert.equal(text, "");
    assert.doesNotMatch(page, /\sstyle=|\son\w+=|<style|<script(?![^>]*src=)|https?:/);
  }
  for (const script of scripts) assert.doesNotMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
});

test("each state of the popup has its place on the help page", () => {
  const help = read("../popup/help.html");
  for (const state of STATES) assert.match(help, new RegExp(`id="${state}"`));
});

test("the icons are there", () => {
  const sizes = readdirSync(new URL("../icons", import.meta.url));
  for (const size of [16, 32, 48, 128]) {
    const png = readFileSync(new URL(`../icons/icon-${size}.png`, import.meta.url));
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [size, size]);
  }
  assert.ok(sizes.includes("icon.svg"));
});
