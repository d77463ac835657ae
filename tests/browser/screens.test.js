// Pictures of every page in every state, in both languages, for people to look at
// (target/screenshots), and what axe-core says of each. In Chromium: the pages are the same in Firefox, where the
// driver cannot put a message of the worker into the plugin's own pages.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { it } from 'node:test';

import { PAIR, POPUP } from '../../extension/tests/screens.js';
import { SOFTWARE_PIN } from './harness/agent.js';
import { ROOT } from './harness/child.js';
import { inBrowsers } from './harness/each.js';
import { signIn, signOut, verdict } from './harness/page.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FOLDER = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'screenshots');
/** Many pages to a test. */
const LONG = { timeout: 240_000 };
const SIZES = { popup: { width: 380, height: 600 }, pair: { width: 460, height: 560 }, portal: { width: 1000, height: 800 } };
/** What a portal's page can be told by the plugin, and what it shows without one. */
const STATES = ['ready', 'no_agent', 'old_agent', 'old_plugin', 'not_paired', 'no_token', 'service_down', 'no_plugin'];
/** How a call can end, beside well: the codes that need words of their own. */
const ENDS = ['declined', 'cancelled', 'pin_incorrect', 'pin_locked', 'no_certificate', 'busy', 'expired', 'module_failed', 'aborted'];

/**
 * @param {import('puppeteer-core').Page} page
 * @param {string} name  of the picture, with its folder
 */
async function picture(page, name) {
  const path = join(FOLDER, `${name}.png`);
  mkdirSync(join(path, '..'), { recursive: true });
  await page.screenshot({ path: /** @type {`${string}.png`} */ (path), fullPage: true });
}

/**
 * What axe-core finds serious or critical.
 * @param {import('puppeteer-core').Page} page
 * @param {string} name
 */
