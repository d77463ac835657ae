// The person lets the plugin serve one more site, and takes it back.
//
// In Firefox alone: its preference extensions.webextOptionalPermissionPrompts answers the browser's
// question for the person; headless Chromium shows the question to nobody and has nothing to answer it.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { inBrowsers, LIMIT } from './harness/each.js';
import { hasApi, status } from './harness/page.js';
import { eventually } from './harness/wait.js';

const HOST = 'other.test';

/**
 * Does as the popup's buttons do, in one of the extension's own pages and with a real click.
 * @param {import('puppeteer-core').Page} own
 * @param {'request' | 'remove'} what
 */
async function permissions(own, what) {
  await own.evaluate((what, origins) => {
    document.title = 'asking';
    document.body.onclick = async () => {
      document.title = String(await /** @type {any} */ (globalThis).chrome.permissions[what]({ origins }));
    };
  }, what, [`https://${HOST}/*`]);
  await own.click('main');
  await eventually("the browser's answer", async () => (await own.title()) === 'true');
}

inBrowsers('a site the person allows', {}, (scene) => {
  it('is served at once in the open tab, and again after a load; taken back, it is refused', LIMIT, async () => {
    const { browser } = scene();
    const page = await scene().caller(HOST);
    assert.equal((await status(page)).code, 'no_plugin');
    const own = await browser.openOwn('popup/help.html');
    await permissions(own, 'request');
    await eventually('the plugin in the open tab', async () => (await status(page)).state === 'not_paired');
    await page.reload();
    await hasApi(page);
    assert.equal((await status(page)).state, 'not_paired');
    await permissions(own, 'remove');
    assert.equal((await status(page)).code, 'no_plugin');
    await page.reload();
    await hasApi(page);
    assert.equal((await status(page)).code, 'no_plugin');
  });

  it('is one site: a subdomain of it is not served', LIMIT, async () => {
    const own = await scene().browser.openOwn('popup/help.html');
    await permissions(own, 'request');
    const page = await scene().caller(`www.${HOST}`);
    assert.equal((await status(page)).code, 'no_plugin');
  });
}, ['firefox']);
