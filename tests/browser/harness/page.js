// What a portal's page does, through the page library as portals get it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {import('puppeteer-core').Frame} Frame */

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
  await frame.waitForFunction(() => 'api' in window);
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
  if (!await page.$('form[action="/sign-out"]')) return;
  await press(page, 'form[action="/sign-out"] button');
  await arrived(page, '/sign-in');
}

/**
 * Waits until the reference portal's page says what came of an operation.
 * @param {Page} page
 * @returns {Promise<{ code: string, text: string }>}  `accepted`, or the code that the page shows; the whole page's text
 */
export async function verdict(page) {
  const told = await page.waitForFunction(() => {
    // The page that is confirmed is loaded anew: its heading is there before the rest of it.
    if (document.readyState !== 'complete') return null;
    const refused = /** @type {HTMLElement | null} */ (document.querySelector('#outcome:not([hidden])'));
    const code = document.querySelector('h1#verdict') ? 'accepted' : refused?.dataset.code;
    return code ? { code, text: document.body.innerText } : null;
  }, { polling: 25 });
  return /** @type {any} */ (await told.jsonValue());
}

/** Waits for the portal's verdict, which must be good, and gives the page's text. @param {Page} page */
export async function accepted(page) {
  const { code, text } = await verdict(page);
  assert.equal(code, 'accepted', text);
  return text;
}

/** Waits for the whole page that has the form of `action`. @param {Page} page @param {string} action */
const arrived = (page, action) =>
  page.waitForFunction((form) => document.readyState === 'complete' && document.querySelector(form) !== null,
    { polling: 25 }, `form[action="${action}"]`);

/**
 * Presses what is at `selector`, not the place where it was seen: what the page says of the plugin comes a moment
 * after the page, above the form, and the form goes down under a mouse.
 * @param {Page} page
 * @param {string} selector
 */
const press = (page, selector) => page.$eval(selector, (element) => /** @type {HTMLElement} */ (element).click());

/**
 * Presses a button that closes its own window: a mouse would wait for the answer of a window that is gone.
 * @param {Page} page
 * @param {string} selector
 */
export const pressLast = (page, selector) => page.evaluate((selector) => {
  const button = /** @type {HTMLElement} */ (document.querySelector(selector));
  setTimeout(() => button.click());
}, selector);
