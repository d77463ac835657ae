// The official Gosuslugi extension's host, in a real Firefox: a page's texts, an extension of manifest version 2 that
// passes them on, the real host, and windows that say what nobody knows.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { run } from './harness/child.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { gosuslugiExtension, SIGN_IN_HOST, signInSite } from './harness/gosuslugi.js';
import { eventually } from './harness/wait.js';

/** The PIN that the page asks for; it opens nothing. */
const PAGES_PIN = 'Zq7PAGE29481';

/** @typedef {import('puppeteer-core').Page} Page */

/**
 * One command of the page's library.
 * @param {Page} page @param {string} name @param {Record<string, unknown>} [params]
 * @returns {Promise<any>}
 */
const ifc = async (page, name, params) => JSON.parse(await page.evaluate(
  (name, params) => /** @type {any} */ (window).ifc(name, params).then(JSON.stringify), name, params));

/** Loads the sign-in page and waits for the marks. @param {import('./harness/scene.js').Scene} scene */
async function load(scene) {
  const page = await scene.browser.open(`${scene.sites.origin(SIGN_IN_HOST)}/aas/oauth2/login`);
  for (const id of ['ifcplugin-extension-is-installed', 'ifc-plugin-is-installed']) await page.waitForSelector(`#${id}`);
  return page;
}

/** The container of the certificate that the person shows. @param {import('./harness/scene.js').Scene} scene @param {Page} page */
async function container({ person }, page) {
  // Of several that fit, the first.
  person.answers('yes', 'yes');
  const { ifc_list: [device] } = await ifc(page, 'get_list_info', { cryptoType: null });
  const cryptoId = `${device.alias}/${device.num}`;
  const shown = await ifc(page, 'get_list_certs_by_cryptoid_array', { cryptoID_array: [cryptoId], show_progress: 0 });
  assert.equal(shown.error_code, 0, JSON.stringify(shown));
  const [{ crypto_id, cert_list: [certificate] }] = shown.result_array;
  assert.equal(crypto_id, cryptoId);
  assert.ok(new Date(certificate.cert_valid_to) > new Date(), certificate.cert_valid_to);
  return { containerId: `${cryptoId}/${certificate.id}`, certificate };
}

/** @param {string} containerId @param {string} data */
const sign = (containerId, data) => ({
  containerId, userPin: PAGES_PIN, inDataType: 1, data, hashType: 1, signType: 3, cspUI: 1, outDataType: 1,
});

/** What OpenSSL finds signed in a CMS. @param {import('./harness/scene.js').Scene} scene @param {string} cms */
async function signed({ agent }, cms) {
  const file = join(agent.home, 'signed.der');
  writeFileSync(file, Buffer.from(cms, 'base64'));
  const content = join(agent.home, 'content');
  await run('openssl', ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file, '-purpose', 'any',
    '-CAfile', await agent.softwareRoot(), '-out', content]);
  return readFileSync(content, 'utf8');
}

const options = async (/** @type {import('./harness/tidy.js').Tidy} */ tidy) => ({
  nativeHost: ['--gosuslugi'],
  alsoInstalled: [gosuslugiExtension(join(tidy.folder(), 'gosuslugi'))],
});

