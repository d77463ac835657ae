// What a portal's page does, through the page library as portals get it.

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

/** @param {Page | Frame} page */
export const abort = (page) => page.evaluate(() => /** @type {any} */ (window).control.abort());

/** @param {Page | Frame} page @returns {Promise<string[]>} */
export const stages = (page) => page.evaluate(() => /** @type {any} */ (window).stages);

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
