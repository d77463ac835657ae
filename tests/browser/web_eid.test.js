// The page protocol of Web eID, spoken by a page of our own as web-eid.js speaks it.

import assert from 'node:assert/strict';
import { constants, createHash, createVerify, randomBytes, verify, X509Certificate } from 'node:crypto';
import { it } from 'node:test';

import { SOFTWARE_PIN } from './harness/agent.js';
import { inBrowsers, LIMIT } from './harness/each.js';
import { challenge, confirm, proofOf } from './harness/page.js';

const RIGHT = `pin ${SOFTWARE_PIN}`;

/**
 * Sends one request and gathers what the content script says, until success or failure (or for `quiet` milliseconds).
 * @param {import('puppeteer-core').Page} page
 * @param {string} action
 * @param {Record<string, unknown>} [members]
 * @param {{ quiet?: number, foreign?: boolean }} [how]  `foreign`: another extension acknowledges first
 * @returns {Promise<{ ack?: number, late?: boolean, end?: any, all: any[] }>}  `late`: web-eid.js would have given up before the `ack`
 */
const call = async (page, action, members = {}, how = {}) => JSON.parse(await page.evaluate((action, members, { quiet, foreign }) =>
  new Promise((/** @type {(said: string) => void} */ resolve) => {
    const began = performance.now();
    /** @type {{ ack?: number, late?: boolean, end?: any, all: any[] }} */
    const said = { all: [] };
    const hear = (/** @type {MessageEvent} */ { data, source }) => {
      if (source !== window || typeof data?.action !== 'string' || data.action === action) return;
      said.all.push(data);
      if (data.action === `${action}-ack`) said.ack ??= performance.now() - began;
      if (data.action === `${action}-success` || data.action === `${action}-failure`) {
        said.end = data;
        // Whatever comes after the end would be a loop.
        setTimeout(finish, 300);
      }
    };
    function finish() {
      removeEventListener('message', hear);
      // As text: a driver may drop what is in it twice.
      resolve(JSON.stringify(said));
    }
    addEventListener('message', hear);
    if (quiet) setTimeout(finish, quiet);
    postMessage({ action, libraryVersion: '2.1.0', ...members }, '*');
    setTimeout(() => (said.late = said.ack === undefined), 1_000);
    if (foreign) postMessage({ action: `${action}-ack` }, '*');
  }), action, members, how));