inBrowsers('Gosuslugi', options, (scene) => {
  it('a sign-in: the certificate that was shown, an attached CMS over the very challenge', LIMIT, async () => {
    const { person, sites, agent } = scene();
    sites.serve(SIGN_IN_HOST, signInSite);
    const page = await load(scene());
    assert.equal(person.windows, 0, 'nothing is asked when a page is loaded');
    assert.deepEqual(await ifc(page, 'create', {
      file_config: '', config_string: '', log_file_location: '', plugin_log_level: '',
    }), { error_code: 0 });
    assert.deepEqual(await ifc(page, 'version'), { error_code: 0, version: '3.1.1.0' });

    const { containerId, certificate } = await container(scene(), page);
    assert.match(person.shown, /SITE NOT KNOWN/);
    const { x509Handle } = await ifc(page, 'load_x509_from_container', { containerId });
    const { cert_info } = await ifc(page, 'get_x509_info', { x509Handle });
    assert.equal(cert_info.cert_subject, certificate.cert_subject);
    assert.equal((await ifc(page, 'free_x509', { x509Handle })).error_code, 0);

    const challenge = randomBytes(32).toString('hex');
    person.answers(`pin ${SOFTWARE_PIN}`);
    const answer = await ifc(page, 'sign', sign(containerId, challenge));
    assert.equal(answer.error_code, 0, JSON.stringify(answer));
    assert.equal(await signed(scene(), answer.sign_value), challenge);
    assert.match(person.shown, /SITE NOT KNOWN/);
    assert.match(person.shown, /https:\/\/esia\.gosuslugi\.ru/);
    assert.doesNotMatch(person.shown, new RegExp(SIGN_IN_HOST), 'the extension does not say where the page is from');
    const history = await agent.history();
    assert.ok(history.length > 0 && history.every(({ origin_attested }) => origin_attested === false), JSON.stringify(history));
    for (const secret of [PAGES_PIN, challenge]) assert.ok(!agent.log.includes(secret));
  });

  it('a page that is left closes its window, and the next one is asked anew', LIMIT, async () => {
    const { person } = scene();
    const page = await load(scene());
    const { containerId } = await container(scene(), page);
    person.answers('hang');
    void ifc(page, 'sign', sign(containerId, 'c'.repeat(64))).catch(() => {});
    await person.asked();
    await page.close();
    await person.closed();
    const next = await load(scene());
    const refused = await ifc(next, 'sign', sign(containerId, 'c'.repeat(64)));
    assert.equal(refused.error_code, 164, 'what the page before was shown is nothing to this one');
    person.answers('cancel');
    const { ifc_list: [device] } = await ifc(next, 'get_list_info', { cryptoType: null });
    const said = await ifc(next, 'get_list_certs', { cryptoID: `${device.alias}/${device.num}` });
    assert.deepEqual(said, { error_code: 1, cert_list: [] });
  });

  it('no mistake of a page ends its host', LIMIT, async () => {
    const page = await load(scene());
    for (const [name, params, code] of /** @type {[string, any, number][]} */ ([
      ['key_delete', { containerId: 'a/0/b', userPin: PAGES_PIN }, 17],
      ['get_list_info', { cryptoType: 7 }, 5],
      ['sign', sign('eidAgent/9/ab', 'c'.repeat(64)), 164],
      ['sign', sign('eidAgent/9/ab', 'a document that somebody would have signed'), 11],
      ['sign', { ...sign('eidAgent/9/ab', 'c'.repeat(64)), data: 'x'.repeat(1_100_000) }, 5],
    ])) {
      assert.equal((await ifc(page, name, params)).error_code, code, name);
    }
    assert.equal((await ifc(page, 'version')).error_code, 0);
    await page.waitForSelector('#ifc-plugin-is-installed');
  });

  it('a host that ends is told to its page, and the next page has another', LIMIT, async () => {
    const { person } = scene();
    const page = await load(scene());
    const { containerId } = await container(scene(), page);
    person.answers('hang');
    const ended = ifc(page, 'sign', sign(containerId, 'c'.repeat(64)));
    await person.asked();
    // Those of pages before may take a moment to end.
    const [own] = await eventually('one page, one host', () => {
      const hosts = scene().agent.nativeHosts('ru.rtlabs.ifcplugin');
      return hosts.length === 1 && hosts;
    });
    process.kill(own, 'SIGTERM');
    assert.deepEqual(await ended, { error_code: 256 });
    await person.closed();
    await eventually('the end of the mark', async () => !await page.$('#ifc-plugin-is-installed'));
    assert.equal((await ifc(await load(scene()), 'version')).error_code, 0);
  });
}, ['firefox']);
