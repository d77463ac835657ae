// Chromium over the DevTools pipe.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { CHROMIUM_ID } from './extension.js';
import { HOSTS } from './sites.js';
import { eventually } from './wait.js';

/** @typedef {import('./browser.js').Driver} Driver */

/** Where distributions put it; CHROMIUM names another. */
export const CHROMIUM_PLACES = ['/usr/bin/chromium', '/usr/bin/google-chrome-stable'];

/** Where the profile is, in the home directory. */
const PROFILE = join('.config', 'chromium');

/**
 * @param {import('./browser.js').Launch} launch
 * @param {string} executablePath
 * @returns {Promise<Driver>}
 */
export async function launchChromium(launch, executablePath) {
  const { home, environment, sites, language } = launch;
  const browser = await puppeteer.launch({
    executablePath,
    pipe: true,
    headless: true,
    // Where install-browser writes for Chromium: manifests are looked for in the profile.
    userDataDir: join(home, PROFILE),
    enableExtensions: launch.extensions,
    acceptInsecureCerts: false,
    env: { ...environment, LANGUAGE: language },
    args: [
      `--lang=${language}`,
      `--accept-lang=${language}`,
      ...(canSandbox() ? [] : ['--no-sandbox']),
      '--disable-dev-shm-usage',
      `--host-resolver-rules=${HOSTS.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
      `--ip-address-space-overrides=127.0.0.1:${sites.port}=public`,
      `--ignore-certificate-errors-spki-list=${sites.spki}`,
      ...(launch.chromiumArguments ?? []),
    ],
  });
  return new Chromium(browser, await browser.version());
}

/** Whether Chromium's sandbox works here: not for root, and not in a container that forbids user namespaces. */
function canSandbox() {
  return process.getuid?.() !== 0 && spawnSync('unshare', ['--user', 'true']).status === 0;
}

/** @implements {Driver} */
class Chromium {
  name = 'chromium';
  profile = PROFILE;

  /** @param {import('puppeteer-core').Browser} browser @param {string} version */
  constructor(browser, version) {
    this.browser = browser;
    this.version = version;
  }

  /** The address of one of the extension's own pages. @param {string} path */
  extensionUrl(path) {
    return `chrome-extension://${CHROMIUM_ID}/${path}`;
  }

  /** The address of the page of the hostile extension. */
  async hostileUrl() {
    const others = () => this.browser.targets().map((target) => target.url()).find((url) =>
      url.startsWith('chrome-extension://') && !url.startsWith(this.extensionUrl('')));
    return new URL('/page.html', await eventually('the hostile extension', others)).href;
  }

  /** Opens one of the extension's own pages in a tab. @param {string} url */
  async openOwn(url) {
    await (await this.browser.newPage()).goto(url);
  }

  /** Closes every tab and window, but for one blank tab. */
  async closeTabs() {
    const pages = await this.browser.pages();
    await this.browser.newPage();
    await Promise.all(pages.map((page) => page.close().catch(() => {})));
    await eventually('the end of all tabs', async () => (await this.browser.pages()).length === 1);
  }

  /** The worker's target, if it runs. */
  #worker() {
    return this.browser.targets().find((target) =>
      target.type() === 'service_worker' && target.url().startsWith(this.extensionUrl('')));
  }

  /** Stops the extension's worker, as the browser does when it has been idle; gives whether it ran. */
  async stopWorker() {
    const target = this.#worker();
    if (!target) return false;
    const worker = await target.worker();
    await worker?.close();
    await eventually('the end of the worker', () => !this.browser.targets().includes(target));
    return true;
  }

  /** Whether the worker runs. */
  async workerRuns() {
    return this.#worker() !== undefined;
  }
}
