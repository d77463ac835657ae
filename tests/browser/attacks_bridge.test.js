// Pages that know exactly how the plugin's bridge works, and want of it what it does not give.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { begin, challenge, confirm, framed, hasApi, outcome, statementOf, status } from './harness/page.js';
import { PORTAL_HOST } from './harness/sites.js';
import { eventually } from './harness/wait.js';

const RIGHT = `pin ${SOFTWARE_PIN}`;
const EVIL_HOST = 'evil.test';

inBrowsers('the bridge', { listed: [PORTAL_HOST, EVIL_HOST] }, (scene) => {
  it('outlives messages of every shape, and asks nobody for them', LIMIT, async () => {
    const page = await scene().caller();
    await scene().pair(page);
    const answers = await page.evaluate(async (right) => {
      /** @type {any[]} */
      const heard = [];
      addEventListener('message', ({ data }) => data?.to === 'page' && heard.push(data));
      const call = (/** @type {any} */ more) => ({ eidAgent: 1, to: 'plugin', id: crypto.randomUUID(), call: 'confirm', arguments: { challenge: right }, ...more });
      const own = JSON.parse('{"eidAgent":1,"to":"plugin","id":"own","call":"confirm","arguments":{"__proto__":{"challenge":"x"},"constructor":{"prototype":{"challenge":"y"}}}}');
      const strange = [
        null, 0, '', [], 'eidAgent', { eidAgent: true }, { eidAgent: 1 }, { eidAgent: 1, to: 'plugin' }, own,
        call({ id: '' }), call({ id: 'x'.repeat(65) }), call({ id: 7 }), call({ id: ['a'] }), call({ id: null }),
        call({ call: '__proto__' }), call({ call: 'constructor' }), call({ call: 'web-eid:sign' }), call({ call: 'sign' }), call({ call: 'certificate' }), call({ call: {} }),
        call({ arguments: null }), call({ arguments: [] }), call({ arguments: right }),
        call({ arguments: { challenge: { toString: 1 } } }), call({ arguments: { challenge: 'A'.repeat(5_000_000) } }),
        call({ arguments: { challenge: right, format: '../../v1/pairings' } }), call({ arguments: { challenge: right, purpose: 'pay' } }),
        call({ arguments: { challenge: right, detached: 'yes' } }),
        { action: 'web-eid:authenticate', challengeNonce: { length: 64 } }, { action: 'web-eid:authenticate', challengeNonce: 'short' },
        { action: 'web-eid:__proto__' }, { action: 'web-eid:status-ack' }, { action: ['web-eid:status'] },
        { action: 'web-eid:sign', certificate: 'x', hash: 'y', hashFunction: '__proto__' },
      ];
      for (const message of strange) {
        postMessage(message, location.origin);
        await new Promise((resume) => setTimeout(resume, 60));
      }
      // What a message's data cannot be, an event that the page makes itself can have.
      const trap = { get eidAgent() { return 1; }, get to() { return 'plugin'; }, get id() { throw new Error('trap'); } };
      const proxy = new Proxy({}, { get() { throw new Error('trap'); } });
      for (const data of [trap, proxy, call({ id: 'made' })]) {
        dispatchEvent(new MessageEvent('message', { data, source: window, origin: 'https://portal.test' }));
      }
      for (let i = 0; i < 2_000; i++) postMessage(call({ id: `many${i}`, call: 'abort' }), location.origin);
      await new Promise((resume) => setTimeout(resume, 1_000));
      return heard.filter(({ result, error }) => result ?? error).map(({ id, error }) => [id, error?.code ?? 'a result']);
    }, challenge());
    assert.ok(answers.length >= 8, JSON.stringify(answers));
    assert.deepEqual(answers.filter(([, code]) => !['invalid_field', 'old_plugin', 'unsupported_format', 'pending', 'rate_limited'].includes(code)), []);
    assert.deepEqual(answers.filter(([id]) => id === 'made'), [], 'an event of the page itself is no message');
    assert.equal(scene().person.windows, 0);
    assert.equal((await status(page)).state, 'ready');
  });

  it('is ended by nobody but the frame that called', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    person.answers('held yes', RIGHT);
    await page.evaluate(() => {
      const here = /** @type {any} */ (window);
      here.ids = [];
      addEventListener('message', ({ data }) => data?.to === 'plugin' && here.ids.push(data.id));
    });
    const { challenge: asked } = await begin(page);
    await person.asked();
    // A page in a frame that even knows the call's name.
    const frame = await framed(page, `${sites.origin(EVIL_HOST)}/test/caller`);
    const [id] = await page.evaluate(() => /** @type {any} */ (window).ids);
    await frame.evaluate((id) => {
      for (const target of [parent, window]) target.postMessage({ eidAgent: 1, to: 'plugin', id, call: 'abort' }, '*');
      parent.postMessage({ eidAgent: 1, to: 'plugin', id: 'other', call: 'confirm', arguments: { challenge: 'A'.repeat(44) } }, '*');
      parent.postMessage({ action: 'web-eid:authenticate', challengeNonce: 'A'.repeat(44) }, '*');
    }, id);
    assert.equal((await status(page)).state, 'ready');
    person.release();
    assert.equal(statementOf(await outcome(page)).challenge, asked);
    assert.equal(person.shown.match(/^SETDESC/gm)?.length, 2, 'one consent, one PIN');
  });

  it('is not in documents without an address of their own', LIMIT, async () => {
    const page = await scene().caller();
    const heard = await page.evaluate(async (challenge) => {
      const script = `
        addEventListener('message', ({ data }) => (data.to === 'page' || /-(ack|success)$/.test(data.action)) && parent.postMessage({ leaked: true, data }, '*'));
        const call = { eidAgent: 1, to: 'plugin', id: 'inner', call: 'confirm', arguments: { challenge: '${challenge}' } };
        for (const target of [window, parent]) {
          target.postMessage(call, '*');
          target.postMessage({ ...call, call: 'status' }, '*');
          target.postMessage({ action: 'web-eid:authenticate', challengeNonce: '${challenge}' }, '*');
        }`;
      const html = `<!doctype html><script>${script}</` + 'script>';
      /** @type {any[]} */
      const heard = [];
      addEventListener('message', ({ data }) => (data?.leaked || data?.to === 'page') && heard.push(data));
      const add = (/** @type {(frame: HTMLIFrameElement) => void} */ set) => {
        const frame = document.createElement('iframe');
        set(frame);
        document.body.append(frame);
        return frame;
      };
      add((frame) => (frame.srcdoc = html));
      add((frame) => (frame.src = URL.createObjectURL(new Blob([html], { type: 'text/html' }))));
      add((frame) => (frame.src = `data:text/html,${encodeURIComponent(html)}`));
      add((frame) => { frame.setAttribute('sandbox', 'allow-scripts'); frame.srcdoc = html; });
      const blank = add(() => {});
      blank.contentDocument?.write(html);
      blank.contentDocument?.close();
      await new Promise((resume) => setTimeout(resume, 1_500));
      return heard;
    }, challenge());
    assert.deepEqual(heard, []);
    assert.equal(scene().person.windows, 0);
  });

  it('hands nothing to the page that comes after', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await page.evaluate(() => addEventListener('message', ({ data }) => data?.to === 'plugin' && (window.name = data.id)));
    await begin(page);
    await person.asked();
    // The name of a window goes with it from page to page: the next one knows the call's.
    await page.goto(`${sites.origin(EVIL_HOST)}/test/blank`);
    const heard = page.evaluate(() => new Promise((resolve) => {
      const heard = /** @type {any[]} */ ([]);
      addEventListener('message', ({ data }) => data?.to === 'page' && heard.push(data));
      for (const call of ['ping', 'abort']) postMessage({ eidAgent: 1, to: 'plugin', id: name, call }, location.origin);
      setTimeout(resolve, 2_000, heard);
    }));
    await person.closed();
    const results = /** @type {any[]} */ (await heard).filter(({ result, progress }) => result ?? progress);
    assert.deepEqual(results, []);
    const last = (await scene().agent.history()).at(-1);
    assert.notEqual(last?.outcome, 'done');
  });

  it('knows a page by its origin, however the page moves', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    person.answers('held yes', RIGHT);
    const { challenge: asked } = await begin(page);
    await person.asked();
    await page.evaluate(() => history.pushState(null, '', '/another/path?@evil.test#https://evil.test'));
    person.release();
    const made = statementOf(await outcome(page));
    assert.deepEqual([made.challenge, made.origin], [asked, sites.origin()]);
    // Names and passwords in the address are of no origin.
    await page.goto(sites.origin().replace('https://', 'https://evil.test:secret@') + '/test/caller').catch(() => {});
    await page.goto(`${sites.origin()}/test/caller`);
    await hasApi(page);
    person.answers('no');
    assert.equal((await confirm(page)).code, 'declined');
    assert.doesNotMatch(person.shown, /evil|secret/);
  });
});

