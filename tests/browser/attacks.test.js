// Pages and extensions that want what is not theirs. SECURITY.md says what each may reach.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { CHROMIUM_ID, FIREFOX_ID } from './harness/extension.js';
import { hostileExtension } from './harness/hostile.js';
import { abort, begin, challenge, confirm, framed, outcome, proofOf, statementOf, status } from './harness/page.js';
import { LOOKALIKE_HOST, PORTAL_HOST } from './harness/sites.js';
import { PATIENCE } from './harness/wait.js';

const RIGHT = `pin ${SOFTWARE_PIN}`;
const EVIL_HOST = 'evil.test';
const LISTED = [PORTAL_HOST, EVIL_HOST, LOOKALIKE_HOST];

/**
 * Everything a page can try with the agent's port; each says what became of it.
 * @param {import('puppeteer-core').Page} page
 * @param {number} port
 * @param {number} [patience]  milliseconds for each: a browser that would ask the person first leaves it open
 * @returns {Promise<Record<string, string>>}
 */
const knock = (page, port, patience = 3_000) => page.evaluate(async (port, patience) => {
  const base = `http://127.0.0.1:${port}`;
  const json = { 'content-type': 'application/json' };
  const pairing = JSON.stringify({ client: { name: 'evil' }, commitment: 'A'.repeat(43) });
  /** @param {Promise<unknown>} attempt */
  const fate = (attempt) => Promise.race([
    attempt.then((got) => (got instanceof Response && got.type === 'opaque' ? 'sent blindly' : 'reached'), () => 'refused'),
    new Promise((resolve) => setTimeout(resolve, patience, 'refused')),
  ]);
  const image = () => new Promise((resolve, reject) => {
    const tag = Object.assign(new Image(), { onload: resolve, onerror: reject });
    tag.src = `${base}/v1/hello`;
  });
  const socket = () => new Promise((resolve, reject) => {
    const made = new WebSocket(`ws://127.0.0.1:${port}/v1/events`);
    Object.assign(made, { onopen: resolve, onerror: reject });
  });
  const tries = {
    read: fate(fetch(`${base}/v1/hello`)),
    'read by name': fate(fetch(`http://localhost:${port}/v1/hello`)),
    'read blindly': fate(fetch(`${base}/v1/hello`, { mode: 'no-cors' })),
    pair: fate(fetch(`${base}/v1/pairings`, { method: 'POST', headers: json, body: pairing })),
    'pair blindly': fate(fetch(`${base}/v1/pairings`, { method: 'POST', mode: 'no-cors', body: pairing })),
    image: fate(image()),
    socket: fate(socket()),
  };
  return Object.fromEntries(await Promise.all(Object.entries(tries).map(async ([name, fate]) => [name, await fate])));
}, port, patience);

inBrowsers('a page', { listed: LISTED }, (scene) => {
  it('in public address space reaches nothing at the port of the agent', LIMIT, async () => {
    const page = await scene().browser.open(`${scene().sites.origin('other.test')}/test/blank`);
    const fates = await knock(page, scene().ports[0]);
    assert.deepEqual(new Set(Object.values(fates)), new Set(['refused']), JSON.stringify(fates));
    assert.equal(scene().person.windows, 0);
  });

  it("cannot name another origin than its own", LIMIT, async () => {
    const { person, sites } = scene();
    await scene().pair(await scene().caller());
    const page = await scene().caller(EVIL_HOST);
    person.answers('yes', RIGHT);
    const said = await page.evaluate((challenge, origin) => new Promise((resolve) => {
      addEventListener('message', ({ data }) => data?.to === 'page' && (data.result ?? data.error) && resolve(data.result ?? data.error));
      postMessage({
        eidAgent: 1, to: 'plugin', id: 'forged', call: 'confirm', origin,
        arguments: { challenge, origin, top_origin: origin, caller: { origin }, sender: { origin } },
      }, location.origin);
    }), challenge(), sites.origin());
    assert.equal(statementOf(said).origin, sites.origin(EVIL_HOST));
    assert.ok(person.shown.includes(sites.origin(EVIL_HOST)));
    assert.ok(!person.shown.includes(sites.origin()));
  });

  it('cannot speak for a frame or for its opener', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller(EVIL_HOST);
    const answered = await page.evaluate((url, challenge) => new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      addEventListener('message', ({ data }) => data?.to === 'page' && resolve(true));
      frame.onload = () => {
        const call = { eidAgent: 1, to: 'plugin', id: 'forged', call: 'confirm', arguments: { challenge } };
        frame.contentWindow?.postMessage(call, '*');
        frame.contentWindow?.postMessage({ action: 'web-eid:authenticate', challengeNonce: challenge }, '*');
        setTimeout(resolve, 2_000, false);
      };
      document.body.append(frame);
    }), `${sites.origin()}/test/caller`, challenge());
    assert.equal(answered, false);
    assert.equal(person.windows, 0);
  });

  it('of a look-alike name is shown by its ASCII form, with a warning', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller(LOOKALIKE_HOST);
    person.answers('yes', 'cancel');
    assert.equal((await confirm(page)).code, 'declined');
    assert.ok(person.shown.includes(sites.origin(LOOKALIKE_HOST)), person.shown);
    assert.match(person.shown, /CAUTION: this address holds letters of a foreign alphabet/);
  });

  it('in a sandboxed frame has no origin and is refused', LIMIT, async () => {
    const page = await scene().caller();
    const frame = await framed(page, `${scene().sites.origin()}/test/caller`, 'allow-scripts');
    assert.equal((await confirm(frame)).code, 'frame_not_allowed');
    assert.equal(scene().person.windows, 0);
  });

  it('in a frame of its own site is served as that site', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    const frame = await framed(page, `${scene().sites.origin()}/test/caller`);
    person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(frame)).format, 'jws');
    assert.doesNotMatch(person.shown, /embedded|shown by/i);
  });

  it('in a frame of another site is named to the person with that site, or refused', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller(EVIL_HOST);
    const frame = await framed(page, `${sites.origin()}/test/caller`);
    person.answers('no');
    const { code } = await confirm(frame);
    assert.ok(['declined', 'frame_not_allowed'].includes(code), code);
    if (code === 'declined') {
      assert.ok(person.shown.includes(sites.origin(EVIL_HOST)) && person.shown.includes(sites.origin()), person.shown);
    } else {
      assert.equal(person.windows, 0);
    }
  });
});

