// A browser's extension API small enough to show the plugin's pages without a
// worker or an agent. `fakeChrome` is self-contained, so that it can be handed
// to a browser driver and run before the page's own scripts:
//
//     await page.evaluateOnNewDocument(fakeChrome, messages, [message, …]);
//     await page.goto(".../popup/popup.html");       // or pair/pair.html, popup/help.html
//     await page.evaluate(() => fake.tell({ state: "ready" }));   // later messages
//     await page.evaluate(() => fake.asked);                      // what the page sent
//
// `messages` is the parsed _locales/XX/messages.json. screens.js has the messages
// for every state.

/**
 * @param {Record<string, {message: string, placeholders?: Record<string, {content: string}>}>} messages
 * @param {unknown[]} told what the worker tells as soon as a page connects
 */
export function fakeChrome(messages, told = []) {
  /** @type {Set<(message: unknown) => void>} */
  const listeners = new Set();
  /** @type {Set<() => void>} */
  const closers = new Set();

  /** @param {string} key @param {string | string[]} [args] */
  const getMessage = (key, args = []) => {
    const found = messages[key];
    if (!found) return "";
    const list = Array.isArray(args) ? args : [args];
    return found.message.replace(/\$(\w+)\$/g, (_, name) => {
      const content = found.placeholders?.[name.toLowerCase()]?.content ?? "";
      return content.replace(/\$(\d)/g, (_, digit) => list[Number(digit) - 1] ?? "");
    });
  };

  const fake = {
    /** @type {unknown[]} what the page sent, and asked of the browser */
    asked: [],
    /** What the browser answers when a permission is asked for or given back. */
    permission: true,
    /** @param {unknown} message */
    tell: (message) => listeners.forEach((listener) => listener(message)),
    /** The worker is stopped: every port closes. */
    close: () => {
      const all = [...closers];
      closers.clear();
      listeners.clear();
      all.forEach((closer) => closer());
    },
  };

  /** @param {{name: string}} port */
  const connect = ({ name }) => {
    fake.asked.push({ connect: name });
    queueMicrotask(() => told.forEach(fake.tell));
    return {
      name,
      onMessage: { addListener: (/** @type {(message: unknown) => void} */ listener) => listeners.add(listener) },
      onDisconnect: { addListener: (/** @type {() => void} */ closer) => closers.add(closer) },
      postMessage: (/** @type {unknown} */ message) => fake.asked.push(message),
      disconnect: () => listeners.clear(),
    };
  };

  /** @param {string} what */
  const permission = (what) => (/** @type {{origins: string[]}} */ { origins }) => {
    fake.asked.push({ permission: what, origins });
    return Promise.resolve(fake.permission);
  };

  Object.assign(globalThis, {
    fake,
    chrome: {
      i18n: { getMessage },
      runtime: { connect, getURL: (/** @type {string} */ path) => `chrome-extension://fake/${path}` },
      permissions: { request: permission("request"), remove: permission("remove") },
    },
  });
}