async function accessible(page, name) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((/** @type {any} */ { impact }) => impact === 'serious' || impact === 'critical')
      .map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ { html }) => html).join(' ')}`);
  });
  assert.deepEqual(found, [], name);
}

/**
 * One of the extension's own pages that hears `message` from the worker, and nothing else.
 * @param {import('puppeteer-core').Page} page
 * @param {string} url
 * @param {unknown} message
 */
async function showOwn(page, url, message) {
  const script = await page.evaluateOnNewDocument((message) => {
    const listeners = { addListener: () => {} };
    const port = {
      onMessage: { addListener: (/** @type {(said: unknown) => void} */ hear) => message && setTimeout(hear, 0, message) },
      onDisconnect: listeners, postMessage: () => {}, disconnect: () => {},
    };
    Object.defineProperty(/** @type {any} */ (globalThis).chrome.runtime, 'connect', { value: () => port });
  }, message);
  await page.goto(url);
  await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 0)));
  await page.removeScriptToEvaluateOnNewDocument(script.identifier);
}

/**
 * A plugin in the page that answers `status` with a state, and a `confirm` with a code; none for `no_plugin`.
 * @param {import('puppeteer-core').Page} page
 * @param {string} state
 * @param {string} [code]
 */
async function pretend(page, state, code) {
  await page.evaluateOnNewDocument((state, code) => {
    addEventListener('message', ({ data }) => {
      if (data?.to !== 'plugin' || state === 'no_plugin') return;
      const tell = (/** @type {object} */ body) => postMessage({ eidAgent: 1, to: 'page', id: data.id, ...body }, location.origin);
      tell({ ack: true });
      if (data.call === 'status') tell({ result: { plugin: '0.2.0', state, agent: '0.2.0' } });
      if (data.call !== 'confirm') return;
      tell({ progress: 'awaiting_consent' });
      if (code) tell({ error: { code, message: code, retryable: false, ...(code === 'pin_incorrect' ? { triesLeft: 2 } : {}) } });
    });
  }, state, code);
}

for (const language of ['en', 'ru']) {
  inBrowsers(`the plugin's pages, ${language}`, { language, running: false }, (scene) => {
    it('popup and pairing window, light and dark', LONG, async () => {
      const { driver } = scene().browser;
      const page = await driver.browser.newPage();
      /** @type {['popup' | 'pair', Record<string, unknown>][]} */
      const kinds = [['popup', POPUP], ['pair', PAIR]];
      for (const [kind, states] of kinds) {
        await page.setViewport(SIZES[kind]);
        for (const [state, message] of Object.entries(states)) {
          await showOwn(page, driver.extensionUrl(`${kind}/${kind}.html`), message);
          for (const scheme of ['light', 'dark']) {
            await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
            const name = `plugin-${language}/${kind}-${state}${scheme === 'dark' ? '-dark' : ''}`;
            await picture(page, name);
            await accessible(page, name);
          }
        }
      }
      await page.setViewport(SIZES.portal);
      await page.goto(driver.extensionUrl('popup/help.html'));
      await picture(page, `plugin-${language}/help`);
      await accessible(page, 'help');
    });
  }, ['chromium']);

  inBrowsers(`the portal's pages, ${language}`, { listed: [], running: false }, (scene) => {
    /** @param {string} state @param {string} [code] @param {string} [account] */
    async function open(state, code, account) {
      const { browser, sites } = scene();
      const page = await browser.driver.browser.newPage();
      await page.setViewport(SIZES.portal);
      await pretend(page, state, code);
      await page.goto(`${sites.origin()}/language/${language}`);
      if (account) await signIn(page, account);
      else await signOut(page);
      return page;
    }
    /** @param {import('puppeteer-core').Page} page @param {string} name */
    async function look(page, name) {
      const whole = `portal-${language}/${name}`;
      await picture(page, whole);
      await accessible(page, whole);
      await page.close();
    }

    it('in every state of the plugin', LONG, async () => {
      for (const state of STATES) {
        const page = await open(state, undefined, 'vera');
        await page.waitForSelector(`#plugin[data-state=${state}]`);
        await look(page, `standard-${state}`);
      }
      await look(await open('ready'), 'sign-in');
      await look(await open('no_plugin'), 'sign-in-no-plugin');
      await look(await open('ready', undefined, 'pavel'), 'simplified');
      const help = await open('ready');
      await help.goto(`${scene().sites.origin()}/help`);
      await look(help, 'help');
    });

    it('while it waits, and however it ends', LONG, async () => {
      const waiting = await open('ready', undefined, 'vera');
      await waiting.waitForSelector('#plugin[data-state=ready]');
      await waiting.locator('button.primary[data-purpose]').click();
      await waiting.waitForSelector('#operation[data-stage=awaiting_consent]');
      await look(waiting, 'waiting');
      for (const code of ENDS) {
        const page = await open('ready', code, 'vera');
        await page.waitForSelector('#plugin[data-state=ready]');
        await page.locator('button.primary[data-purpose]').click();
        await page.waitForSelector(`#outcome:not([hidden])[data-code=${code}]`);
        await look(page, `end-${code}`);
      }
    });
  }, ['chromium']);

  inBrowsers(`the portal's verdict, ${language}`, { nativeHost: true, language, agent: { language } }, (scene) => {
    it('confirmed, and of another person', LONG, async () => {
      const { browser, person, sites } = scene();
      await (await browser.open(`${sites.origin()}/language/${language}`)).close();
      for (const [account, done] of [['ivan', 'person_mismatch'], ['vera', 'accepted']]) {
        const page = await scene().portalPage(account);
        await page.setViewport(SIZES.portal);
        person.answers('yes', `pin ${SOFTWARE_PIN}`);
        await page.locator('button.primary[data-purpose]').click();
        const { code, text } = await verdict(page);
        assert.equal(code, done, text);
        const name = `portal-${language}/verdict-${account}`;
        await picture(page, name);
        await accessible(page, name);
      }
    });
  }, ['chromium']);
}
