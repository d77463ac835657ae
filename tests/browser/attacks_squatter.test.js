// A program of another user that holds the agent's port, speaks its protocol and says yes to everything.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';

import '../../extension/tests/setup.js';
import { FakeAgent } from '../../extension/tests/fake-agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { PLUGIN_VERSION } from './harness/extension.js';
import { hostileExtension } from './harness/hostile.js';
import { begin, confirm, outcome, pressLast, status } from './harness/page.js';
import { eventually } from './harness/wait.js';

/** @typedef {import('./harness/scene.js').Scene} Scene */

/** @param {Scene} scene @param {number} which of the three ports */
async function squat({ ports, tidy }, which) {
  const squatter = new FakeAgent();
  await squatter.start(ports[which]);
  tidy.later(() => squatter.stop());
  return squatter;
}

/** Everything a squatter was told in requests that name an origin or a challenge. @param {FakeAgent} squatter */
const learned = (squatter) => squatter.seen.filter(({ body }) => body?.origin ?? body?.challenge);

inBrowsers('a squatter on the port', { running: false }, (scene) => {
  /** @type {FakeAgent} */
  let squatter;

  it('does not come between the plugin and an agent at another port', LIMIT, async () => {
    const { agent, browser, person, ports } = scene();
    await agent.start(ports[1]);
    const page = await scene().caller();
    await scene().pair(page);
    squatter = await squat(scene(), 0);
    await browser.driver.stopWorker();
    assert.equal((await status(page)).state, 'ready');
    person.answers('no');
    assert.equal((await confirm(page)).code, 'declined');
    assert.deepEqual(learned(squatter), []);
  });

  it('says that it is paired, and is not believed: no agent showed the person a window', LIMIT, async () => {
    const { agent, browser, ports } = scene();
    await agent.stop();
    // At the port of the agent, too.
    const late = await squat(scene(), 1);
    const page = await scene().caller();
    assert.equal((await status(page)).state, 'not_paired');
    await begin(page);
    const window = await browser.pairing();
    await eventually('a squatter, paired as far as it is concerned', () => squatter.pairings.size + late.pairings.size === 1);
    await window.waitForSelector('#same:not([hidden])');
    await pressLast(window, '#cancel');
    assert.equal((await outcome(page)).code, 'not_paired');
    assert.equal((await status(page)).state, 'not_paired');
    await late.stop();
    await squatter.stop();
    await agent.start(ports[2]);
    assert.equal((await status(page)).state, 'ready', 'the pairing with the agent stands');
    assert.deepEqual([...learned(late), ...learned(squatter)], []);
  });
});

inBrowsers('a squatter, where the native host is', { nativeHost: true, running: false }, (scene) => {
  it('is passed by: the plugin pairs with the agent that the host starts', LIMIT, async () => {
    const squatter = await squat(scene(), 0);
    const page = await scene().caller();
    scene().person.answers('no');
    assert.equal((await confirm(page)).code, 'declined');
    assert.equal((await status(page)).state, 'ready');
    assert.equal(squatter.pairings.size, 0);
    assert.deepEqual(squatter.seen, []);
  });
});

inBrowsers('an extension in league with a squatter', async (tidy) => ({
  running: false,
  alsoInstalled: [hostileExtension(join(tidy.folder(), 'hostile'))],
}), (scene) => {
  it("opens the plugin's pairing window, and cannot agree in it", LIMIT, async () => {
    const { browser } = scene();
    const squatter = await squat(scene(), 0);
    const hostile = await browser.openHostile();
    const url = browser.driver.extensionUrl('pair/pair.html');
    const tried = await hostile.evaluate(async (url) => {
      const { runtime, scripting, tabs } = /** @type {any} */ (globalThis).chrome;
      const fate = (/** @type {Promise<any>} */ attempt) => attempt.then((got) => `did: ${JSON.stringify(got)}`, (error) => `refused: ${error.message ?? error}`);
      const tab = await tabs.create({ url }).catch(() => undefined);
      await new Promise((resume) => setTimeout(resume, 1_500));
      const found = tab ?? (await tabs.query({})).find((/** @type {any} */ { title }) => /eid-agent/.test(title));
      const press = { target: { tabId: found?.id ?? 0, allFrames: true }, func: () => document.getElementById('same')?.click() };
      return {
        press: await fate(scripting.executeScript(press)),
        style: await fate(scripting.insertCSS({ target: press.target, css: 'body { display: none }' })),
        message: await fate(tabs.sendMessage(press.target.tabId, { do: 'agree' })),
        port: await fate(new Promise((resolve, reject) => {
          const port = tabs.connect(press.target.tabId, { name: 'pair' });
          port.onMessage.addListener(resolve);
          port.onDisconnect.addListener(() => reject(runtime.lastError ?? new Error('closed')));
          port.postMessage({ do: 'agree' });
        })),
      };
    }, url);
    for (const [what, fate] of Object.entries(tried)) assert.match(fate, /^refused: /, what);
    const page = await scene().caller();
    assert.equal((await status(page)).state, 'not_paired');
    assert.deepEqual(learned(squatter), []);
  });

  it("shares no world with the plugin's bridge in a page", LIMIT, async () => {
    const page = await scene().caller();
    const hostile = await scene().browser.openHostile();
    const seen = await hostile.evaluate(async () => {
      const { scripting, tabs } = /** @type {any} */ (globalThis).chrome;
      const [tab] = await tabs.query({ url: 'https://portal.test/*' });
      const worlds = /** @type {any[]} */ ([]);
      for (const world of ['MAIN', 'ISOLATED']) {
        const [{ result }] = await scripting.executeScript({ target: { tabId: tab.id }, world, func: () => 'eidAgentBridge' in globalThis });
        worlds.push(result);
      }
      return worlds;
    });
    assert.deepEqual(seen, [false, false]);
    assert.equal((await status(page)).plugin, PLUGIN_VERSION);
  });
});
