// The official Gosuslugi extension and its page's library as far as they are known, for a site of the tests: the
// same id, the same manifest version, the same relay. Firefox loads it; current Chromium no longer does.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The official one's id in Firefox. */
export const GOSUSLUGI_ID = 'pbafkdcnd@ngodfeigfdgiodgnmbgcfha.ru';
/** The host whose pages the stand-in serves, instead of those on the official list. */
export const SIGN_IN_HOST = 'other.test';

const MANIFEST = {
  manifest_version: 2,
  name: 'Stand-in for the Gosuslugi extension',
  version: '1.2.8',
  permissions: ['nativeMessaging'],
  background: { scripts: ['background.js'] },
  content_scripts: [{ matches: [`https://${SIGN_IN_HOST}/*`], js: ['content.js'] }],
  browser_specific_settings: { gecko: { id: GOSUSLUGI_ID } },
};

/** A native port for each page, and what is said on one is said on the other, as it is. */
const BACKGROUND = `'use strict';
browser.runtime.onConnect.addListener((page) => {
  const native = browser.runtime.connectNative('ru.rtlabs.ifcplugin');
  page.onMessage.addListener((message) => native.postMessage(message));
  native.onMessage.addListener((message) => page.postMessage(message));
  page.onDisconnect.addListener(() => native.disconnect());
  native.onDisconnect.addListener(() => page.disconnect());
});
`;

/** Marks the page, and passes texts on. It never connects again. */
const CONTENT = `'use strict';
const mark = (id) => {
  const marker = document.createElement('div');
  marker.id = id;
  document.body.append(marker);
};
const port = browser.runtime.connect();
mark('ifcplugin-extension-is-installed');
mark('ifc-plugin-is-installed');
const say = (message) => window.postMessage(JSON.stringify(message), '*');
window.addEventListener('message', ({ source, data }) => {
  if (source !== window) return;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return;
  }
  if (message?.type === 'TO_IFC_EXT') port.postMessage(message.msg_data);
});
port.onMessage.addListener((answer) => say({ type: 'FROM_IFC_EXT', msg_data: answer }));
port.onDisconnect.addListener(() => {
  document.getElementById('ifc-plugin-is-installed')?.remove();
  say({ type: 'IFC_EXT_DISCONNECT' });
});
`;

/** @param {string} folder  will be made */
export function gosuslugiExtension(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(folder, 'background.js'), BACKGROUND);
  writeFileSync(join(folder, 'content.js'), CONTENT);
  return folder;
}

/** A sign-in page with what it needs of the library: `ifc(name, params)`, one command at a time. */
const PAGE = `<!doctype html><html lang="ru"><meta charset="utf-8"><title>Вход</title><body><p>Вход по электронной подписи</p>
<script>
let pending;
const end = (answer) => {
  const callback = pending;
  pending = undefined;
  callback?.(answer);
};
window.addEventListener('message', ({ source, data }) => {
  if (source !== window) return;
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return;
  }
  if (message?.type === 'IFC_EXT_DISCONNECT') end({ error_code: 256 });
  if (message?.type !== 'FROM_IFC_EXT') return;
  if (message.msg_data.intermediate) return;
  end(message.msg_data);
});
window.ifc = (func_name, params) => new Promise((resolve) => {
  if (pending) return resolve({ error_code: -1 });
  pending = resolve;
  window.postMessage(JSON.stringify({ type: 'TO_IFC_EXT', msg_data: { func_name, params } }), '*');
});
</script>`;

/** @param {string} path @returns {import('./sites.js').Answer | undefined} */
export function signInSite(path) {
  return path === '/aas/oauth2/login' ? { body: PAGE } : undefined;
}
