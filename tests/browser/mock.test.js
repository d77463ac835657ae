// A portal's tests with `eid-agent mock`, as MOCK.md promises them: every outcome, seen through the plugin.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import { BROWSERS } from './harness/browser.js';
import { program, ROOT } from './harness/child.js';
import { LIMIT } from './harness/each.js';
import { abort, begin, confirm, outcome, proofOf, stages, status, verdict } from './harness/page.js';
import { MockScene, outcomes } from './harness/mock.js';
import { reportFailure } from './harness/report.js';
import { eventually } from './harness/wait.js';

const OUTCOMES = await outcomes();
/** What shows before anybody is asked, where that is not `ready`. */
const BEFORE = { 'no-token': 'no_token', 'token-inserted': 'no_token', 'module-unavailable': 'service_down' };
/** What is told beside the code. */
const TRIES_LEFT = { 'wrong-pin': 2, 'wrong-pin-last-try': 1 };
/** The reference portal's own words for what the verifier does not judge. */
const ON_THE_PORTAL = { 'accepted, of another person': 'person_mismatch' };

for (const browser of BROWSERS) {
  describe(`a mock (${browser})`, () => {
    /** @type {MockScene} */
    let scene;
    before(async () => {
      scene = await MockScene.open(browser);
    }, LIMIT);
    afterEach(async (/** @type {any} */ test) => {
      await reportFailure(test, scene?.browser, { "the mock's log": scene?.mock.log });
      await scene?.browser.closeTabs();
    }, LIMIT);
    after(() => scene?.close(), LIMIT);

    it('the plugin finds it, and it agrees to the digits', LIMIT, async () => {
      const page = await scene.caller();
      assert.equal((await status(page)).state, 'not_paired');
      await begin(page);
      await (await scene.browser.pairing()).locator('#same').click();
      const confirmed = await outcome(page);
      assert.deepEqual([proofOf(confirmed).format, confirmed.test], ['jws', true]);
      assert.ok((await stages(page)).includes('pairing'));
      assert.equal((await status(page)).state, 'ready');
    });

    for (const { name, code } of OUTCOMES.filter(({ name, code }) => code && name !== 'no-answer')) {
      it(`${name}: the page is told ${code}`, LIMIT, async () => {
        const page = await scene.caller();
        await scene.next(name);
        assert.equal((await status(page)).state, BEFORE[name] ?? 'ready');
        const told = await confirm(page);
        assert.deepEqual([told.code, told.triesLeft], [code, TRIES_LEFT[name]], JSON.stringify(told));
      });
    }

    it('no-answer: the page cancels', LIMIT, async () => {
      const page = await scene.caller();
      await scene.next('no-answer');
      await begin(page);
      await eventually('the window', async () => (await stages(page)).includes('awaiting_consent'));
      await abort(page);
      assert.equal((await outcome(page)).code, 'aborted');
      await scene.next('confirmed');
      assert.equal(proofOf(await confirm(page)).format, 'jws', 'nothing is left open');
    });

    for (const { name, verdict: expected } of OUTCOMES.filter(({ verdict }) => verdict)) {
      it(`${name}: the portal says ${expected}`, LIMIT, async () => {
        await scene.freshPortal();
        const page = await scene.portalPage();
        await scene.next(name);
        await page.locator('button.primary[data-purpose]').click();
        const { code, text } = await verdict(page);
        assert.equal(code, ON_THE_PORTAL[/** @type {string} */ (expected)] ?? expected, text);
      });
    }
  });
}

describe('the example of MOCK.md', { skip: !BROWSERS.includes('chromium') }, () => {
  it('runs as it stands there, in a profile that is not paired', LIMIT, async () => {
    const scene = await MockScene.open('chromium');
    try {
      await example()(
        scene.browser.driver.browser,
        await scene.portalPage(),
        (/** @type {string} */ name, /** @type {string[]} */ args) => execFileSync(program(name), args),
        { env: { STATE: scene.said.state } },
      );
    } finally {
      await scene.close();
    }
  });
});

/** The marked block of the manual, as a function of what it finds around it. */
function example() {
  const manual = readFileSync(join(ROOT, 'agent', 'MOCK.md'), 'utf8');
  const block = manual.split('<!-- Run by tests/browser/mock.test.js. -->')[1]?.match(/```js\n(.*?)```/s)?.[1];
  assert.ok(block, 'the manual has an example');
  const body = block.replace(/^import .*\n/gm, '');
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  return new AsyncFunction('browser', 'page', 'execFileSync', 'process', body);
}
