// What browsers have and Node does not, or not in version 18: import this first.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= /** @type {any} */ (webcrypto);

/** `chrome.storage.session`, which lives as long as the browser. */
const session = new Map();

/** @type {any} */ (globalThis).chrome = {
  runtime: { getURL: (/** @type {string} */ path) => `moz-extension://id/${path}` },
  storage: {
    session: {
      get: async (/** @type {string} */ key) => ({ [key]: session.get(key) }),
      set: async (/** @type {Record<string, unknown>} */ values) => Object.entries(values).forEach(([key, value]) => session.set(key, value)),
    },
  },
};

/**
 * A store in memory, as `keys.js` is one in IndexedDB.
 * @returns {import("../types").KeyStore & { pairing: import("../types").Pairing | null }}
 */
export function memoryStore() {
  let ended = false;
  return {
    pairing: null,
    async load() {
      return this.pairing;
    },
    async save(pairing) {
      this.pairing = pairing;
      ended = false;
    },
    async moved(keyid, port) {
      if (this.pairing?.keyid === keyid) this.pairing = { ...this.pairing, port };
    },
    async forget(byPerson) {
      this.pairing = null;
      ended ||= byPerson;
    },
    async endedByPerson() {
      return ended;
    },
  };
}

/** @param {() => boolean} condition waits, at most 20 s, until it is so */
export async function until(condition) {
  for (let i = 0; !condition(); i++) {
    if (i === 2000) throw new Error(`still not so after 20 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