inBrowsers('a page that was granted the local network', {}, (scene) => {
  it('is refused by the agent itself', LIMIT, async () => {
    const { browser, sites, ports } = scene();
    const page = await browser.open(`${sites.origin('other.test')}/test/blank`);
    const session = await page.createCDPSession();
    for (const name of ['loopback-network', 'local-network-access']) {
      await session.send('Browser.setPermission', { permission: { name }, setting: 'granted', origin: sites.origin('other.test') });
    }
    // Nobody is asked any more: each has an end of its own.
    const fates = await knock(page, ports[0], PATIENCE);
    for (const name of ['read', 'read by name', 'pair', 'image', 'socket']) assert.equal(fates[name], 'refused', name);
    assert.equal(fates['pair blindly'], 'sent blindly', 'the grant is in force');
    // Nothing of it was an attempt to pair: the plugin's own begins at once.
    await scene().pair(await scene().caller());
    assert.equal((await scene().agent.pairings()).length, 1);
  });
}, ['chromium']);

inBrowsers('a hostile extension', async (tidy) => ({
  nativeHost: true,
  alsoInstalled: [hostileExtension(join(tidy.folder(), 'hostile'))],
}), (scene) => {
  /** @param {import('puppeteer-core').Page} page @param {string} path @param {RequestInit} [init] */
  const ask = (page, path, init = {}) => page.evaluate(async (url, init) => {
    try {
      const answer = await fetch(url, init);
      return { status: answer.status, signed: answer.headers.has('signature'), body: await answer.json().catch(() => null) };
    } catch (error) {
      return { status: 0, signed: false, body: String(error) };
    }
  }, `http://127.0.0.1:${scene().ports[0]}${path}`, init);

  it('learns nothing but that the protocol is spoken', LIMIT, async () => {
    await scene().agent.restart();
    const page = await scene().caller();
    scene().person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    const hostile = await scene().browser.openHostile();
    assert.deepEqual((await ask(hostile, '/v1/hello')).body, { protocol: 'eid-agent', api: ['1'] });
    for (const path of ['/v1/info', '/v1/tokens', '/v1/history', '/v1/pairings', '/v1/events', '/v1/openapi.json', '/v1/nothing']) {
      const { status, signed, body } = await ask(hostile, path);
      assert.deepEqual([status, signed, body.code], [401, false, 'not_paired'], path);
    }
  });

  it('forges Origin and Host and rewrites headers, and is refused all the same', LIMIT, async () => {
    const { ports, sites } = scene();
    const hostile = await scene().browser.openHostile();
    const body = JSON.stringify({ origin: sites.origin(), challenge: challenge(), format: 'jws' });
    const post = { method: 'POST', headers: { 'content-type': 'application/json', origin: `chrome-extension://${CHROMIUM_ID}` }, body };
    assert.equal((await ask(hostile, '/v1/confirmations', post)).body.code, 'not_paired');
    await rewrite(hostile, ports[0], [
      { header: 'origin', operation: 'set', value: `chrome-extension://${CHROMIUM_ID}` },
      { header: 'sec-fetch-site', operation: 'set', value: 'none' },
      { header: 'host', operation: 'set', value: `127.0.0.1:${ports[0]}` },
      { header: 'authorization', operation: 'set', value: 'Bearer please' },
    ]);
    assert.equal((await ask(hostile, '/v1/confirmations', post)).body.code, 'not_paired');
    await rewrite(hostile, ports[0], [{ header: 'host', operation: 'set', value: 'portal.test' }]);
    assert.notEqual((await ask(hostile, '/v1/info')).status, 200);
    await rewrite(hostile, ports[0], []);
    assert.equal(scene().person.windows, 0);
  });

  it("rewriting the plugin's requests gains nothing: what is changed is not believed", LIMIT, async () => {
    const { person, ports } = scene();
    const hostile = await scene().browser.openHostile();
    await rewrite(hostile, ports[0], [
      { header: 'idempotency-key', operation: 'set', value: 'another' },
      { header: 'content-digest', operation: 'remove' },
    ]);
    const page = await scene().caller();
    person.answers('yes', RIGHT);
    const said = await confirm(page);
    await rewrite(hostile, ports[0], []);
    // Where the browser keeps extensions apart it succeeds; where it does not, it ends without a proof.
    assert.ok(said.proof?.format === 'jws' || typeof said.code === 'string', JSON.stringify(said));
    if (!said.proof) assert.equal(person.windows, 0);
    person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws', 'the pairing outlives it');
  });

  it('cannot speak to the native hosts', LIMIT, async () => {
    const hostile = await scene().browser.openHostile();
    for (const host of ['eid_agent.plugin', 'eu.webeid']) {
      const said = await hostile.evaluate((host) => new Promise((resolve) => {
        const { runtime } = /** @type {any} */ (globalThis).chrome;
        const port = runtime.connectNative(host);
        port.onMessage.addListener((/** @type {unknown} */ message) => resolve(JSON.stringify(message)));
        port.onDisconnect.addListener(() => resolve(`closed: ${runtime.lastError?.message ?? port.error?.message ?? ''}`));
      }), host);
      assert.match(String(said), /^closed: /, host);
    }
  });

  it('cannot speak to the plugin', LIMIT, async () => {
    const hostile = await scene().browser.openHostile();
    const id = scene().browser.name === 'firefox' ? FIREFOX_ID : CHROMIUM_ID;
    const said = await hostile.evaluate(async (id, challenge) => {
      const { runtime } = /** @type {any} */ (globalThis).chrome;
      const call = { call: 'confirm', id: crypto.randomUUID(), arguments: { challenge } };
      const sent = await runtime.sendMessage(id, call).then(() => 'answered', () => 'refused');
      const connected = await new Promise((resolve) => {
        const port = runtime.connect(id, { name: 'call' });
        port.onMessage.addListener(() => resolve('answered'));
        port.onDisconnect.addListener(() => resolve('refused'));
        port.postMessage(call);
      });
      return [sent, connected];
    }, id, challenge());
    assert.deepEqual(said, ['refused', 'refused']);
    assert.equal(scene().person.windows, 0);
  });
});

