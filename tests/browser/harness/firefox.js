// Firefox over WebDriver BiDi.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { FIREFOX_ID } from './extension.js';
import { HOSTILE_ID } from './hostile.js';
import { eventually, LAUNCH_PATIENCE } from './wait.js';

/** Where distributions put it; FIREFOX names another. */
export const FIREFOX_PLACES = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];
/** @typedef {import('./browser.js').Driver} Driver */

/** Firefox draws a UUID for each extension and profile; here it is said in advance. */
const UUID = '0d1f1a52-9d6c-4a51-9f43-3c1f9cc3b6a1';
const HOSTILE_UUID = '6d0a4c5e-55f2-4b0c-8c07-1f6f2d0f5a10';

/** Where the profile is, in the home directory. */
const PROFILE = 'firefox-profile';

/**
 * @param {import('./browser.js').Launch} launch
 * @param {string} executablePath
 * @returns {Promise<Driver>}
 */
export async function launchFirefox(launch, executablePath) {
  const { home, environment, sites, language } = launch;
  const userDataDir = join(home, PROFILE);
  mkdirSync(userDataDir, { recursive: true });
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    timeout: LAUNCH_PATIENCE,
    headless: true,
    userDataDir,
    acceptInsecureCerts: true,
    // The extension's own pages and its background are out of a driver's reach without it.
    args: ['--remote-allow-system-access'],
    env: { ...environment, MOZ_HEADLESS: '1' },
    extraPrefsFirefox: {
      // What a driver installs is temporary; what it remembers is to outlive the browser all the same.
      'extensions.webextensions.keepStorageOnUninstall': true,
      'extensions.webextensions.keepUuidOnUninstall': true,
      'extensions.webextensions.uuids': JSON.stringify({ [FIREFOX_ID]: UUID, [HOSTILE_ID]: HOSTILE_UUID }),
      // A permission the extension asks for is granted as if the person had agreed.
      'extensions.webextOptionalPermissionPrompts': false,
      'intl.accept_languages': language,
      // A window goes with its last tab, as for a person; drivers keep it instead.
      'browser.tabs.closeWindowWithLastTab': true,
      // Every name leads here, and nowhere else.
      'network.dns.native-is-localhost': true,
      'network.lna.address_space.public.override': `127.0.0.1:${sites.port}`,
      ...launch.firefoxPreferences,
    },
  });
  for (const extension of launch.extensions) await browser.installExtension(extension);
  return new Firefox(browser, await browser.version());
}

/** @implements {Driver} */
class Firefox {
  name = 'firefox';
  profile = PROFILE;

  /** @param {import('puppeteer-core').Browser} browser @param {string} version */
  constructor(browser, version) {
    this.browser = browser;
    this.version = version;
  }

  /** The address of one of the extension's own pages. @param {string} path */
  extensionUrl(path) {
    return `moz-extension://${UUID}/${path}`;
  }

  /** The address of the page of the hostile extension. */
  async hostileUrl() {
    return `moz-extension://${HOSTILE_UUID}/page.html`;
  }

  /** Opens one of the extension's own pages in a tab; a driver may not navigate there. @param {string} url */
  async openOwn(url) {
    await this.chrome(`gBrowser.selectedTab = gBrowser.addTrustedTab(${JSON.stringify(url)});`);
  }

  /** Closes every tab and every other window, but for one blank tab. */
  async closeTabs() {
    await this.chrome(`
      const blank = gBrowser.addTrustedTab('about:blank');
      for (const other of Services.wm.getEnumerator('navigator:browser')) if (other !== window) other.close();
      for (const tab of [...gBrowser.tabs]) if (tab !== blank) gBrowser.removeTab(tab);
    `);
    // Asked of the browser: the driver's own list keeps windows whose first page was of another process.
    await eventually('the end of all tabs', async () => (await this.#tree({})).length === 1);
  }

  /**
   * Runs JavaScript in the browser's first window.
   * @param {string} body  of an async function; its value must be JSON
   */
  async chrome(body) {
    const [first] = await this.#tree({ 'moz:scope': 'chrome' });
    const answer = await this.#connection.send('script.evaluate', {
      expression: `(async () => { ${body} })().then(JSON.stringify)`,
      target: { context: first.context },
      awaitPromise: true,
    });
    if (answer.result.type !== 'success') throw new Error(JSON.stringify(answer.result.exceptionDetails));
    const { value } = answer.result.result;
    return value === undefined ? undefined : JSON.parse(value);
  }

  get #connection() {
    return /** @type {any} */ (this.browser).connection;
  }

  /** @param {Record<string, string>} scope @returns {Promise<{ context: string }[]>} */
  async #tree(scope) {
    return (await this.#connection.send('browsingContext.getTree', scope)).result.contexts;
  }

  /** Stops the extension's event page, as the browser does when it has been idle; gives whether it ran. */
  async stopWorker() {
    const ran = await this.workerRuns();
    await this.chrome(`${EXTENSION} await extension.terminateBackground({ ignoreDevToolsAttached: true });`);
    return ran;
  }

  /** Whether the event page runs. */
  workerRuns() {
    return this.chrome(`${EXTENSION} return extension.backgroundState === 'running';`);
  }
}

const EXTENSION = `const extension = WebExtensionPolicy.getByID('${FIREFOX_ID}').extension;`;
