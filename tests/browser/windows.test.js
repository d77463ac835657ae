// Every window of the agent, in both languages, as a person sees it: pictures in target/screenshots/agent-window.
// What the windows say is tested elsewhere, word for word; here, that a real pinentry shows it and that it fits a screen.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { evilCard } from './harness/evil-card.js';
import { Tidy } from './harness/tidy.js';
import { PICTURES, Windows } from './harness/windows.js';

/** How long one test may take, milliseconds. */
const LIMIT = { timeout: 90_000 };
/** The smallest screen that the windows must fit. */
const SCREEN = { width: 1024, height: 768 };

const PORTAL = 'https://esia.gosuslugi.example';
const LITERAL = 'https://old-portal.example';
const LOOKALIKE = 'https://xn--gsuslugi-9ug.example';
const LONG = `https://esia.gosuslugi.example.${'sign-in-and-confirm.'.repeat(4)}evil.example`;
const CARD = { name: 'Константинопольский Александр Вячеславович', label: 'Рутокен ЭЦП 3.0' };
/** @type {Record<string, string>} */
const CLIENT = { en: 'Identity confirmation (Firefox)', ru: 'Подтверждение личности (Firefox)' };

/** The names of a window's pages. @param {string} name @param {Shown[]} shown */
const pages = (name, shown) => (shown.length > 1 ? shown.map((_, i) => `${name}-${i + 1}`) : [name]);

/** @typedef {import('./harness/windows.js').Shown} Shown */
/** @typedef {import('./harness/windows.js').Photographed} Photographed */

/** @type {Shown[]} */ const all = [];

/** A confirmation's body. @param {Record<string, unknown>} [more] */
const confirmation = (more) =>
  ({ origin: PORTAL, challenge: randomBytes(32).toString('base64'), format: 'jws', purpose: 'confirm_identity', ...more });

/** Documents to be signed. @param {number} count @param {string} [hash] */
const documents = (count, hash = 'SHA-256') => ({
  origin: PORTAL,
  items: Array.from({ length: count }, (_, i) => ({
    name: `Договор аренды № ${i + 1}.pdf`,
    hash_function: hash,
    hash: createHash(hash).update(String(i)).digest('base64'),
  })),
});

