// Both browsers behind one interface.

import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { isAlive } from './child.js';
import { CHROMIUM_PLACES, launchChromium } from './chromium.js';
import { FIREFOX_PLACES, launchFirefox } from './firefox.js';
import { killAtExit } from './tidy.js';
import { eventually, LAUNCH_PATIENCE, PATIENCE, within } from './wait.js';

/**
 * @typedef {object} Launch
 * @property {string} home  the person's home directory; the profile is in it
 * @property {NodeJS.ProcessEnv} environment
 * @property {import('./sites.js').Sites} sites
 * @property {string} language
 * @property {string[]} extensions  directories
 * @property {string[]} [chromiumArguments]
 * @property {Record<string, unknown>} [firefoxPreferences]
 */

/**
 * What is different in each browser.
 * @typedef {object} Driver
 * @property {string} name
 * @property {string} version
 * @property {string} profile  in the person's home directory
 * @property {import('puppeteer-core').Browser} browser
 * @property {(path: string) => string} extensionUrl
 * @property {() => Promise<string>} hostileUrl
 * @property {(url: string) => Promise<void>} openOwn
 * @property {() => Promise<void>} closeTabs
 * @property {() => Promise<boolean>} stopWorker
 * @property {() => Promise<boolean>} workerRuns
 */

/** @type {Record<BrowserName, { places: string[], launch: (launch: Launch, executable: string) => Promise<Driver>, variable: string }>} */
const KINDS = {
  chromium: { places: CHROMIUM_PLACES, launch: launchChromium, variable: 'CHROMIUM' },
  firefox: { places: FIREFOX_PLACES, launch: launchFirefox, variable: 'FIREFOX' },
};

/** @typedef {'chromium' | 'firefox'} BrowserName */

/**
 * The browsers to test in. A missing one is a failure. BROWSERS=firefox limits them while one works on something.
 * @type {BrowserName[]}
 */
export const BROWSERS = /** @type {BrowserName[]} */ ((process.env.BROWSERS ?? 'chromium firefox').split(' '));

/** @param {BrowserName} name */
function executable(name) {
  const { places, variable } = KINDS[name];
  const path = process.env[variable] ?? places.find((place) => existsSync(place));
  if (!path) throw new Error(`${name} is in none of ${places.join(', ')}; install it, or set ${variable} to its path`);
  return path;
}

/**
 * Starts a browser that ends with `tidy`.
 * @param {BrowserName} name
 * @param {Launch} launch
 * @param {import('./tidy.js').Tidy} tidy
 */
export async function launchBrowser(name, launch, tidy) {
  const driver = await within(`the start of ${name}`, KINDS[name].launch(launch, executable(name)), LAUNCH_PATIENCE + PATIENCE);
  const browser = new Browser(driver);
  tidy.later(() => browser.close());
  return browser;
}

/** A running browser. */
export class Browser {
  #driver;
  #gone;

  /** @param {Driver} driver */
  constructor(driver) {
    this.#driver = driver;
    this.#gone = killAtExit(driver.browser.process()?.pid ?? 0);
  }

  /** Ends it. */
  async close() {
    const { browser } = this.#driver;
    if (!browser.connected) return;
    const group = browser.process()?.pid ?? 0;
    await within(`the end of ${this.name}`, browser.close()).catch(() => browser.process()?.kill('SIGKILL'));
    // Its helpers outlive it for a moment, and write into the profile.
    await eventually(`the end of ${this.name}'s processes`, () => !groupLives(group));
    this.#gone();
  }

  get name() {
    return this.#driver.name;
  }

  get version() {
    return this.#driver.version;
  }

  get driver() {
    return this.#driver;
  }

  /** A new tab at `url`. @param {string} url @returns {Promise<import('puppeteer-core').Page>} */
  async open(url) {
    const page = await this.#driver.browser.newPage();
    await page.goto(url);
    return page;
  }

  /** One of the extension's own pages in a tab. @param {string} path */
  async openOwn(path) {
    const url = this.#driver.extensionUrl(path);
    await this.#driver.openOwn(url);
    return this.page(url);
  }

  /** The page of the hostile extension, if that is installed too. */
  async openHostile() {
    const url = await this.#driver.hostileUrl();
    await this.#driver.openOwn(url);
    return this.page(url);
  }

  /** Waits for a whole page whose address holds `part`: a window the extension opened. @param {string} part */
  page(part) {
    return eventually(`a window at ${part}`, async () => {
      const seen = [];
      for (const page of await this.#driver.browser.pages()) {
        // Asked of the page itself: a driver may have missed a new window's first navigation.
        const address = await within('an answer', page.evaluate(() => `${location.href} ${document.readyState}`), 2_000)
          .catch((error) => `${page.url()}: ${error.message}`);
        if (address.includes(part) && address.endsWith(' complete')) return page;
        seen.push(address);
      }
      throw new Error(`there are ${seen.join(', ')}`);
    });
  }

  /** The extension's pairing window. */
  pairing() {
    return this.page(this.#driver.extensionUrl('pair/pair.html'));
  }

  /** Closes every tab but one blank one. */
  closeTabs() {
    return this.#driver.closeTabs();
  }
}

/** Whether any process of a group is left that is not only waited for. @param {number} group */
function groupLives(group) {
  return group > 0 && readdirSync('/proc').some((id) => /^\d+$/.test(id) && isAlive(Number(id)) && groupOf(id) === group);
}

/** @param {string} id  of a process */
function groupOf(id) {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return 0; // It ended meanwhile.
  }
}
