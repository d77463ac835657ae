// A person confirms who they are, or does not.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { abort, accepted, arrived, begin, confirm, outcome, proofOf, signOut, stages, status, verdict } from './harness/page.js';
import { softHsm } from './harness/softhsm.js';
import { eventually, within } from './harness/wait.js';

const RIGHT = `pin ${SOFTWARE_PIN}`;

inBrowsers('confirming on the software token', {}, (scene) => {
  it('on the portal: the account is confirmed, marked as a test', LIMIT, async () => {
    const { person, agent } = scene();
    await scene().pair(await scene().caller());
    const page = await scene().portalPage();
    person.answers('yes', RIGHT);
    await page.locator('button.primary[data-purpose]').click();
    const shown = await accepted(page);
    assert.match(shown, /Образцова/);
    assert.match(shown, /test/i);
    assert.match(person.shown, new RegExp(scene().sites.origin().replaceAll('.', '\\.')));
    const last = (await agent.history()).at(-1);
    assert.deepEqual([last?.action, last?.origin, last?.outcome], ['confirmation', scene().sites.origin(), 'done']);
  });

  it('on the portal, pressed before the page has its words: it need not be pressed again', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().portalPage();
    await signOut(page);
    await page.setRequestInterception(true);
    const words = new Promise((/** @type {(request: import('puppeteer-core').HTTPRequest) => void} */ resume) => {
      page.on('request', (request) => request.url().endsWith('/assets/en.json') ? resume(request) : request.continue());
    });
    await page.reload();
    const held = await within('the words', words);
    person.answers('yes', RIGHT);
    await page.locator('button.primary[data-purpose=sign_in]').click();
    await held.continue();
    await arrived(page, '/sign-out');
  });

  it('in every format the agent speaks; cms-challenge only where a policy allows it', LIMIT, async () => {
    const page = await scene().caller();
    for (const format of ['web-eid:1.0', 'jws', 'cms']) {
      scene().person.answers('yes', RIGHT);
      const confirmed = await confirm(page, { format });
      assert.deepEqual([proofOf(confirmed).format, confirmed.test], [format, true]);
    }
    assert.equal((await confirm(page, { format: 'cms-challenge' })).code, 'origin_not_allowed');
    assert.equal((await confirm(page, { format: 'gost-of-tomorrow' })).code, 'unsupported_format');
    assert.equal((await confirm(page, { challenge: 'short' })).code, 'invalid_field');
  });

  it('the person declines', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('no');
    assert.equal((await confirm(page)).code, 'declined');
    assert.equal(person.windows, 1);
  });

  it('the page cancels: the window closes at once', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await eventually('what the agent waits for, told to the page', async () => (await stages(page)).includes('awaiting_consent'));
    await abort(page);
    assert.equal((await outcome(page)).code, 'aborted');
    await person.closed();
  });

  it("the portal's own button cancels", LIMIT, async () => {
    const { person } = scene();
    const page = await scene().portalPage('ivan');
    person.answers('hang');
    await page.locator('button.primary[data-purpose]').click();
    await person.asked();
    // The button goes down when what is said above it becomes longer.
    await page.waitForSelector('#operation[data-stage=awaiting_consent]');
    await page.locator('#cancel').click();
    const { code, text } = await verdict(page);
    assert.equal(code, 'aborted', text);
    await person.closed();
  });

  it("another person's certificate does not confirm the account, and the page says what differs", LIMIT, async () => {
    const { person } = scene();
    const page = await scene().portalPage('ivan');
    person.answers('yes', RIGHT);
    await page.locator('button.primary[data-purpose]').click();
    const { code, text } = await verdict(page);
    assert.equal(code, 'person_mismatch', text);
    assert.match(await page.$eval('#outcome-text', (element) => element.textContent ?? ''), /СНИЛС/);
  });

  it('a wrong PIN, then the right one', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('yes', 'pin 9999', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    assert.match(person.shown, /Incorrect PIN|wrong/i);
  });

  it('the PIN is in nothing the page gets, and in no log', LIMIT, async () => {
    const { agent, person } = scene();
    const page = await scene().caller();
    person.answers('yes', RIGHT);
    const result = await confirm(page);
    proofOf(result);
    assert.doesNotMatch(JSON.stringify(result), /\b1234\b/);
    assert.doesNotMatch(agent.log, /\b1234\b/);
  });
});

inBrowsers('confirming on SoftHSM', async (tidy) => {
  const card = await softHsm(tidy, { snils: '11223344595' });
  return { agent: { software: false, module: card.module }, roots: [card.root] };
}, (scene) => {
  it('on the portal, over a PKCS#11 module in its own process', LIMIT, async () => {
    const { person } = scene();
    await scene().pair(await scene().caller());
    const page = await scene().portalPage();
    person.answers('pin 12345678');
    await page.locator('button.primary[data-purpose]').click();
    assert.match(await accepted(page), /Образцова/);
  });

  it('a wrong PIN is told with what is left of tries', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('pin 00000000', 'cancel');
    const { code } = await confirm(page);
    assert.ok(['declined', 'pin_incorrect'].includes(code), code);
    assert.match(person.shown, /Incorrect PIN|wrong/i);
  });
});

inBrowsers('no token, then one', { agent: { software: false } }, (scene) => {
  it('the call waits, and goes on when one is there', LIMIT, async () => {
    const { agent, person, ports } = scene();
    const page = await scene().caller();
    await scene().pair(page);
    assert.equal((await status(page)).state, 'no_token');
    // The window that says what to insert.
    person.answers('hang');
    await begin(page);
    await eventually('waiting for a token', async () => (await stages(page)).includes('awaiting_token'));
    // A window that has not taken its answer yet would take one of those to come.
    await person.asked();
    // The software token cannot be plugged in, but the agent can come back with it.
    agent.configure({ software: true });
    await agent.stop('SIGKILL');
    person.answers('yes', RIGHT);
    await agent.start(ports[0]);
    assert.equal(proofOf(await outcome(page)).format, 'jws');
    assert.equal((await status(page)).state, 'ready');
  });
});
