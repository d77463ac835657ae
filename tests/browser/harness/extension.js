// The extension as the browsers load it here: a copy that also lists the test portal, and looks
// for the agent at this test's own ports, so that an agent of the developer's own is left alone.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

import { ROOT } from './child.js';
import { PORTAL_HOST } from './sites.js';

export const CHROMIUM_ID = 'hjfdfdakhehfniplhfahbkpmaihikgao';
export const FIREFOX_ID = '{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}';

/** EID_EXTENSION names another directory, of an extension that is not of this tree. */
const SOURCE = process.env.EID_EXTENSION ?? join(ROOT, 'extension');
const LEFT_OUT = ['node_modules', 'tests', 'page-api', 'README.md'].map((name) => SOURCE + sep + name);
/** The version of the plugin that the tests load. @type {string} */
export const PLUGIN_VERSION = JSON.parse(readFileSync(join(SOURCE, 'manifest.json'), 'utf8')).version;
/** Where the extension says which ports it tries. */
const PORTS_IN = join('background', 'agent.js');
const PORTS = /\b47290, 47291, 47292\b/g;

/**
 * @param {string} folder  an empty directory
 * @param {number[]} ports  three of them
 * @param {string[]} [hosts]  that count as listed portals
 */
export function copyExtension(folder, ports, hosts = [PORTAL_HOST]) {
  cpSync(SOURCE, folder, { recursive: true, filter: (path) => !LEFT_OUT.includes(path) });
  edit(join(folder, 'manifest.json'), (text) => {
    const manifest = JSON.parse(text);
    for (const script of manifest.content_scripts) script.matches.push(...hosts.map((host) => `https://${host}/*`));
    return JSON.stringify(manifest, null, 2);
  });
  edit(join(folder, PORTS_IN), (text) => {
    if (text.match(PORTS)?.length !== 1) throw new Error(`${PORTS_IN} does not name its three ports once: ${PORTS}`);
    return text.replace(PORTS, ports.join(', '));
  });
  return folder;
}

/** @param {string} path @param {(text: string) => string} change */
function edit(path, change) {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
