// The front door of the worker: listeners, all of them registered before anything else happens, because the browser stops
// the worker whenever it likes and starts it again for the next event. What is remembered is in keys.js; what goes on
// when the worker is stopped is taken up again by the content script, which sends its call once more.

import { Agent } from "./background/agent.js";
import { answer, callMessage, sessionOf } from "./background/calls.js";
import { callerOf } from "./background/callers.js";
import { EidError } from "./background/errors.js";
import { keyStore } from "./background/keys.js";
import { askNativeHost } from "./background/native.js";
import { Pairer } from "./background/pairer.js";
import { servePopup } from "./background/popup.js";
import { siteOf, syncSites } from "./background/sites.js";
import { webEid, webEidError } from "./background/web-eid.js";

/** @typedef {import("./types").CallMessage} CallMessage */
/** @typedef {import("./types").PairState} PairState */

const version = chrome.runtime.getManifest().version;
const agent = new Agent({ store: keyStore, native: askNativeHost });
const pairer = new Pairer({ agent, name: pluginName(), windows: { open: openPairWindow, show: showWindow, beginAnew: reloadWindow } });
const parts = { agent, pairer, version };

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === "call") serveCall(port);
  else if (!isOwnPage(port.sender)) port.disconnect();
  else if (port.name === "popup") servePopupPort(port);
  else if (port.name === "pair") servePairPort(port);
});
chrome.runtime.onInstalled.addListener(() => void syncSites());
chrome.runtime.onStartup.addListener(() => void syncSites());
chrome.permissions.onAdded.addListener(() => void syncSites());
chrome.permissions.onRemoved.addListener(() => void syncSites());
chrome.windows.onRemoved.addListener((id) => pairer.windowClosed(id));

/** A call of a page: one Port, one call, one end. The Port's end before it is the page's wish to cancel. @param {chrome.runtime.Port} port */
function serveCall(port) {
  const life = lifeOf(port);
  let begun = false;
  port.onMessage.addListener(async (/** @type {unknown} */ raw) => {
    const message = callMessage(raw);
    if (begun || message === null) return; // a ping, whose arrival is all there is to it; or nothing of ours
    begun = true;
    const end = await handle(port, message, life.signal).then(
      (result) => ({ result }),
      (error) => ({ error: failure(message, error) }),
    );
    life.tell(end);
    life.over();
  });
}

/**
 * @param {chrome.runtime.Port} port
 * @param {CallMessage} message
 * @param {AbortSignal} signal
 */
async function handle(port, message, signal) {
  const caller = callerOf(port.sender, message.ancestors);
  if (!(await siteOf(caller.origin)).allowed) throw new EidError("no_plugin");
  /** @type {string | undefined} */
  let last;
  const progress = (/** @type {string} */ stage) => {
    if (stage !== last) post(port, { progress: stage });
    last = stage;
  };
  const session = sessionOf(parts, caller, message.id, { signal, progress });
  return isWebEid(message) ? webEid(message.call, message.arguments, session) : answer(message, session);
}

/** Web eID's pages know other codes than ours. @param {CallMessage} message @param {unknown} error */
function failure(message, error) {
  if (isWebEid(message)) return webEidError(error, message.call, message.arguments, version);
  return EidError.of(error).toMessage();
}

/** @param {CallMessage} message */
const isWebEid = ({ call }) => call.startsWith("web-eid:");

/** @param {chrome.runtime.Port} port */
function servePopupPort(port) {
  const life = lifeOf(port);
  port.onMessage.addListener(servePopup(parts, life));
}

/** @param {chrome.runtime.Port} port */
function servePairPort(port) {
  const life = lifeOf(port);
  let begun = false;
  let agree = () => {};
  const agreed = new Promise((/** @type {(value: void) => void} */ resolve) => (agree = resolve));
  port.onMessage.addListener((/** @type {{ do?: unknown } | null} */ message) => {
    if (message?.do === "cancel") life.over();
    if (message?.do === "agree") agree();
    if (message?.do !== "start" || begun) return;
    begun = true;
    void pairer.byDigits(life.signal, life.tell, agreed);
  });
}

/**
 * The life of a Port. While it lasts, the worker does something for it now and then, as a worker that does nothing is stopped.
 * @param {chrome.runtime.Port} port
 */
function lifeOf(port) {
  const control = new AbortController();
  const beat = setInterval(() => void chrome.runtime.getPlatformInfo(), 20_000);
  const over = () => {
    clearInterval(beat);
    control.abort();
  };
  port.onDisconnect.addListener(over);
  return { signal: control.signal, over, tell: (/** @type {unknown} */ message) => post(port, message) };
}

/** The other end may have gone a moment ago. @param {chrome.runtime.Port} port @param {unknown} message */
function post(port, message) {
  try {
    port.postMessage(message);
  } catch {
    // Its onDisconnect tells those who must know.
  }
}

/** Whether a Port comes from a page of the plugin itself. @param {chrome.runtime.MessageSender | undefined} sender */
function isOwnPage(sender) {
  return sender?.id === chrome.runtime.id && sender.url?.startsWith(chrome.runtime.getURL("")) === true;
}

/** What the plugin calls itself in the agent's window. */
function pluginName() {
  const browser = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chromium"]].find(([mark]) => navigator.userAgent.includes(mark ?? ""));
  return `eid-agent plugin, ${browser?.[1] ?? "browser"}`;
}

async function openPairWindow() {
  const window = await chrome.windows.create({ url: "pair/pair.html", type: "popup", width: 460, height: 560 });
  if (window?.id === undefined) throw new EidError("not_paired");
  return window.id;
}

/** Brings a window forward; false if it is not there. @param {number} id */
async function showWindow(id) {
  return chrome.windows.update(id, { focused: true }).then(() => true, () => false);
}

/** Loads the pairing page in its window once more. @param {number} id */
async function reloadWindow(id) {
  const [tab] = await chrome.tabs.query({ windowId: id });
  if (tab?.id !== undefined) await chrome.tabs.update(tab.id, { url: chrome.runtime.getURL("pair/pair.html") });
}
