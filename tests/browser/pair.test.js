// Plugin and agent get to know each other.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { PLUGIN_VERSION } from './harness/extension.js';
import { begin, confirm, outcome, proofOf, status } from './harness/page.js';
import { eventually } from './harness/wait.js';

/** The six digits in the plugin's window. @param {import('puppeteer-core').Page} window */
function digitsIn(window) {
  /** @returns {Promise<string>} */
  const digits = async () => {
    // Not by the driver's look-up: the window may be about to begin anew.
    const shown = await window.evaluate(() => [...document.querySelectorAll('#digits .group')].map((group) => group.textContent).join(' '));
    return /^\d{3} \d{3}$/.test(shown) ? shown : '';
  };
  return eventually('six digits in the pairing window', digits);
}

/** The plugin's pairings: the native host has one of its own. @param {import('./harness/agent.js').Agent} agent */
const plugins = async (agent) => (await agent.pairings()).filter(({ name }) => /, (Chromium|Firefox)$/.test(name));

/** @param {import('puppeteer-core').Page} window @param {RegExp} text */
const says = (window, text) => eventually(`${text} in the pairing window`, () =>
  window.evaluate(() => document.body.innerText).then((shown) => text.test(shown)));

inBrowsers('pairing by digits', {}, (scene) => {
  it('a page asks, both windows show the same six digits, the call goes on', LIMIT, async () => {
    const { browser, person, agent } = scene();
    person.answers('held yes', 'yes', `pin ${SOFTWARE_PIN}`);
    const page = await scene().caller();
    await begin(page);
    const window = await browser.pairing();
    const digits = await digitsIn(window);
    const shown = await person.seen(digits);
    assert.match(shown, /calls itself/);
    assert.deepEqual(await agent.pairings(), []);
    await window.locator('#same').click();
    person.release();
    const confirmed = await outcome(page);
    assert.deepEqual([proofOf(confirmed).format, confirmed.test], ['jws', true]);
    const [pairing, ...others] = await agent.pairings();
    assert.deepEqual(others, []);
    assert.match(pairing.name, browser.name === 'firefox' ? /Firefox/ : /Chrom/);
    assert.deepEqual(await status(page), { plugin: PLUGIN_VERSION, state: 'ready', agent: await agent.version() });
  });

  it('a window that is left open begins another attempt when the pairing is revoked', LIMIT, async () => {
    const { browser, person, agent } = scene();
    /** @param {string} id */
    const pairedAnew = async (id) => {
      await agent.cli('pairings', 'revoke', id);
      person.answers('held yes', 'yes', `pin ${SOFTWARE_PIN}`);
      const page = await scene().caller();
      assert.equal((await status(page)).state, 'not_paired');
      await begin(page);
      const window = await browser.pairing();
      await person.seen(await digitsIn(window));
      await window.locator('#same').click();
      person.release();
      assert.equal(proofOf(await outcome(page)).format, 'jws');
      await says(window, /paired/i);
      const [pairing] = await agent.pairings();
      assert.notEqual(pairing.id, id);
      return pairing.id;
    };
    await agent.restart(); // which forgets how many attempts to pair there were this minute
    const [{ id }] = await agent.pairings();
    await pairedAnew(await pairedAnew(id));
  });

  it('what is paired stays paired when the worker is stopped', LIMIT, async () => {
    const page = await scene().caller();
    // One that had nothing to do for half a minute has been stopped by the browser.
    assert.equal((await status(page)).state, 'ready');
    assert.equal(await scene().browser.driver.stopWorker(), true);
    assert.equal((await status(page)).state, 'ready');
  });

  it('an agent that has forgotten us is asked again, with other digits', LIMIT, async () => {
    const { browser, person, agent } = scene();
    const [{ id }] = await agent.pairings();
    await agent.cli('pairings', 'revoke', id);
    const page = await scene().caller();
    assert.equal((await status(page)).state, 'not_paired');
    person.answers('no');
    await begin(page);
    const window = await browser.pairing();
    await says(window, /declined|refused|not agree|did not/i);
    assert.deepEqual(await agent.pairings(), []);
    await window.close();
    assert.equal((await outcome(page)).code, 'not_paired');
    // A page that asks again at once does not bring the window back.
    assert.equal((await confirm(page)).code, 'not_paired');
  });

  it('closing the pairing window closes the question at the agent', LIMIT, async () => {
    const { browser, person, agent } = scene();
    await agent.restart();
    person.answers('hang');
    const own = await browser.openOwn('pair/pair.html');
    await person.seen(await digitsIn(own));
    await own.close();
    await person.closed();
    assert.deepEqual(await agent.pairings(), []);
  });
});

inBrowsers('pairing by the native host', { nativeHost: true, running: false }, (scene) => {
  it('a page asks, the daemon is started, nobody compares anything', LIMIT, async () => {
    const { agent, person } = scene();
    const page = await scene().caller();
    person.answers('yes', `pin ${SOFTWARE_PIN}`);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    assert.equal((await plugins(agent)).length, 1);
    assert.doesNotMatch(person.shown, /same number/);
    assert.deepEqual(await status(page), { plugin: PLUGIN_VERSION, state: 'ready', agent: await agent.version() });
  });

  it('a daemon that was stopped is started again for the next call', LIMIT, async () => {
    const { agent, person } = scene();
    const page = await scene().caller();
    await agent.stopStarted();
    person.answers('yes', `pin ${SOFTWARE_PIN}`);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    assert.equal((await plugins(agent)).length, 1);
  });
});
