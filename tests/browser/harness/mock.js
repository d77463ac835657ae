// `eid-agent mock`, with the browser, the sites and the portal beside it: the set-up that MOCK.md describes.

import { join } from 'node:path';

import { freePorts } from './agent.js';
import { launchBrowser } from './browser.js';
import { Child, program, run } from './child.js';
import { copyExtension } from './extension.js';
import { hasApi, signIn } from './page.js';
import { Portal } from './portal.js';
import { Sites } from './sites.js';
import { Tidy } from './tidy.js';

/**
 * A row of `eid-agent mock --list --json`.
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string | null} code  what the plugin sees, where it is not `done`
 * @property {string | null} verdict  what the reference verifier says of the proof
 */

/** Every outcome there is. @returns {Promise<Outcome[]>} */
export async function outcomes() {
  return JSON.parse(await run(program('eid-agent'), ['mock', '--list', '--json'])).outcomes;
}

export class MockScene {
  tidy = new Tidy();
  /** What the mock said of itself: where its state, its root and its CRL are. @type {Record<string, string>} */
  said = {};
  /** @type {Child} */ mock;
  /** @type {Sites} */ sites;
  /** @type {import('./browser.js').Browser} */ browser;

  /** @param {import('./browser.js').BrowserName} browser */
  static async open(browser) {
    const scene = new MockScene();
    try {
      await scene.#open(browser);
      return scene;
    } catch (error) {
      await scene.close().catch(() => {});
      throw error;
    }
  }

  /** @param {import('./browser.js').BrowserName} name */
  async #open(name) {
    const { tidy } = this;
    const home = tidy.folder();
    const environment = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', TMPDIR: process.env.TMPDIR };
    const ports = await freePorts(3, tidy);
    const order = ['mock', '--json', '--state', join(home, 'mock'), '--port', String(ports[0])];
    this.mock = new Child(program('eid-agent'), order, environment, tidy);
    this.said = JSON.parse('{' + (await this.mock.line('{')));
    this.sites = await Sites.start(tidy);
    await this.freshPortal();
    const extension = copyExtension(join(home, 'extension'), ports);
    this.browser = await launchBrowser(name, { home, environment, sites: this.sites, language: 'en', extensions: [extension] }, tidy);
  }

  /** A portal that has confirmed nobody yet, with the mock's root as a test root and its CRL. */
  async freshPortal() {
    const { root, crl } = this.said;
    await Portal.start(this.sites, [root], this.tidy, ['--revocation', 'best-effort', '--crl', crl]);
  }

  /** Says what comes of the next operations. @param {...string} names */
  next(...names) {
    return run(program('eid-agent'), ['mock', '--state', this.said.state, 'set', names.join(',')]);
  }

  /** A portal's page that is nothing but the page library. */
  async caller() {
    const page = await this.browser.open(`${this.sites.origin()}/test/caller`);
    await hasApi(page);
    return page;
  }

  /** The portal's own page, where the mock's person is signed in. */
  async portalPage() {
    return signIn(await this.browser.open(this.sites.origin()), 'vera');
  }

  /** Ends everything and removes every trace. */
  close() {
    return this.tidy.all();
  }
}
