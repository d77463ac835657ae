// scripts/demo-browser, in Firefox: opens a page in a window with the extension as a temporary
// add-on, which only a driver can install, and stays until the window is closed.

import puppeteer from 'puppeteer-core';

const [executablePath, userDataDir, extension, url] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath,
  userDataDir,
  headless: false,
  defaultViewport: null,
  // Started and left as any window of Firefox: it asks nothing at its start or end.
  extraPrefsFirefox: { 'browser.aboutwelcome.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false },
});
await browser.installExtension(extension);
const [page] = await browser.pages();
await page.goto(url);
await new Promise((resume) => browser.once('disconnected', () => resume(undefined)));
