// What everybody saw, told when a test has failed: its own words are seldom enough to know why.

import { within } from './wait.js';

/** Lines of a log that are told, its last ones. */
const LINES = 60;

/**
 * Tells it on standard error, if this test has failed. Nothing of it may fail.
 * @param {any} test  the context that afterEach is given; before Node 20.12 it does not know how the test ended
 * @param {import('./browser.js').Browser | undefined} browser
 * @param {Record<string, string | undefined>} [texts]  what else there is to tell, by what it is
 */
export async function reportFailure(test, browser, texts = {}) {
  if (test?.passed !== false) return;
  const pages = browser ? await pagesOf(browser).catch((error) => [`not to be had: ${error.message}`]) : [];
  const told = Object.entries({ ...texts, 'open pages': pages.join('\n') }).map(([what, text]) => `-- ${what}:\n${end(text)}`);
  console.error(`${test.name}: this is what there was to be seen (${browser?.name}, ${new Date().toISOString()})\n${told.join('\n')}`);
}

/** The addresses and texts of all open pages. @param {import('./browser.js').Browser} browser @returns {Promise<string[]>} */
async function pagesOf(browser) {
  const pages = await within('the pages', browser.driver.browser.pages(), 5_000);
  return Promise.all(pages.map((page) => {
    const text = page.evaluate(() => `${location.href} (${document.readyState}): ${document.body?.innerText.replace(/\n+/g, ' | ')}`);
    return within('its text', text, 2_000).catch((error) => `${page.url()}: ${error.message}`);
  }));
}

/** @param {string | undefined} text */
const end = (text) => (text ?? '').trimEnd().split('\n').slice(-LINES).join('\n');