/** @param {string} algorithm @param {string} certificate @param {Buffer} data @param {Buffer} signature */
function verified(algorithm, certificate, data, signature) {
  const hash = `sha${algorithm.slice(2)}`;
  const key = new X509Certificate(Buffer.from(certificate, 'base64')).publicKey;
  if (algorithm.startsWith('ES')) return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return createVerify(hash).update(data).verify({ key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
}

inBrowsers('Web eID', { nativeHost: true }, (scene) => {
  it('status: acknowledged within a second, versions as web-eid.js compares them', LIMIT, async () => {
    const page = await scene().caller();
    scene().person.answers('yes', RIGHT);
    assert.equal(proofOf(await confirm(page)).format, 'jws');
    const { ack, late, end, all } = await call(page, 'web-eid:status');
    assert.ok(ack !== undefined && !late, `after ${ack} ms`);
    assert.equal(end.action, 'web-eid:status-success', JSON.stringify(end));
    for (const version of [end.extension, end.nativeApp]) assert.match(version, /^2\.\d+\.\d+/);
    assert.deepEqual(all.map(({ action }) => action), ['web-eid:status-ack', 'web-eid:status-success']);
  });

  it('authenticate: a token whose signature is over origin and nonce', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    const challengeNonce = challenge();
    person.answers('yes', RIGHT);
    const { end } = await call(page, 'web-eid:authenticate', { challengeNonce, options: { lang: 'en' } });
    assert.equal(end.action, 'web-eid:authenticate-success', JSON.stringify(end));
    const { unverifiedCertificate, algorithm, signature, format, appVersion } = end;
    assert.equal(format, 'web-eid:1.0');
    assert.match(appVersion, /^https:\/\//);
    const digest = (/** @type {string} */ text) => createHash(`sha${algorithm.slice(2)}`).update(text).digest();
    const signed = Buffer.concat([digest(sites.origin()), digest(challengeNonce)]);
    assert.ok(verified(algorithm, unverifiedCertificate, signed, Buffer.from(signature, 'base64')));
  });

  it('getSigningCertificate and sign: the signing certificate, a signature over the very hash', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('yes', 'yes');
    const { end: given } = await call(page, 'web-eid:get-signing-certificate');
    assert.equal(given.action, 'web-eid:get-signing-certificate-success', JSON.stringify(given));
    assert.ok(given.supportedSignatureAlgorithms.length > 0);
    const document = randomBytes(1_000);
    const { hashFunction } = given.supportedSignatureAlgorithms.find((/** @type {any} */ each) => each.hashFunction === 'SHA-256');
    const hash = createHash('sha256').update(document).digest('base64');
    person.answers(RIGHT, RIGHT);
    const { end } = await call(page, 'web-eid:sign', { certificate: given.certificate, hash, hashFunction });
    assert.equal(end.action, 'web-eid:sign-success', JSON.stringify(end));
    const { cryptoAlgorithm, paddingScheme } = end.signatureAlgorithm;
    const algorithm = `${{ ECC: 'ES', RSA: paddingScheme === 'PSS' ? 'PS' : 'RS' }[/** @type {'ECC' | 'RSA'} */ (cryptoAlgorithm)]}256`;
    assert.ok(verified(algorithm, given.certificate, document, Buffer.from(end.signature, 'base64')));
  });

  it('sign never takes the certificate that authenticates', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('yes', RIGHT);
    const { end: token } = await call(page, 'web-eid:authenticate', { challengeNonce: challenge() });
    person.answers(RIGHT, RIGHT);
    const hash = createHash('sha256').update('contract').digest('base64');
    const { end } = await call(page, 'web-eid:sign', { certificate: token.unverifiedCertificate, hash, hashFunction: 'SHA-256' });
    assert.equal(end.action, 'web-eid:sign-failure');
    assert.doesNotMatch(person.shown, /^GETPIN/m);
  });

  it('failures have the codes of Web eID, and say the reason beside them', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('cancel');
    const { end: cancelled } = await call(page, 'web-eid:authenticate', { challengeNonce: challenge() });
    assert.equal(cancelled.error.code, 'ERR_WEBEID_USER_CANCELLED');
    assert.equal(cancelled.error.reason, 'declined');
    const { end: short } = await call(page, 'web-eid:authenticate', { challengeNonce: 'short' });
    assert.equal(short.error.code, 'ERR_WEBEID_NATIVE_INVALID_ARGUMENT');
    const { end: missing } = await call(page, 'web-eid:sign', { hash: 'AAAA' });
    assert.match(missing.error.code, /^ERR_WEBEID_(MISSING_PARAMETER|NATIVE_INVALID_ARGUMENT)$/);
    assert.equal(typeof cancelled.error.message, 'string');
    assert.equal(typeof cancelled.error.name, 'string');
  });

  it('the same action twice is pending; the page that is left closes the window', LIMIT, async () => {
    const { person, sites } = scene();
    const page = await scene().caller();
    person.answers('hang');
    await page.evaluate((challengeNonce) =>
      postMessage({ action: 'web-eid:authenticate', libraryVersion: '2.1.0', challengeNonce }, '*'), challenge());
    await person.asked();
    const { end } = await call(page, 'web-eid:authenticate', { challengeNonce: challenge() });
    assert.equal(end.error.code, 'ERR_WEBEID_ACTION_PENDING');
    await page.goto(`${sites.origin()}/test/blank`);
    await person.closed();
  });

  it('userInteractionTimeout is kept', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    person.answers('hang');
    // Long enough for the window to be there before the page's time is over.
    const calling = call(page, 'web-eid:authenticate', {
      challengeNonce: challenge(), options: { userInteractionTimeout: 5_000 },
    });
    await person.asked();
    const { end } = await calling;
    assert.equal(end.error?.code, 'ERR_WEBEID_USER_TIMEOUT', JSON.stringify(end));
    await person.closed();
  });

  it('is silent where another extension has answered', LIMIT, async () => {
    const { person } = scene();
    const page = await scene().caller();
    const { all } = await call(page, 'web-eid:authenticate', { challengeNonce: challenge() }, { foreign: true, quiet: 2_000 });
    assert.deepEqual(all.map(({ action }) => action), ['web-eid:authenticate-ack']);
    assert.equal(person.windows, 0);
  });

  it('does not answer its own answers, or what is no request', LIMIT, async () => {
    const page = await scene().caller();
    const { all } = await call(page, 'web-eid:nonsense', {}, { quiet: 1_500 });
    assert.ok(all.length <= 2, JSON.stringify(all));
    const echoes = await page.evaluate(() => new Promise((resolve) => {
      let count = 0;
      addEventListener('message', () => (count += 1));
      for (const suffix of ['ack', 'success', 'failure', 'FAILURE']) postMessage({ action: `web-eid:status-${suffix}` }, '*');
      setTimeout(() => resolve(count), 1_000);
    }));
    assert.ok(Number(echoes) <= 8, String(echoes));
  });
});
