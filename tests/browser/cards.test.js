// Cards that the agent reads itself, in a reader of a real pcscd: they come, they go, they confirm.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { inBrowsers, LIMIT } from './harness/each.js';
import { abort, accepted, begin, confirm, outcome, proofOf, stages } from './harness/page.js';
import { Card, Reader } from './harness/reader.js';
import { eventually } from './harness/wait.js';

/** The account of the cards' person, Иванов Иван Иванович, at the portal. */
const ACCOUNT = 'ivanov';

/** @param {import('puppeteer-core').Page} page @param {string} stage */
const reached = (page, stage) => eventually(`the stage ${stage}`, async () => (await stages(page)).includes(stage));

/** @type {Card} */
let card;

/** What a person does until a card is in: the window that asks for one opens anew whenever what it says of cards is no longer so. */
const NO_CARD_YET = 'each CONFIRM: hang';

/**
 * Waits until the agent takes the card that is in: one that comes soon after another has gone must stay a while.
 * @param {import('./harness/scene.js').Scene} scene
 * @param {import('puppeteer-core').Page} page
 * @param {Record<string, unknown>} [options]
 */
async function taken({ person }, page, options = {}) {
  person.answers(NO_CARD_YET, 'hang');
  await begin(page, options);
  await person.seen(/^GETPIN/m);
  await abort(page);
  await outcome(page);
  await person.gone();
  person.answers();
}

/**
 * A scene whose card is of this kind.
 * @param {string} kind
 * @returns {(tidy: import('./harness/tidy.js').Tidy) => Promise<import('./harness/scene.js').SceneOptions>}
 */
const withCard = (kind) => async (tidy) => {
  const reader = await Reader.start(tidy);
  const files = tidy.folder();
  const [root, intermediate] = [join(files, 'root.pem'), join(files, 'intermediate.pem')];
  card = await Card.insert(reader, [kind, '--root', root, '--intermediate', intermediate], tidy);
  return { agent: { software: false, reader }, roots: [root], portal: ['--intermediate', intermediate] };
};

inBrowsers('a PIV card in a reader', withCard('piv'), (scene) => {
  const RIGHT = 'pin 123456';

  it('confirms on the portal', LIMIT, async () => {
    await scene().pair(await scene().caller());
    const page = await scene().portalPage(ACCOUNT);
    scene().person.answers(RIGHT);
    await page.locator('button.primary[data-purpose]').click();
    assert.match(await accepted(page), /Иванов/);
  });

  it('no card, then a card: the person is asked to put it in, and it goes on by itself', LIMIT, async () => {
    const page = await scene().caller();
    await card.remove();
    scene().person.answers(NO_CARD_YET, RIGHT);
    await begin(page);
    await reached(page, 'awaiting_token');
    await scene().person.asked();
    await card.putBack();
    assert.equal(proofOf(await outcome(page)).format, 'jws');
    const { shown } = scene().person;
    assert.match(shown, /Insert your card or token/);
    assert.equal(shown.match(/^GETPIN/gm)?.length, 1, shown);
  });

  it('pulled while the PIN is asked: no try is spent, and the next one works', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers(`held ${RIGHT}`);
    await begin(page);
    await person.asked();
    const before = card.verifications;
    assert.ok(before > 0, 'the card has been given PINs before');
    await card.remove();
    person.release();
    assert.equal((await outcome(page)).code, 'token_removed');
    assert.equal(card.verifications, before);
    await card.putBack();
    await taken(scene(), page);
    person.answers(RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
  });

  it('taken out and put back while the PIN is asked: it is not the card that was shown', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers(`held ${RIGHT}`);
    await begin(page);
    await person.asked();
    const before = card.verifications;
    assert.ok(before > 0, 'the card has been given PINs before');
    await card.remove();
    await card.putBack();
    person.release();
    assert.equal((await outcome(page)).code, 'token_removed');
    assert.equal(card.verifications, before);
  });

  it('a wrong PIN is told with what is left of tries', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    await taken(scene(), page);
    person.answers('pin 999999', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    assert.match(person.shown, /Wrong PIN\. 2 tries are left/);
  });

  it('the page gives up while no card is in', LIMIT, async () => {
    const page = await scene().caller();
    await card.remove();
    scene().person.answers(NO_CARD_YET);
    await begin(page);
    await scene().person.asked();
    await abort(page);
    assert.equal((await outcome(page)).code, 'aborted');
    await scene().person.closed();
    await card.putBack();
    await taken(scene(), page);
  });
});

inBrowsers('an Estonian identity card in a reader', withCard('esteid-idemia'), (scene) => {
  it('confirms with PIN1 as a Web eID site wants it', LIMIT, async () => {
    await scene().pair(await scene().caller());
    scene().person.answers('pin 1234');
    const proof = proofOf(await confirm(await scene().caller(), { format: 'web-eid:1.0' }));
    assert.equal(proof.algorithm, 'ES384');
    assert.match(scene().person.shown, /PIN1/);
  });
}, ['chromium']);

inBrowsers('a universal electronic card in a reader', async (tidy) => {
  const reader = await Reader.start(tidy);
  const terminal = tidy.folder();
  card = await Card.insert(reader, ['uec', '--write-terminal', terminal], tidy);
  const tables = readFileSync(join(terminal, 'uec.toml'), 'utf8');
  const root = /roots = \['([^']+)'/.exec(tables)?.[1] ?? '';
  return { agent: { software: false, reader, tables }, portal: ['--uec-test-root', root] };
}, (scene) => {
  const RIGHT = 'pin 1234';

  it('confirms on the portal with PIN1; nobody sees the whole number of the card', LIMIT, async () => {
    await scene().pair(await scene().caller(), { format: 'uec' });
    const page = await scene().portalPage(ACCOUNT);
    scene().person.answers(RIGHT);
    await page.locator('button[data-format="uec"]').click();
    assert.match(await accepted(page), /Иванов/);
    assert.match(scene().person.shown, /PIN1|ПИН1/);
    assert.match(scene().person.shown, /2347/);
    assert.doesNotMatch(scene().person.shown.replaceAll(/[ \u00a0-]/g, ''), /\d{12,}/);
  });

  it('a wrong PIN1 costs one try, and the card pulled while it is asked for costs none', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('pin 4321', RIGHT);
    assert.equal(proofOf(await confirm(page, { format: 'uec' })).format, 'uec');
    person.answers(`held ${RIGHT}`);
    await begin(page, { format: 'uec' });
    await person.asked();
    const before = card.verifications;
    assert.ok(before > 0, 'the card has been given PINs before');
    await card.remove();
    person.release();
    assert.equal((await outcome(page)).code, 'token_removed');
    assert.equal(card.verifications, before);
    await card.putBack();
    await taken(scene(), page, { format: 'uec' });
  });

  it('other formats are refused with a sentence', LIMIT, async () => {
    const refused = await confirm(await scene().caller(), { format: 'jws' });
    assert.equal(refused.code, 'unsupported_algorithm');
  });
});
