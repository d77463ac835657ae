// The page's hands: words, elements, requests. All text goes in as text, never as markup.

/** @type {Record<string, string>} */
let words = {};

/** Loads the words of the page's language. */
export async function loadWords() {
  const response = await fetch(`/assets/${document.documentElement.lang}.json`);
  words = await response.json();
}

/** Whether there are words of this key. @param {string} key */
export const has = (key) => Object.hasOwn(words, key);

/**
 * The words of this key, with their places filled.
 * @param {string} key
 * @param {Record<string, string | number>} [places]
 */
export function say(key, places = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => String(places[name] ?? place));
}

/** The element of this id, if the page has it. @param {string} id */
export const find = (id) => document.getElementById(id);

/** The element of this id. @param {string} id */
export function at(id) {
  const element = find(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * A new element.
 * @param {string} name
 * @param {(string | Node)[]} content
 */
export function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

/** Says it to who does not see the page. @param {string} text */
export function announce(text) {
  at("live").textContent = text;
}

/** A refusal of the portal, with its code and its sentence. */
export class Refusal extends Error {
  /** @param {{ code: string, message: string, mismatches?: { field: string, how: string }[] }} problem */
  constructor(problem) {
    super(problem.message);
    this.code = problem.code;
    this.mismatches = problem.mismatches ?? [];
  }
}

/**
 * Asks the portal.
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
export async function post(path, body, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer);
  return answer;
}
