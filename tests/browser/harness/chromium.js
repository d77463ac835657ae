// Chromium over the DevTools pipe.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { CHROMIUM_ID } from './extension.js';
import { HOSTS } from './sites.js';
import { eventually, LAUNCH_PATIENCE } from './wait.js';

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
    timeout: LAUNCH_PATIENCE,
    pipe: true,
    headless: true,
    // Where install-browser writes for Chromium: manifests are looked for in the profile.
    userDataDir: join(home, PROFILE),
    enableExtensions: true,
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
  // Given a list, launch() does not wait until they are installed, and a page opened meanwhile has no plugin.
  const ids = [];
  for (const extension of launch.extensions) ids.push(await browser.installExtension(extension));
  return new Chromium(browser, await browser.version(), ids);
}

/** Whether Chromium's sandbox works here: not for root, and not in a container that forbids user namespaces. */
function canSandbox() {
  return process.getuid?.() !== 0 && spawnSync('unshare', ['--user', 'true']).status === 0;
}

/** @implements {Driver} */
class Chromium {
  name = 'chromium';
  profile = PROFILE;

  #extensions;

  /** @param {import('puppeteer-core').Browser} browser @param {string} version @param {string[]} extensions  their ids */
  constructor(browser, version, extensions) {
    this.browser = browser;
    this.version = version;
    this.#extensions = extensions;
  }

  /** The address of one of the extension's own pages. @param {string} path */
  extensionUrl(path) {
    return `chrome-extension://${CHROMIUM_ID}/${path}`;
  }

  /** The address of the page of the hostile extension. */
  async hostileUrl() {
    const id = this.#extensions.find((id) => id !== CHROMIUM_ID);
    if (!id) throw new Error('no other extension is installed');
    return `chrome-extension://${id}/page.html`;
  }

  /** Opens one of the extension's own pages in a tab. @param {string} url */
  async openOwn(url) {
    await (await this.browser.newPage()).goto(url);
  }

  /** Closes every tab and window, but for one blank tab. */
  async closeTabs() {
    const blank = await this.browser.newPage();
    // A window that was about to open may come after those that were seen.
    await eventually('the end of all tabs', async () => {
      const others = (await this.browser.pages()).filter((page) => page !== blank);
      await Promise.all(others.map((page) => page.close().catch(() => {})));
      return others.length === 0;
    });
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
