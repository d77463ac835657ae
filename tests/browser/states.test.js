// What a portal's page learns before anybody is asked.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { inBrowsers, LIMIT } from './harness/each.js';
import { PLUGIN_VERSION } from './harness/extension.js';
import { status } from './harness/page.js';

inBrowsers('states', { running: false }, (scene) => {
  it('no agent, then one that is not paired', LIMIT, async () => {
    const page = await scene().caller();
    assert.deepEqual(await status(page), { plugin: PLUGIN_VERSION, state: 'no_agent' });
    await scene().agent.start(scene().ports[1]);
    assert.deepEqual(await status(page), { plugin: PLUGIN_VERSION, state: 'not_paired' });
  });

  it('a site that is neither listed nor granted sees no plugin', LIMIT, async () => {
    const page = await scene().caller('other.test');
    assert.deepEqual(await status(page), { code: 'no_plugin' });
  });
});
