// Something goes away in the middle of a confirmation, or comes twice.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Agent, SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { abort, begin, confirm, hasApi, outcome, proofOf, stages, statementOf, status } from './harness/page.js';
import { eventually } from './harness/wait.js';

const RIGHT = `pin ${SOFTWARE_PIN}`;

inBrowsers('in the middle', {}, (scene) => {
  it('the worker is stopped: the same question goes on', LIMIT, async () => {
    const { browser, person } = scene();
    const page = await scene().caller();
    await scene().pair(page);
    person.answers('held yes', RIGHT);
    const { challenge } = await begin(page);
    await person.asked();
    const told = (/** @type {number} */ times) => async () =>
      (await stages(page)).filter((stage) => stage === 'awaiting_consent').length === times;
    await eventually('what the agent waits for, told to the page', told(1));
    assert.equal(await browser.driver.stopWorker(), true);
    // While nobody waits for it the agent tries no PIN.
    await eventually('the plugin, back at its call', told(2));
    person.release();
    assert.equal(statementOf(await outcome(page)).challenge, challenge);
    assert.equal(person.shown.match(/^SETDESC/gm)?.length, 2, 'one consent, one PIN');
  });

  it('the agent crashes and comes back: the person is asked anew, the call goes on', LIMIT, async () => {
    const { agent, person, ports } = scene();
    const page = await scene().caller();
    person.answers('hang');
    const { challenge } = await begin(page);
    await person.asked();
    await agent.stop('SIGKILL');
    person.answers('yes', RIGHT);
    await agent.start(ports[0]);
    assert.equal(statementOf(await outcome(page)).challenge, challenge);
  });

  it('the agent comes back at another port', LIMIT, async () => {
    const { agent, person, ports } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await agent.stop('SIGKILL');
    person.answers('yes', RIGHT);
    await agent.start(ports[2]);
    assert.equal(statementOf(await outcome(page)).origin, scene().sites.origin());
    await agent.restart(ports[0]);
    assert.equal((await status(page)).state, 'ready');
  });

  it('the agent is stopped in good order: its window closes, the next call succeeds', LIMIT, async () => {
    const { agent, person, ports } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await agent.stop();
    await person.closed();
    // Not before the call has ended: an agent that is back at once is asked anew, as after a crash.
    const { code } = await outcome(page);
    assert.ok(['cancelled', 'no_agent'].includes(code), code);
    await agent.start(ports[0]);
    person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
  });

  it('the tab is closed: the window closes', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await page.close();
    await person.closed();
  });

  it('the page is left: the window closes, and the page after it can ask', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await page.goto(`${sites.origin()}/test/blank`);
    await person.closed();
    await page.goto(`${sites.origin()}/test/caller`);
    await hasApi(page);
    person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
  });

  it('two tabs at once: one after the other, each gets its own', LIMIT, async () => {
    const { person } = scene();
    const [first, second] = [await scene().caller(), await scene().caller()];
    // The plugin waits 6 s for the window of another call to close: no more than the signature is left then.
    person.answers('yes', `held ${RIGHT}`, 'yes', RIGHT);
    const asked = await begin(first);
    await person.seen(/^GETPIN/m);
    const askedToo = await begin(second);
    person.release();
    assert.equal(statementOf(await outcome(first)).challenge, asked.challenge);
    assert.equal(statementOf(await outcome(second)).challenge, askedToo.challenge);
  });

  it('two tabs at once: the second is told that the agent is busy, the first is not disturbed', LIMIT, async () => {
    const { person } = scene();
    const [first, second] = [await scene().caller(), await scene().caller()];
    person.answers('hang');
    await begin(first);
    await person.asked();
    const { code, retryable } = await confirm(second);
    assert.deepEqual([code, retryable], ['busy', true]);
    assert.equal(person.windows, 1);
    await abort(first);
    assert.equal((await outcome(first)).code, 'aborted');
  });

  it('one page twice at once: the second call is refused', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    const second = await page.evaluate(() =>
      /** @type {any} */ (window).api.confirm({ challenge: 'A'.repeat(44) }).catch((/** @type {any} */ { code }) => code));
    assert.equal(second, 'pending');
    await abort(page);
    assert.equal((await outcome(page)).code, 'aborted');
  });
});

inBrowsers('the profile', {}, (scene) => {
  it('is closed and opened: the pairing is still there', LIMIT, async () => {
    await scene().pair(await scene().caller());
    await scene().reopenBrowser();
    assert.equal((await status(await scene().caller())).state, 'ready');
  });

  it('is copied to another computer: its agent must be paired anew, and then is', LIMIT, async () => {
    const { agent, tidy, ports } = scene();
    await agent.stop();
    const other = new Agent(tidy.folder(), tidy);
    await other.start(ports[0]);
    scene().agent = other;
    await scene().reopenBrowser(other.home);
    const page = await scene().caller();
    assert.equal((await status(page)).state, 'not_paired');
    assert.deepEqual(await other.pairings(), []);
    await scene().pair(page);
    assert.equal((await status(page)).state, 'ready');
    assert.equal((await other.pairings()).length, 1);
  });
});
