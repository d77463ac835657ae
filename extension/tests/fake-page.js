// A page as content.js and the page library see it: a window whose messages arrive later and in order, the plugin's
// runtime with ports, and a clock that stands still until it is told to go on.
import { readFileSync } from "node:fs";
import vm from "node:vm";
import { webcrypto } from "node:crypto";

const CONTENT = readFileSync(new URL("../content.js", import.meta.url), "utf8");

/** Lets everything happen that waits for a promise. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Timers that fire when `advance` comes by. */
function fakeClock() {
  let now = 1_000_000;
  let serial = 0;
  /** @type {Map<number, { at: number, every: number | undefined, run: () => void }>} */
  const timers = new Map();
  const add = (/** @type {() => void} */ run, /** @type {number} */ delay, /** @type {number | undefined} */ every) => {
    timers.set(++serial, { at: now + Math.max(0, delay), every, run });
    return serial;
  };
  return {
    now: () => now,
    setTimeout: (/** @type {() => void} */ run, delay = 0) => add(run, delay, undefined),
    setInterval: (/** @type {() => void} */ run, /** @type {number} */ delay) => add(run, delay, delay),
    clear: (/** @type {any} */ id) => void timers.delete(id),
    /** What no throttling of timers delays. @param {() => void} run @param {number} delay */
    add: (run, delay) => void add(run, delay, undefined),
    /** Timers still to come. */
    pending: () => timers.size,
    /** @param {number} ms */
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (!due) break;
        const [id, timer] = due;
        now = Math.max(now, timer.at);
        if (timer.every === undefined) timers.delete(id);
        else timer.at += timer.every;
        timer.run();
        await settle();
      }
      now = until;
    },
  };
}

/** One event's listeners, as `chrome.*` has them. */
function fakeEvent() {
  /** @type {Set<Function>} */
  const listeners = new Set();
  return {
    addListener: (/** @type {Function} */ listener) => void listeners.add(listener),
    fire: (/** @type {unknown[]} */ ...args) => [...listeners].forEach((listener) => listener(...args)),
  };
}

/**
 * @typedef {object} WorkerPort what the worker holds of one call
 * @property {any[]} said what the content script sent, pings apart
 * @property {number} pings
 * @property {boolean} closed by the content script
 * @property {(body: object) => void} tell
 * @property {() => void} drop the browser closes the port: the worker was stopped
 */

/**
 * @param {{ origin?: string, secure?: boolean, hidden?: boolean, ancestors?: string[] }} [options]
 */
export function fakePage({ origin = "https://portal.example", secure = true, hidden = false, ancestors } = {}) {
  const clock = fakeClock();
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  /** Every message posted in this window, with the target it was posted to. @type {{ data: any, target: string }[]} */
  const posted = [];
  const heard = (/** @type {string} */ type, /** @type {object} */ event) =>
    [...(listeners.get(type) ?? [])].forEach((listener) => listener(event));
  const location = { origin: origin === "null" ? "https://framed.example" : origin, ancestorOrigins: ancestors };
  const document = { hidden };
  /** @type {any} */
  const window = {
    origin,
    isSecureContext: secure,
    location,
    document,
    /** What `reportError` was given. @type {unknown[]} */
    reported: [],
    reportError: (/** @type {unknown} */ error) => void window.reported.push(error),
    setTimeout: clock.setTimeout,
    setInterval: clock.setInterval,
    clearTimeout: clock.clear,
    clearInterval: clock.clear,
    addEventListener(/** @type {string} */ type, /** @type {Function} */ listener) {
      if (!listeners.has(type)) listeners.set(type, new Set());
      listeners.get(type)?.add(listener);
    },
    removeEventListener: (/** @type {string} */ type, /** @type {Function} */ listener) =>
      void listeners.get(type)?.delete(listener),
    postMessage(/** @type {unknown} */ body, /** @type {string} */ target) {
      if (target !== "*") new URL(target);
      const data = structuredClone(body);
      posted.push({ data, target });
      if (target !== "*" && target !== origin) return;
      clock.setTimeout(() => heard("message", { isTrusted: true, data, source: window, origin }));
    },
  };
  window.top = ancestors ? {} : window;

  /** @type {WorkerPort[]} */
  const ports = [];
  /** The next connects are dropped at once, so many times. */
  let broken = 0;
  const runtime = {
    /** @type {string | undefined} */
    id: "hjfdfdakhehfniplhfahbkpmaihikgao",
    connect(/** @type {{ name: string }} */ { name }) {
      if (!runtime.id) throw new Error("Extension context invalidated.");
      const onMessage = fakeEvent();
      const onDisconnect = fakeEvent();
      let connected = true;
      /** @type {WorkerPort} */
      const side = {
        said: [],
        pings: 0,
        closed: false,
        tell: (body) => void (connected && onMessage.fire(structuredClone(body))),
        drop() {
          if (!connected) return;
          connected = false;
          onDisconnect.fire();
        },
      };
      if (name === "call") ports.push(side);
      if (broken > 0) {
        broken--;
        clock.setTimeout(() => side.drop());
      }
      return {
        name,
        onMessage,
        onDisconnect,
        postMessage(/** @type {any} */ body) {
          if (!connected) throw new Error("Attempting to use a disconnected port object");
          const sent = structuredClone(body);
          if (sent.ping) side.pings++;
          else side.said.push(sent);
        },
        disconnect() {
          connected = false;
          side.closed = true;
        },
      };
    },
  };

  const world = vm.createContext({
    window,
    document,
    location,
    chrome: { runtime },
    crypto: webcrypto,
    Date: { now: clock.now },
    setTimeout: clock.setTimeout,
    setInterval: clock.setInterval,
    clearTimeout: clock.clear,
    clearInterval: clock.clear,
    // A message in a channel takes a millisecond, whether the page is hidden or not.
    MessageChannel: class {
      port1 = { onmessage: () => {}, close: () => void (this.port1.onmessage = () => {}) };
      port2 = { postMessage: () => void clock.add(() => this.port1.onmessage(), 1) };
    },
  });

  return {
    window,
    clock,
    posted,
    ports,
    /** Injects the content script; again is the same world, as in a browser. */
    inject: () => vm.runInContext(CONTENT, world),
    /** @param {object} data */
    post: (data) => window.postMessage(data, "*"),
    /** Of all that was posted. @param {(data: any) => boolean} of */
    told: (of) => posted.map(({ data }) => data).filter(of),
    /** The port of the newest call. */
    port: () => /** @type {WorkerPort} */ (ports.at(-1)),
    /** A message event as the browser would make it, from any window. @param {object} event */
    dispatch: (event) => heard("message", event),
    leave: () => heard("pagehide", {}),
    comeBack: () => heard("pageshow", {}),
    /** The plugin is updated or switched off; its ports in pages are told nothing of it. */
    invalidate: () => void (runtime.id = undefined),
    /** @param {number} times */
    breakWorker: (times) => void (broken = times),
  };
}
