// The sites the plugin serves: the listed portals of the manifest, and those the person allowed, one at a time, in the
// popup. What is allowed is the browser's own record of granted permissions; the content scripts follow it.

/** @typedef {import("../types").Site} Site */

/** Whether this browser's match patterns know ports. Firefox's do not: there a site is allowed on every port of its host. */
export const hasPorts = () => !chrome.runtime.getURL("").startsWith("moz-extension:");

/**
 * The match pattern of exactly one origin, as far as the browser can tell ports apart.
 * @param {string} origin
 * @param {boolean} [ports]
 */
export function patternOf(origin, ports = hasPorts()) {
  const url = new URL(origin);
  // Some browsers take a star in a host's name; in a pattern it would mean every host below.
  if (url.hostname.includes("*")) throw new Error(`no pattern is of ${origin} alone`);
  // A pattern without a port is of every port.
  return `${url.protocol}//${url.hostname}${ports ? `:${portOf(url)}` : ""}/*`;
}

/** @param {URL} url */
const portOf = (url) => url.port || (url.protocol === "https:" ? "443" : "80");

/**
 * Whether an origin is of a match pattern, such as `https://*.example.org/*`.
 * @param {string} pattern
 * @param {string} origin
 */
export function matches(pattern, origin) {
  const [, scheme, host = "", port] = /^(https?):\/\/(\[[^\]]*\]|[^:/]*)(?::(\d+|\*))?\//.exec(pattern) ?? [];
  const url = new URL(origin);
  if (`${scheme}:` !== url.protocol || (port !== undefined && port !== "*" && port !== portOf(url))) return false;
  if (host === "*" || host === url.hostname) return true;
  return host.startsWith("*.") && (url.hostname === host.slice(2) || url.hostname.endsWith(host.slice(1)));
}

/** The portals built into the manifest. @returns {string[]} */
const listedPatterns = () => (chrome.runtime.getManifest().content_scripts ?? []).flatMap((script) => script.matches ?? []);

/**
 * @param {string} origin
 * @returns {Promise<Site>}
 */
export async function siteOf(origin) {
  const listed = listedPatterns().some((pattern) => matches(pattern, origin));
  const allowed = listed || (await chrome.permissions.contains({ origins: [patternOf(origin)] }));
  return { origin, allowed, listed };
}

/** The site in the active tab, if the browser lets us see it: it does after a click on the plugin's button. */
export async function activeSite() {
  const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
  const url = tab?.url !== undefined && URL.canParse(tab.url) ? new URL(tab.url) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? siteOf(url.origin) : undefined;
}

/** @type {Promise<void>} */
let syncing = Promise.resolve();

/** Registers the content script for every site the person allowed, and for no other. One run after the other. */
export function syncSites() {
  syncing = syncing.then(sync).catch((error) => console.error("content scripts could not be registered:", error));
  return syncing;
}

async function sync() {
  const { host_permissions: own = [] } = chrome.runtime.getManifest();
  const { origins = [] } = await chrome.permissions.getAll();
  const wanted = origins.filter((pattern) => !own.includes(pattern) && !listedPatterns().includes(pattern));
  const present = (await chrome.scripting.getRegisteredContentScripts()).map(({ id }) => id);
  const gone = present.filter((id) => !wanted.includes(id));
  const fresh = wanted.filter((id) => !present.includes(id));
  if (gone.length > 0) await chrome.scripting.unregisterContentScripts({ ids: gone });
  await chrome.scripting.registerContentScripts(
    fresh.map((pattern) => ({
      id: pattern,
      matches: [pattern],
      js: ["content.js"],
      runAt: "document_start",
      allFrames: true,
      persistAcrossSessions: true,
    })),
  );
  for (const pattern of fresh) await injectInto(pattern);
}

/** Serves the tabs of a site that are open already, so that nothing needs to be loaded again. @param {string} pattern */
async function injectInto(pattern) {
  for (const { id } of await chrome.tabs.query({ url: pattern })) {
    if (id === undefined) continue;
    // A tab that closes meanwhile, or shows an error page, needs no content script.
    await chrome.scripting.executeScript({ target: { tabId: id, allFrames: true }, files: ["content.js"] }).catch(() => undefined);
  }
}
