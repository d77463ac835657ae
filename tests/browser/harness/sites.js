// The web: one https server for every host name the tests use, with a certificate of its own.
//
// Every name under .test leads to 127.0.0.1, and this server's port is said to the browser to be
// in the *public* address space, so Local Network Access is in force as on a real site.

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';

import { ROOT, run } from './child.js';

/** The host of the reference portal. */
export const PORTAL_HOST = 'portal.test';
/** `portal.test` with a Cyrillic о and а. */
export const LOOKALIKE_HOST = new URL('https://pоrtаl.test').hostname;
/** Every host there is. */
export const HOSTS = [PORTAL_HOST, 'other.test', 'www.other.test', 'evil.test', LOOKALIKE_HOST];

/**
 * @typedef {{ body: string, type?: string, headers?: Record<string, string> }} Answer
 * @typedef {(path: string) => Answer | undefined} Site
 */

export class Sites {
  /** @type {https.Server} */
  #server;
  /** @type {Map<string, Site>} */
  #sites = new Map();
  #upstream = '';
  port = 0;
  /** base64 SHA-256 of the certificate's SubjectPublicKeyInfo: the only one Chromium is told to accept. */
  spki = '';

  /**
   * @param {import('./tidy.js').Tidy} tidy
   */
  static async start(tidy) {
    const sites = new Sites();
    const { key, cert } = await certificate(tidy.folder());
    const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
    sites.spki = createHash('sha256').update(spki).digest('base64');
    sites.#server = https.createServer({ key, cert }, (request, response) => sites.#answer(request, response));
    await new Promise((resume, reject) => {
      sites.#server.once('error', reject).listen(0, '127.0.0.1', () => resume(undefined));
    });
    sites.port = /** @type {import('node:net').AddressInfo} */ (sites.#server.address()).port;
    tidy.later(() => new Promise((resume) => {
      sites.#server.close(resume);
      sites.#server.closeAllConnections();
    }));
    return sites;
  }

  /** The origin of `host`, as a browser serialises it. @param {string} host */
  origin(host = PORTAL_HOST) {
    return `https://${host}:${this.port}`;
  }

  /** What is at `host` (beside the portal, which keeps every path but those under /test/). @param {string} host @param {Site} site */
  serve(host, site) {
    this.#sites.set(host, site);
  }

  /** The reference portal's own address, http://127.0.0.1:PORT. @param {string} address */
  portalAt(address) {
    this.#upstream = address;
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  #answer(request, response) {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const path = request.url ?? '/';
    if (host === PORTAL_HOST && this.#upstream && !path.startsWith('/test/')) {
      forward(this.#upstream, request, response);
      return;
    }
    const answer = this.#sites.get(host)?.(path) ?? common(path);
    if (!answer) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here');
      return;
    }
    response.writeHead(200, { 'content-type': `${answer.type ?? 'text/html'}; charset=utf-8`, ...answer.headers });
    response.end(answer.body);
  }
}

/** What every host has: the page library as portals get it, and a page that loads it. @type {Site} */
function common(path) {
  if (path === '/test/page-api.js') {
    // For sandboxed frames as well, whose origin is opaque.
    const headers = { 'access-control-allow-origin': '*' };
    return { type: 'text/javascript', headers, body: readFileSync(join(ROOT, 'extension/page-api/index.js'), 'utf8') };
  }
  if (path === '/test/caller') return { body: CALLER };
  if (path === '/test/blank') return { body: '<!doctype html><html lang="en"><title>blank</title><p>blank</p>' };
  return undefined;
}

/** A portal's page reduced to its calls: tests drive it through `window.api`. */
const CALLER = `<!doctype html><html lang="en"><title>caller</title>
<script type="module">window.api = await import('/test/page-api.js');</script>`;

/** @param {string} upstream @param {http.IncomingMessage} request @param {http.ServerResponse} response */
function forward(upstream, request, response) {
  const onward = http.request(upstream + request.url, { method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', (error) => response.writeHead(502).end(String(error)));
  request.pipe(onward);
}

/** @param {string} folder */
async function certificate(folder) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = HOSTS.map((host) => `DNS:${host}`).join(',');
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=browser tests', '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert]);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
