// The popup: draws view(message) for each message of the worker, and sends back
// what the person asks for. It keeps nothing; the worker knows everything.

import { hasPorts, patternOf } from "../background/sites.js";
import { at, date, make, moment, read, translate, write } from "./page.js";
import { changes, view } from "./view.js";
import { say } from "./words.js";

/** @typedef {import("../types").PopupState} PopupState */
/** @typedef {import("./view.js").EntryView} EntryView */
/** @typedef {import("./view.js").TokenView} TokenView */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./words.js").Words} Words */

/** Connections lost one after the other, without a message between, before the popup says so. */
const TRIES = 3;

/** Milliseconds after which a button may be pressed again, if nothing has come of it: then nothing changed. */
const PATIENCE = 3000;

/** Milliseconds that what is read out stays. */
const SAID = 10_000;

/** @type {PopupState | null} */
let message = null;
let shown = view(null);
let lost = 0;
/** @type {chrome.runtime.Port | undefined} */
let port;

/** The browser stops an idle worker; to connect again starts it. */
function connect() {
  const opened = chrome.runtime.connect({ name: "popup" });
  port = opened;
  opened.onMessage.addListener((/** @type {PopupState} */ told) => {
    lost = 0;
    message = told;
    draw();
  });
  opened.onDisconnect.addListener(() => {
    port = undefined;
    lost += 1;
    if (lost < TRIES) connect();
    else draw();
  });
}

/** @param {"pair" | "unpair" | "refresh" | "sites-changed"} what */
function ask(what) {
  if (!port) {
    lost = 0;
    connect();
  }
  port?.postMessage({ do: what });
}

function draw() {
  const before = shown;
  shown = view(message, { lost: lost >= TRIES, ports: hasPorts() });
  const focused = document.activeElement;
  drawState(shown);
  drawSite(shown);
  drawTokens(shown);
  drawHistory(shown.history);
  drawPairing(shown);
  keepFocus(focused);
  announce(...changes(before, shown));
}

/** @param {View} view */
function drawState({ state }) {
  at("state").className = `card ${state.tone}`;
  at("state-title").className = `sign ${state.tone}`;
  write(at("state-title"), state.title);
  write(at("state-text"), state.text);
  write(at("state-remedy"), state.remedy);
  write(at("state-error"), state.error);
  const button = at("state-button");
  write(button, state.button ? say(`do_${state.button}`) : undefined);
  button.removeAttribute("aria-disabled");
  const help = at("state-help");
  help.hidden = !state.help;
  help.setAttribute("href", `help.html#${state.help ?? ""}`);
}

/** @param {View} view */
function drawSite({ site }) {
  write(at("site-origin"), site.origin);
  write(at("site-text"), site.text);
  write(at("site-caution"), site.caution);
  write(at("site-detail"), site.detail);
  write(at("site-allow"), site.button === "allow" ? say("site_allow", site.origin) : undefined);
  at("site-remove").hidden = site.button !== "remove";
}

/** @param {View} view */
function drawTokens({ tokens, unavailable }) {
  at("tokens").hidden = !tokens;
  at("tokens-none").hidden = tokens?.length !== 0;
  at("tokens-list").hidden = !tokens?.length;
  at("tokens-list").replaceChildren(...(tokens ?? []).map(drawToken));
  at("tokens-unavailable").hidden = unavailable.length === 0;
  at("tokens-unavailable").replaceChildren(...unavailable.map(drawUnavailable));
}

/** @param {Words} words */
const drawUnavailable = (words) => make("li", "", make("div", "sign attention", write(make("span", ""), words)));

/** @param {TokenView} token */
function drawToken(token) {
  const top = make("div", "top", write(make("strong", ""), token.kind));
  if (token.test) top.append(write(make("span", "test"), say("token_test")));
  const item = make("li", "", top);
  if (token.reader) item.append(make("div", "reader", token.reader));
  item.append(make("div", `sign ${token.tone}`, write(make("span", ""), token.pin)));
  return item;
}

/** @param {EntryView[] | undefined} entries */
function drawHistory(entries) {
  at("history").hidden = !entries;
  at("history-none").hidden = entries?.length !== 0;
  at("history-list").hidden = at("history-more").hidden = !entries?.length;
  at("history-list").replaceChildren(...(entries ?? []).map(drawEntry));
}

/** @param {EntryView} entry */
function drawEntry(entry) {
  const top = make("div", "top", make("span", "origin", entry.origin));
  if (entry.time) {
    const time = make("time", "", moment(entry.time));
    time.setAttribute("datetime", entry.time);
    top.append(time);
  }
  const words = write(make("span", ""), say("history_entry", entry.action, entry.outcome));
  return make("li", "", top, make("div", `sign ${entry.done ? "good" : "attention"}`, words));
}

/** @param {View} view */
function drawPairing({ pairing, plugin, agent }) {
  at("pairing").hidden = !pairing;
  if (!pairing) askUnpair(false);
  write(at("pairing-since"), pairing?.since ? say("pairing_since", date(pairing.since)) : say("pairing_is"));
  const versions = plugin && agent ? say("versions", plugin, agent) : say("version", plugin || "?");
  write(at("versions"), plugin ? versions : undefined);
}

/** @param {boolean} open */
function askUnpair(open) {
  at("unpair").setAttribute("aria-expanded", String(open));
  at("unpair-question").hidden = !open;
}

/**
 * A control that has gone leaves the focus to the button in its place, or else to the state.
 * @param {Element | null} focused
 */
function keepFocus(focused) {
  if (!(focused instanceof HTMLElement) || focused === document.body || focused.offsetParent) return;
  const near = focused.parentElement?.querySelector("button:not([hidden])");
  (near instanceof HTMLElement && near.offsetParent ? near : at("state-title")).focus();
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

/**
 * Tells those who cannot see it.
 * @param {Words[]} words
 */
function announce(...words) {
  if (words.length === 0) return;
  at("said").textContent = words.map(read).join(". ");
  clearTimeout(silence);
  silence = setTimeout(() => at("said").replaceChildren(), SAID);
}

/**
 * The person's click is what the browser asks for, so nothing may be awaited before the request.
 * @param {"request" | "remove"} what
 */
async function changeSite(what) {
  const { origin, button } = shown.site;
  if (!button) return;
  write(at("site-error"), undefined);
  try {
    const changed = await chrome.permissions[what]({ origins: [patternOf(origin)] });
    if (changed) ask("sites-changed");
    else announce(say("site_unchanged"));
  } catch {
    write(at("site-error"), say("site_failed"));
  }
}

translate();
draw();
connect();

at("state-button").addEventListener("click", () => {
  const { button } = shown.state;
  if (!button || at("state-button").getAttribute("aria-disabled") === "true") return;
  at("state-button").setAttribute("aria-disabled", "true");
  setTimeout(() => at("state-button").removeAttribute("aria-disabled"), PATIENCE);
  announce(say(`doing_${button}`));
  ask(button);
});
at("site-allow").addEventListener("click", () => changeSite("request"));
at("site-remove").addEventListener("click", () => changeSite("remove"));
at("unpair").addEventListener("click", () => {
  askUnpair(at("unpair-question").hidden);
  if (!at("unpair-question").hidden) at("unpair-no").focus();
});
at("unpair-no").addEventListener("click", () => {
  askUnpair(false);
  at("unpair").focus();
});
at("unpair-yes").addEventListener("click", () => {
  askUnpair(false);
  at("unpair").focus();
  ask("unpair");
});