// Each language has a display of its own.
describe("the agent's windows", { concurrency: 2 }, () => ['en', 'ru'].forEach((language) =>
  describe(language, { concurrency: 1 }, () => {
    const tidy = new Tidy();
    /** @type {Photographed} */ let agent;
    /** @type {import('./harness/softhsm.js').SoftHsm} */ let card;
    const PIN = () => `pin ${card.pin}`;
    before(async () => {
      card = await evilCard(tidy, CARD);
      const configuration = `literal.origins = ["${LITERAL}"]`;
      agent = await (await Windows.open(tidy)).agent({ language, configuration, software: false, module: card.module });
    }, LIMIT);
    after(() => tidy.all(), LIMIT);

    /** Each name is a window that was shown, drawn, and fits; nothing else was. @param {Shown[]} shown @param {...string} names */
    const fit = (shown, ...names) => {
      all.push(...shown);
      assert.deepEqual(shown.map(({ name }) => name), names.map((name) => `${language}-${name}`));
      for (const { name, problem, width = 0, height = 0 } of shown) {
        assert.equal(problem, undefined, name);
        assert.ok(width <= SCREEN.width && height <= SCREEN.height, `${name} is ${width} x ${height}`);
      }
    };
    /** @param {string} name @param {string} answer */
    const answer = (name, answer) => `${language}-${name} ${answer}`;

    it('a pairing', LIMIT, async () => {
      fit(await agent.pair(CLIENT[language], answer('pair', 'yes')), 'pair');
    });

    it('each kind of request, and what should make one look twice', LIMIT, async () => {
      /** @type {(name: string, kind: Parameters<Photographed['ask']>[0], body: object, reply?: string) => Promise<void>} */
      const one = async (name, kind, body, reply = PIN()) => {
        const shown = await agent.ask(kind, { ...body }, answer(name, reply));
        fit(shown, ...pages(name, shown));
        assert.equal(agent.operation.state, 'done', name);
      };
      await one('confirm', 'confirmations', confirmation());
      await one('sign-in', 'confirmations', confirmation({ purpose: 'sign_in' }));
      await one('embedded', 'confirmations', confirmation({ top_origin: 'https://news.example' }));
      await one('lookalike', 'confirmations', confirmation({ origin: LOOKALIKE }));
      await one('embedded-in-lookalike', 'confirmations', confirmation({ top_origin: LOOKALIKE }));
      await one('not-encrypted', 'confirmations', confirmation({ origin: 'http://portal.localhost:8080' }));
      await one('number', 'confirmations', confirmation({ origin: 'https://192.0.2.1' }));
      await one('literal', 'confirmations', confirmation({ origin: LITERAL, format: 'cms-challenge' }));
    });

    it('what is done with a signing key', LIMIT, async () => {
      fit(await agent.ask('certificates', { origin: PORTAL }, answer('certificate', 'yes')), 'certificate');
      fit(await agent.ask('signatures', documents(1), answer('sign-one', PIN())), 'sign-one');
      const three = await agent.ask('signatures', documents(3, 'SHA-512'), answer('sign-three', PIN()));
      fit(three, ...pages('sign-three', three));
      const twenty = await agent.ask('signatures', documents(20), answer('sign-twenty', PIN()));
      fit(twenty, ...pages('sign-twenty', twenty));
      assert.ok(three.length > 1 && twenty.length > three.length, 'long texts have pages');
      assert.equal(agent.operation.state, 'done');
    });

    it('an address that is longer than a line', LIMIT, async () => {
      const shown = await agent.ask('confirmations', confirmation({ origin: LONG, top_origin: 'https://news.example' }),
        answer('long-address', PIN()));
      fit(shown, ...pages('long-address', shown));
      assert.equal(agent.operation.state, 'done');
    });

    it('a choice between certificates', LIMIT, async () => {
      await agent.restart({ software: true });
      fit(await agent.ask('confirmations', confirmation(),
        answer('choose-first', 'no'), answer('choose-second', 'yes'), answer('chosen', 'pin 0000'), answer('two-tries-left', 'cancel')),
      'choose-first', 'choose-second', 'chosen', 'two-tries-left');
      assert.equal(agent.operation.problem.code, 'declined');
    });

    it('a PIN pad', LIMIT, async () => {
      const { module } = await evilCard(tidy, { ...CARD, pad: true });
      await agent.restart({ software: false, module });
      fit(await agent.ask('confirmations', confirmation(), answer('pin-pad', 'yes')), 'pin-pad');
      assert.equal(agent.operation.state, 'done');
    });

    it('no token', LIMIT, async () => {
      await agent.restart({ software: false, module: undefined });
      fit(await agent.ask('confirmations', confirmation(), answer('insert', 'yes')), 'insert');
      assert.equal(agent.operation.state, 'cancelled');
    });

    it('a wrong PIN, until it is locked', LIMIT, async () => {
      const { module } = await evilCard(tidy, CARD);
      await agent.restart({ module });
      fit(await agent.ask('confirmations', confirmation(),
        answer('pin', 'pin 1'), answer('pin-too-short', 'pin 00000000'), answer('wrong-pin', 'pin 00000000'),
        answer('last-try', 'yes'), answer('last-try-pin', 'pin 00000000')),
      'pin', 'pin-too-short', 'wrong-pin', 'last-try', 'last-try-pin');
      assert.equal(agent.operation.problem.code, 'pin_locked');
      // No window opens for what no answer can help.
      fit(await agent.ask('confirmations', confirmation()));
      assert.equal(agent.operation.problem.code, 'pin_locked');
    });
  })));

// One page with all of them: a display without a window manager shows no titles.
after(() => {
  mkdirSync(PICTURES, { recursive: true });
  const figures = all.map(({ name, title, width, height }) =>
    `<figure><figcaption>${name}: “${title}”, ${width} × ${height}</figcaption><img src="${name}.png" alt=""></figure>`);
  writeFileSync(join(PICTURES, 'index.html'), `<!doctype html><meta charset="utf-8"><title>The agent's windows</title>\n${figures.join('\n')}\n`);
});
