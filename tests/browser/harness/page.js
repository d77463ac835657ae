// What a portal's page does, through the page library as portals get it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { eventually, within } from './wait.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('puppeteer-core').Frame} Frame */

/** How long a page may take to come, milliseconds. */
const ARRIVAL = 30_000;

/**
 * Asks a page again and again until it gives something truthy, and gives that, whatever the page becomes meanwhile.
 * A driver's look-ups ($, $eval, $$eval) put a script of theirs into the page first: where that meets another page on
 * its way, Firefox says no, and puppeteer may let the error fall where nobody hears it, which fails the test that runs.
 * @param {Page | Frame} page
 * @param {string} what  for the message when it never comes
 * @param {(...args: any[]) => unknown} probe
 * @param {...unknown} args
 * @returns {Promise<any>}
 */
export const eventuallyIn = (page, what, probe, ...args) =>
  eventually(what, () => within('an answer of the page', page.evaluate(probe, ...args), 5_000), ARRIVAL);

/** Waits for the page library. @param {Page | Frame} page */
export const hasApi = (page) => eventuallyIn(page, 'the page library', () => 'api' in window);

/** A challenge of 256 bits, as a portal would draw it. */
export const challenge = () => randomBytes(32).toString('base64');

/**
 * What `status()` gives, or the code it fails with.
 * @param {Page | Frame} page
 * @returns {Promise<any>}
 */
export function status(page) {
  return page.evaluate(() => /** @type {any} */ (window).api.status().catch(({ code }) => ({ code })));
}

/**
 * Calls `confirm()`; gives its confirmation, or the error's members as `code`, `retryable`, `triesLeft`.
 * @param {Page | Frame} page
 * @param {Record<string, unknown>} [options]
 * @returns {Promise<any>}
 */
export async function confirm(page, options = {}) {
  await begin(page, options);
  return outcome(page);
}

/**
 * Begins a `confirm()` whose outcome `outcome` waits for, and whose stages `stages` tells; `abort` ends it.
 * @param {Page | Frame} page
 * @param {Record<string, unknown>} [options]
 */
export async function begin(page, options = {}) {
  const given = { challenge: challenge(), ...options };
  await page.evaluate((given) => {
    const here = /** @type {any} */ (window);
    here.control = new AbortController();
    here.stages = [];
    const onProgress = (/** @type {string} */ stage) => here.stages.push(stage);
    here.call = here.api.confirm({ ...given, onProgress, signal: here.control.signal })
      .catch(({ code, retryable, triesLeft, message }) => ({ code, retryable, triesLeft, message }));
  }, given);
  return given;
}

/** @param {Page | Frame} page @returns {Promise<any>} */
export const outcome = (page) => page.evaluate(() => /** @type {any} */ (window).call);

/** The proof of a confirmation; whatever came instead is the test's failure. @param {any} confirmation @returns {Record<string, any>} */
export function proofOf(confirmation) {
  assert.ok(confirmation?.proof, JSON.stringify(confirmation));
  return confirmation.proof;
}

/** What a JWS proof says it was made for. @param {any} confirmation */
export const statementOf = (confirmation) =>
  JSON.parse(Buffer.from(proofOf(confirmation).jws.split('.')[1], 'base64url').toString());

/** @param {Page | Frame} page */
export const abort = (page) => page.evaluate(() => /** @type {any} */ (window).control.abort());

/** @param {Page | Frame} page @returns {Promise<string[]>} */
export const stages = (page) => page.evaluate(() => /** @type {any} */ (window).stages);

/**
 * A frame in `page` that shows `url`.
 * @param {Page} page
 * @param {string} url
 * @param {string} [sandbox]
 */
export async function framed(page, url, sandbox) {
  const element = await page.evaluateHandle((url, sandbox) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    if (sandbox) frame.setAttribute('sandbox', sandbox);
    frame.onload = () => resolve(frame);
    frame.src = url;
    document.body.append(frame);
  }), url, sandbox);
  const frame = await /** @type {import('puppeteer-core').ElementHandle<HTMLIFrameElement>} */ (element).contentFrame();
  await hasApi(frame);
  return frame;
}

/**
 * On the reference portal's page: signs out whoever is signed in, and `account` in.
 * @param {Page} page
 * @param {string} account
 */
export async function signIn(page, account) {
  await signOut(page);
  await press(page, `input[value=${account}]`);
  await press(page, 'form[action="/sign-in"] button');
  await arrived(page, '/sign-out');
  return page;
}

/** On the reference portal's page: signs out whoever is signed in. @param {Page} page */
export async function signOut(page) {
  if (!await page.evaluate(() => document.querySelector('form[action="/sign-out"]') !== null)) return;
  await press(page, 'form[action="/sign-out"] button');
  await arrived(page, '/sign-in');
}

/**
 * Waits until the reference portal's page says what came of an operation.
 * @param {Page} page
 * @returns {Promise<{ code: string, text: string }>}  `accepted`, or the code that the page shows; the whole page's text
 */
export function verdict(page) {
  return eventuallyIn(page, "the portal's verdict", () => {
    // The page that is confirmed is loaded anew: its heading is there before the rest of it.
    if (document.readyState !== 'complete') return null;
    const refused = /** @type {HTMLElement | null} */ (document.querySelector('#outcome:not([hidden])'));
    const code = document.querySelector('h1#verdict') ? 'accepted' : refused?.dataset.code;
    return code ? { code, text: document.body.innerText } : null;
  });
}

/** Waits for the portal's verdict, which must be good, and gives the page's text. @param {Page} page */
export async function accepted(page) {
  const { code, text } = await verdict(page);
  assert.equal(code, 'accepted', text);
  return text;
}

/** Waits for the whole page that has the form of `action`. @param {Page} page @param {string} action */
export const arrived = (page, action) => eventuallyIn(page, `the page with ${action}`,
  (form) => document.readyState === 'complete' && document.querySelector(form) !== null, `form[action="${action}"]`);

/**
 * Presses what is at `selector`, not the place where it was seen: what the page says of the plugin comes a moment
 * after the page, above the form, and the form goes down under a mouse.
 * @param {Page} page
 * @param {string} selector
 */
const press = (page, selector) =>
  page.evaluate((selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).click(), selector);

/**
 * Presses a button that closes its own window: a mouse would wait for the answer of a window that is gone.
 * @param {Page} page
 * @param {string} selector
 */
export const pressLast = (page, selector) => page.evaluate((selector) => {
  const button = /** @type {HTMLElement} */ (document.querySelector(selector));
  setTimeout(() => button.click());
}, selector);
