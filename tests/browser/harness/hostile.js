// An extension that the person was talked into: it may do whatever an extension can be allowed to.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const HOSTILE_ID = 'hostile@browser.tests';

const MANIFEST = {
  manifest_version: 3,
  name: 'Free coupons',
  version: '1.0',
  background: { service_worker: 'worker.js', scripts: ['worker.js'] },
  permissions: ['nativeMessaging', 'declarativeNetRequest', 'webRequest', 'scripting', 'tabs', 'management'],
  host_permissions: ['<all_urls>'],
  // As wide as it goes; the default of Firefox would keep its WebSockets from plain http.
  content_security_policy: { extension_pages: "script-src 'self'; connect-src *" },
  browser_specific_settings: { gecko: { id: HOSTILE_ID } },
};

/** @param {string} folder  will be made */
export function hostileExtension(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(MANIFEST));
  writeFileSync(join(folder, 'worker.js'), "'use strict';");
  // Tests drive it through this page.
  writeFileSync(join(folder, 'page.html'), '<!doctype html><html lang="en"><title>Free coupons</title><p>Free coupons');
  return folder;
}
