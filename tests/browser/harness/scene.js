// Everything at once: agent, person, sites, portal, browser with the extension.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Agent, freePorts } from './agent.js';
import { launchBrowser } from './browser.js';
import { copyExtension } from './extension.js';
import { abort, begin, hasApi, signIn, status } from './page.js';
import { Portal } from './portal.js';
import { Sites } from './sites.js';
import { Tidy } from './tidy.js';

/** @typedef {import('puppeteer-core').Page} Page */

/**
 * @typedef {object} SceneOptions
 * @property {import('./agent.js').AgentOptions} [agent]
 * @property {boolean | string[]} [nativeHost]  `eid-agent install-browser` has been run, with these flags
 * @property {boolean} [running]  the agent runs already; true unless told
 * @property {string} [language]
 * @property {string[]} [listed]  hosts that count as listed portals
 * @property {string[]} [roots]  PEM files the portal accepts beside the software token's
 * @property {string[]} [portal]  further arguments of the portal
 * @property {string[]} [alsoInstalled]  other extensions, directories
 * @property {Record<string, unknown>} [firefoxPreferences]
 * @property {string[]} [chromiumArguments]
 */

export class Scene {
  tidy = new Tidy();
  /** @type {import('./browser.js').Launch} */
  #launch;
  /** The ports at which the extension looks for the agent. @type {number[]} */
  ports = [];
  /** @type {Agent} */ agent;
  /** @type {Sites} */ sites;
  /** @type {Portal} */ portal;
  /** @type {import('./browser.js').Browser} */ browser;

  /**
   * @param {import('./browser.js').BrowserName} browser
   * @param {SceneOptions | ((tidy: Tidy) => Promise<SceneOptions>)} [options]  or what makes them
   */
  static async open(browser, options = {}) {
    const scene = new Scene();
    try {
      await scene.#open(browser, typeof options === 'function' ? await options(scene.tidy) : options);
      return scene;
    } catch (error) {
      await scene.close().catch(() => {});
      throw error;
    }
  }

  /** @param {import('./browser.js').BrowserName} browser @param {SceneOptions} options */
  async #open(browser, options) {
    const { tidy } = this;
    const home = tidy.folder();
    this.ports = await freePorts(3, tidy);
    this.sites = await Sites.start(tidy);
    this.agent = new Agent(home, tidy, { language: options.language, ...options.agent });
    const { nativeHost } = options;
    if (nativeHost) await this.agent.cli('install-browser', '--user', ...(nativeHost === true ? [] : nativeHost));
    if (options.running ?? true) await this.agent.start(this.ports[0]);
    const roots = [await this.agent.softwareRoot(), ...(options.roots ?? [])];
    this.portal = await Portal.start(this.sites, roots, tidy, options.portal);
    const extension = join(home, 'extension');
    mkdirSync(extension);
    copyExtension(extension, this.ports, options.listed);
    this.#launch = {
      home,
      environment: this.agent.environment,
      sites: this.sites,
      language: options.language ?? 'en',
      extensions: [extension, ...(options.alsoInstalled ?? [])],
      firefoxPreferences: options.firefoxPreferences,
      chromiumArguments: options.chromiumArguments,
    };
    this.browser = await launchBrowser(browser, this.#launch, tidy);
  }

  /** Ends the browser and starts it again with the same profile, or with a copy of it in another home. @param {string} [home] */
  async reopenBrowser(home) {
    const { name } = this.browser;
    await this.browser.close();
    if (home) {
      cpSync(join(this.#launch.home, this.browser.driver.profile), join(home, this.browser.driver.profile), { recursive: true });
      this.#launch = { ...this.#launch, home, environment: { ...this.#launch.environment, HOME: home } };
    }
    this.browser = await launchBrowser(/** @type {any} */ (name), this.#launch, this.tidy);
  }

  /** The person at the agent's windows. */
  get person() {
    return this.agent.person;
  }

  /**
   * Pairs plugin and agent: what is not this test's affair is done without a window.
   * @param {Page} page
   * @param {Record<string, unknown>} [options]  of a confirmation that the agent's tokens can make
   */
  async pair(page, options = {}) {
    const { person, browser } = this;
    const said = await status(page);
    if (['ready', 'no_token'].includes(said.state)) return;
    assert.equal(said.state, 'not_paired', JSON.stringify(said));
    // Ends at the consent, which the person leaves open until the call is aborted.
    person.answers('yes', 'hang');
    await begin(page, options);
    const window = await browser.pairing();
    await window.locator('#same').click();
    await person.seen(/^SETDESC[^]*^SETDESC/m);
    await abort(page);
    await person.gone();
    await window.close();
    person.answers();
  }

  /** The portal's own page, signed in. @param {string} [account] */
  async portalPage(account = 'vera') {
    return signIn(await this.browser.open(this.sites.origin()), account);
  }

  /** A portal's page that is nothing but the page library. @param {string} [host] */
  async caller(host) {
    const page = await this.browser.open(`${this.sites.origin(host)}/test/caller`);
    await hasApi(page);
    return page;
  }

  /** What it has to tell of a failure. */
  get texts() {
    const { agent, person, portal } = this;
    return { "the agent's log": agent.log, "the portal's log": portal.log, 'shown to the person': person.shown, 'answers left': person.left };
  }

  /** Between two tests: no tab, no window, no answer of the one before is left. */
  async rest() {
    await this.browser.closeTabs();
    await this.person.gone();
    this.person.answers();
  }

  /** Ends everything and removes every trace. */
  close() {
    return this.tidy.all();
  }
}