inBrowsers('a page the person did not allow', { nativeHost: true, running: false }, (scene) => {
  it('cannot tell that there is a plugin, an agent, or a pairing', LIMIT, async () => {
    const { agent, browser, sites } = scene();
    const page = await browser.open(`${sites.origin('other.test')}/test/blank`);
    const own = [browser.driver.extensionUrl('')];
    const found = await page.evaluate(async (own) => {
      /** @type {string[]} */
      const found = [];
      addEventListener('message', ({ data }) => (data?.to === 'page' || /^web-eid:.+-(ack|success|failure)$|^web-eid:warning$/.test(data?.action)) && found.push(JSON.stringify(data)));
      for (const call of ['status', 'confirm', 'ping', 'abort']) {
        postMessage({ eidAgent: 1, to: 'plugin', id: call, call, arguments: { challenge: 'A'.repeat(44) } }, location.origin);
      }
      for (const action of ['status', 'authenticate', 'sign', 'get-signing-certificate']) {
        postMessage({ action: `web-eid:${action}`, challengeNonce: 'A'.repeat(44), libraryVersion: '2.0.2' }, location.origin);
      }
      const loads = (/** @type {HTMLElement & { src?: string, href?: string }} */ element, /** @type {string} */ url) => new Promise((resolve) => {
        element.onload = () => resolve(true);
        element.onerror = () => resolve(false);
        setTimeout(resolve, 2_000, false);
        if (element instanceof HTMLLinkElement) Object.assign(element, { rel: 'stylesheet', href: url });
        else element.src = url;
        document.body.append(element);
      });
      for (const base of own) {
        for (const path of ['manifest.json', 'content.js', 'icons/icon-16.png', 'popup/popup.html', 'pair/pair.html', '_locales/en/messages.json']) {
          if (await fetch(base + path).then(() => true, () => false)) found.push(`fetched ${path}`);
        }
        if (await loads(document.createElement('img'), `${base}icons/icon-16.png`)) found.push('the icon');
        if (await loads(document.createElement('script'), `${base}content.js`)) found.push('the script');
        if (await loads(document.createElement('link'), `${base}popup/page.css`)) found.push('the style');
      }
      const { chrome, browser } = /** @type {any} */ (window);
      if (chrome?.runtime?.connect ?? browser?.runtime) found.push('a runtime to connect to');
      if ('eidAgentBridge' in window) found.push('the bridge');
      return found;
    }, own);
    assert.deepEqual(found, []);
    assert.deepEqual(agent.startedByNativeHost(), [], 'no agent was started');
  });

  it("cannot show the plugin's own pages", LIMIT, async () => {
    const { browser, sites } = scene();
    // Not even one that the plugin serves.
    const page = await browser.open(`${sites.origin()}/test/caller`);
    const own = browser.driver.extensionUrl('pair/pair.html');
    await page.evaluate((url) => {
      const frame = Object.assign(document.createElement('iframe'), { src: url });
      document.body.append(frame);
      const link = Object.assign(document.createElement('a'), { href: url, target: '_blank' });
      document.body.append(link);
      link.click();
      try {
        open(url);
      } catch {
        // Firefox says no at once.
      }
    }, own);
    await new Promise((resume) => setTimeout(resume, 1_500));
    const shown = [];
    for (const open of await browser.driver.browser.pages()) {
      for (const frame of open.frames()) {
        const text = await frame.evaluate(() => `${location.protocol} ${document.getElementById('digits') ? 'digits' : ''}`).catch(() => '');
        if (/extension:.*digits/.test(text)) shown.push(frame.url());
      }
    }
    assert.deepEqual(shown, []);
    assert.deepEqual(scene().agent.startedByNativeHost(), []);
    await eventually('the page, still there', () => page.evaluate(() => true));
  });
});

inBrowsers('a page, where the agent does not start', { nativeHost: true, running: false }, (scene) => {
  it('learns that, and nothing of the files of the person', LIMIT, async () => {
    const { agent } = scene();
    agent.configure({ configuration: 'nonsense = [' });
    const page = await scene().caller();
    const web = await page.evaluate((challengeNonce) => new Promise((resolve) => {
      addEventListener('message', ({ data }) => /-(success|failure)$/.test(data?.action) && resolve(data));
      postMessage({ action: 'web-eid:authenticate', challengeNonce, libraryVersion: '2.0.2' }, location.origin);
    }), challenge());
    const said = [await status(page), await confirm(page), web];
    assert.deepEqual([said[0].state, said[1].code, said[2].error?.reason], ['no_agent', 'no_agent', 'no_agent']);
    for (const words of [agent.home, 'config.toml', 'nonsense']) assert.ok(!JSON.stringify(said).includes(words), JSON.stringify(said));
  });
});