inBrowsers('a captured request', async (tidy) => ({
  nativeHost: true,
  alsoInstalled: [hostileExtension(join(tidy.folder(), 'hostile'))],
}), (scene) => {
  it('sent again is a replay, and its answer is not signed', LIMIT, async () => {
    const { browser, person } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await begin(page);
    await person.asked();
    await abort(page);
    await outcome(page);
    const worker = browser.driver.browser.targets().find((target) => target.type() === 'service_worker' && target.url().includes(CHROMIUM_ID));
    const session = await worker?.createCDPSession();
    assert.ok(session);
    await session.send('Network.enable');
    const captured = new Promise((resolve) => session.on('Network.requestWillBeSent', ({ request }) =>
      request.url.endsWith('/v1/tokens') && resolve(request)));
    assert.equal((await status(page)).state, 'ready');
    const { url, headers } = /** @type {any} */ (await captured);
    assert.ok(Object.keys(headers).some((name) => name.toLowerCase() === 'signature'), JSON.stringify(headers));
    const hostile = await browser.openHostile();
    const said = await hostile.evaluate(async (url, headers) => {
      const answer = await fetch(url, { headers });
      return { status: answer.status, signed: answer.headers.has('signature'), body: await answer.json() };
    }, url, headers);
    assert.deepEqual([said.status, said.signed, said.body.code], [401, false, 'replayed']);
  });
}, ['chromium']);

/**
 * Has the hostile extension change the headers of every request to the agent.
 * @param {import('puppeteer-core').Page} hostile
 * @param {number} port
 * @param {object[]} requestHeaders
 */
function rewrite(hostile, port, requestHeaders) {
  return hostile.evaluate(async (port, requestHeaders) => {
    const { declarativeNetRequest } = /** @type {any} */ (globalThis).chrome;
    const rule = {
      id: 1,
      action: { type: 'modifyHeaders', requestHeaders },
      condition: { urlFilter: `|http://127.0.0.1:${port}/`, resourceTypes: ['xmlhttprequest', 'other'] },
    };
    await declarativeNetRequest.updateSessionRules({ removeRuleIds: [1], addRules: requestHeaders.length > 0 ? [rule] : [] });
  }, port, requestHeaders);
}
