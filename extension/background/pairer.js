// When to pair, and how: silently where the native host is there and the person did not end the last pairing themselves,
// else in a window of the plugin's own, of which there is one at a time.

import { EidError } from "./errors.js";
import { pairByDigits, pairByNativeHost } from "./pairing.js";

/** @typedef {import("../types").PairState} PairState */
/** @typedef {import("./agent.js").Agent} Agent */

/**
 * The pairing window, as the browser shows it; it begins an attempt when it is opened, or begun anew.
 * @typedef {{ open(): Promise<number>, show(id: number): Promise<boolean>, beginAnew(id: number): Promise<void> }} Windows
 */

/** After the person closed the window, no page opens it again for so many milliseconds. */
const REST = 10_000;

export class Pairer {
  /** @type {Promise<void> | undefined} */
  #pairing;
  /** @type {Promise<boolean> | undefined} */
  #silent;
  /** Attempts of the window that go on. */
  #attempts = 0;
  /** Settles what waits for the window. @type {{ resolve(): void, reject(error: unknown): void } | undefined} */
  #waiting;
  /** @type {number | undefined} */
  #window;
  #closed = -Infinity;

  /** @param {{ agent: Agent, name: string, windows: Windows }} parts `name`: what the plugin calls itself */
  constructor({ agent, name, windows }) {
    this.agent = agent;
    this.name = name;
    this.windows = windows;
  }

  /**
   * Resolves when the plugin is paired. All who ask meanwhile wait for the same attempt.
   * @param {{ byPerson: boolean, signal?: AbortSignal }} how `byPerson`: they pressed a button of the plugin, no page asks
   */
  async ensure({ byPerson, signal }) {
    this.#pairing ??= this.#pair(byPerson).finally(() => (this.#pairing = undefined));
    await untilAborted(this.#pairing, signal);
  }

  /**
   * Pairs if nothing has to be asked for it: by the native host, unless the person ended the last pairing.
   * @param {boolean} [byPerson]
   * @returns {Promise<boolean>} whether it did
   */
  async silently(byPerson = false) {
    if (!byPerson && (await this.agent.store.endedByPerson())) return false;
    this.#silent ??= pairByNativeHost(this.agent, this.name).finally(() => (this.#silent = undefined));
    return this.#silent;
  }

  /** @param {boolean} byPerson */
  async #pair(byPerson) {
    if (await this.silently(byPerson)) return;
    if (!byPerson && Date.now() - this.#closed < REST) throw new EidError("not_paired");
    const outcome = new Promise((/** @type {(value: void) => void} */ resolve, reject) => (this.#waiting = { resolve, reject }));
    this.#window = await this.#showWindow();
    await outcome.finally(() => (this.#waiting = undefined));
  }

  /** The window may be open already: of an attempt that is over, or of a worker that was stopped. */
  async #showWindow() {
    const { pairWindow } = await chrome.storage.session.get("pairWindow");
    if (typeof pairWindow === "number" && (await this.windows.show(pairWindow))) {
      if (this.#attempts === 0) await this.windows.beginAnew(pairWindow);
      return pairWindow;
    }
    const id = await this.windows.open();
    await chrome.storage.session.set({ pairWindow: id });
    return id;
  }

  /** @param {number} id of a browser window that was closed */
  windowClosed(id) {
    if (id !== this.#window) return;
    this.#window = undefined;
    if (this.#waiting === undefined) return; // its attempt was over
    this.#closed = Date.now();
    this.#waiting.reject(new EidError("not_paired"));
  }

  /**
   * One attempt by digits, for the window.
   * @param {AbortSignal} signal
   * @param {(state: PairState) => void} tell
   * @param {Promise<void>} agreed the person pressed "It is the same" there
   */
  async byDigits(signal, tell, agreed) {
    this.#attempts++;
    try {
      await pairByDigits(this.agent, this.name, signal, tell, agreed);
      this.#waiting?.resolve();
    } catch (error) {
      if (!signal.aborted) tell({ stage: "failed", error: EidError.of(error).toMessage() });
    } finally {
      this.#attempts--;
    }
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) reject(new EidError("aborted"));
    signal?.addEventListener("abort", () => reject(new EidError("aborted")), { once: true });
    promise.then(resolve, reject);
  });
}
