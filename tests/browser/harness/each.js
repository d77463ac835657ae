// The same tests in every browser, each with a scene of its own.

import { after, afterEach, before, describe } from 'node:test';

import { BROWSERS } from './browser.js';
import { reportFailure } from './report.js';
import { Scene } from './scene.js';

/** How long one test may take, milliseconds. */
export const LIMIT = { timeout: 90_000 };

/**
 * Runs `tests` once in each browser. They share one scene, in the order they are written; after each, the tabs are
 * closed, and so are the agent's windows.
 * @param {string} title
 * @param {import('./scene.js').SceneOptions | ((tidy: import('./tidy.js').Tidy) => Promise<import('./scene.js').SceneOptions>)} options
 * @param {(scene: () => Scene) => void} tests
 * @param {import('./browser.js').BrowserName[]} [browsers]
 */
export function inBrowsers(title, options, tests, browsers = BROWSERS) {
  for (const browser of BROWSERS.filter((name) => browsers.includes(name))) {
    describe(`${title} (${browser})`, () => {
      /** @type {Scene} */
      let scene;
      before(async () => {
        scene = await Scene.open(browser, options);
      }, LIMIT);
      afterEach(async (/** @type {any} */ test) => {
        await reportFailure(test, scene?.browser, scene?.texts);
        await scene?.rest();
      }, LIMIT);
      after(() => scene?.close(), LIMIT);
      tests(() => scene);
    });
  }
}
