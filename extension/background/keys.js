// What the plugin remembers between two lives of the worker: one pairing, in IndexedDB. The private key is a CryptoKey
// that cannot be exported; IndexedDB keeps it as an object, so its bytes are never seen by any script.

/** @typedef {import("../types").KeyStore} KeyStore */
/** @typedef {import("../types").Pairing} Pairing */

const STORE = "memory";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("eid-agent", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * One transaction; resolves when it is on the disk.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T> | void} act
 * @returns {Promise<T | undefined>}
 */
async function transaction(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const change = database.transaction(STORE, mode);
      const request = act(change.objectStore(STORE));
      change.oncomplete = () => resolve(request?.result);
      change.onerror = change.onabort = () => reject(change.error);
    });
  } finally {
    database.close();
  }
}

/** @type {KeyStore} */
export const keyStore = {
  async load() {
    /** @type {Pairing | undefined} */
    const pairing = await transaction("readonly", (store) => store.get("pairing"));
    return pairing ?? null;
  },
  async save(pairing) {
    await transaction("readwrite", (store) => {
      store.put(pairing, "pairing");
      store.delete("ended");
    });
  },
  async moved(keyid, port) {
    await transaction("readwrite", (store) => {
      const request = store.get("pairing");
      request.onsuccess = () => request.result?.keyid === keyid && store.put({ ...request.result, port }, "pairing");
    });
  },
  async forget(byPerson) {
    await transaction("readwrite", (store) => {
      store.delete("pairing");
      if (byPerson) store.put(true, "ended");
    });
  },
  async endedByPerson() {
    return (await transaction("readonly", (store) => store.get("ended"))) === true;
  },
};
