// Who calls. Only what the browser says of a message's sender counts, never what the page says.

import { EidError } from "./errors.js";

/** @typedef {import("../types").Caller} Caller */

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HOST = /^([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|\[(?!::ffff:)[0-9a-f:]+\])$/;

/**
 * Whether a text is an origin as PROTOCOL.md section 1 has it: https, or http of this computer, in the browser's spelling.
 * @param {unknown} text
 * @returns {text is string}
 */
export function isOrigin(text) {
  if (typeof text !== "string" || text.length > 255 || !URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.origin !== text || !HOST.test(url.hostname) || url.port === "0") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}

/**
 * The caller behind a content script's Port, or an EidError that says why it may not call.
 * @param {chrome.runtime.MessageSender | undefined} sender
 * @param {unknown} ancestors the content script's `location.ancestorOrigins`, if it sent them
 * @returns {Caller}
 */
export function callerOf(sender, ancestors) {
  const origin = sender?.origin ?? originOf(sender?.url);
  if (sender?.tab === undefined || sender.frameId === undefined || origin === undefined || origin === "null") {
    throw new EidError("frame_not_allowed", "A sandboxed page has no origin, so nobody can know who asks. Open the page in a tab of its own.");
  }
  if (sender.documentLifecycle === "prerender") {
    throw new EidError("frame_not_allowed", "The page is not shown yet. Ask when the person acts.");
  }
  if (!isOrigin(origin)) {
    throw new EidError(String(origin).startsWith("http://") ? "insecure_context" : "frame_not_allowed");
  }
  const top = sender.frameId === 0 ? origin : topOf(sender.tab, ancestors);
  return top === origin ? { origin } : { origin, topOrigin: top };
}

/**
 * The origin of the page in the tab. The browser tells it for sites the plugin may see; for others the frame's own
 * `ancestorOrigins` is the browser's word too, though it comes through the frame's process.
 * @param {chrome.tabs.Tab} tab
 * @param {unknown} ancestors
 */
function topOf(tab, ancestors) {
  const hint = Array.isArray(ancestors) && ancestors.length <= 32 ? ancestors.at(-1) : undefined;
  const top = originOf(tab.url) ?? hint;
  if (!isOrigin(top) || (hint !== undefined && hint !== top)) {
    throw new EidError(
      "frame_not_allowed",
      "This page is shown inside a page the plugin cannot name to you. Allow the outer site in the plugin's popup, or open this page in a tab of its own.",
    );
  }
  return top;
}

/** @param {string | undefined} url */
function originOf(url) {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
}
