// Puts words on a page: from chrome.i18n, by textContent alone. Shared by the
// popup, the help page and the pairing window.

/** @typedef {import("./words.js").Words} Words */

/** The language the texts are in; the browser's own may be a third one. */
const language = chrome.i18n.getMessage("language") || "en";

const plural = new Intl.PluralRules(language);
const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const minute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/**
 * @param {Words} words
 * @returns {string}
 */
export function read(words) {
  const key = words.count === undefined ? words.key : `${words.key}_${plural.select(words.count)}`;
  const args = (words.args ?? []).map((arg) => (typeof arg === "string" ? arg : read(arg)));
  return chrome.i18n.getMessage(key, args) || key;
}

/**
 * @param {string} time RFC 3339
 * @returns {string}
 */
export const date = (time) => day.format(new Date(time));

/**
 * @param {string} time RFC 3339
 * @returns {string}
 */
export const moment = (time) => minute.format(new Date(time));

/** What must not be torn apart at the end of a line, and `code`. */
const WHOLE = /(`[^`]*`|eid-agent|ПИН-код\p{L}*)/u;

/**
 * Writes words into an element, or a foreign text as it is; hides the element when there is nothing to say.
 * An element that already says this is left alone, so that nobody reads it out again.
 * @param {Element} element
 * @param {Words | string | undefined} words
 * @returns {Element} the element
 */
export function write(element, words) {
  const text = typeof words === "object" ? read(words) : (words ?? "");
  element.toggleAttribute("hidden", text === "");
  if (element.getAttribute("data-said") === text) return element;
  element.setAttribute("data-said", text);
  element.replaceChildren(...(typeof words === "object" ? text.split(WHOLE).map(part) : [text]));
  return element;
}

/**
 * @param {string} text
 * @param {number} index odd ones are what WHOLE found
 * @returns {string | Element}
 */
function part(text, index) {
  if (index % 2 === 0) return text;
  return text.startsWith("`") ? make("code", "", text.slice(1, -1)) : make("span", "whole", text);
}

/** Fills every element that names its message: `data-i18n` its text, `data-i18n-label` its label. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-i18n]")) {
    write(element, { key: element.getAttribute("data-i18n") ?? "" });
  }
  for (const element of document.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", read({ key: element.getAttribute("data-i18n-label") ?? "" }));
  }
}

/**
 * An element of the page that is known to be there.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function at(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element ${id}`);
  return /** @type {T} */ (element);
}

/**
 * A new element with a class and a text or children.
 * @param {string} tag
 * @param {string} style class names
 * @param {...(string | Node)} children
 * @returns {HTMLElement}
 */
export function make(tag, style, ...children) {
  const element = document.createElement(tag);
  if (style) element.className = style;
  element.append(...children);
  return element;
}
