// The bridge between a page and the plugin's worker: a classic script that needs no other file.
//
// It speaks two protocols with the page, both over window.postMessage:
//   - the page API (page-api/index.js): messages addressed by `to`, told apart by `id`;
//   - Web eID, as web-eid.js speaks it: `web-eid:<action>`, answered by `-ack` and then `-success` or `-failure`.
// It decides nothing: who is asking, and whether they may, the worker takes from the browser. What it does decide is
// when to be silent, and it sends nothing that it would itself take for a request.
"use strict";
(() => {
  /** @typedef {import("./types-pages").Answer} Answer */
  /** @typedef {import("./types-pages").CallError} CallError */
  /** @typedef {import("./types-pages").CallHooks} CallHooks */
  /** @typedef {import("./types-pages").Fault} Fault */
  /** @typedef {import("./types").CallName} CallName */
  /** @typedef {Record<string, unknown>} Members */

  // Registered and injected: the first one goes on. (Pages do not see this object; it is the plugin's own world.)
  const world = /** @type {{ eidAgentBridge?: boolean }} */ (globalThis);
  if (world.eidAgentBridge) return;
  world.eidAgentBridge = true;

  /** Milliseconds. An idle worker is stopped after 30 s; the ping keeps it while a person thinks. */
  const PING = 20_000;
  /** How often a call looks whether the plugin is still there: of an update, browsers tell its ports nothing. */
  const WATCH = 1_000;
  /**
   * Waits before the port is opened again, milliseconds; the agent keeps an operation for 10 s without its caller.
   * Never at once: Chromium may hang when a worker is to start while its last life is still ending.
   */
  const RECONNECT = [200, 200, 300, 1_000, 3_000];
  /** A port that lived so long, in milliseconds, has cost none of these. */
  const LASTING = 10_000;
  /** A call of the page API: pairing and operation have 120 s each. */
  const CONFIRM_LIMIT = 300_000;
  const STATUS_LIMIT = 10_000;
  /** Calls of one document at once. */
  const MOST_CALLS = 4;

  /** How long another Web eID extension has to acknowledge before this one does; web-eid.js waits 1,000 ms. */
  const HOLD = 150;
  /** The same in a hidden page, where a timer of HOLD comes up to a second late: turns of the event loop pass meanwhile. */
  const HIDDEN_HOLD = 50;
  /** The same where one has answered before, and for a bridge that was left behind by an update. */
  const LONG_HOLD = 500;
  const WEB_EID_STATUS_LIMIT = 5_000;
  const WEB_EID_USER_LIMIT = 120_000;

  const RELOAD = "The plugin was updated or switched off after this page was opened: reload the page.";

  // ---- What is said to the page -----------------------------------------------------------------------------------

  /** What a page that was left is told if it comes back from the cache; said earlier, Firefox loses it. @type {(() => void)[] | null} */
  let unsaid = null;

  /** @param {Members} message @param {string} origin */
  function post(message, origin) {
    const say = () => window.postMessage(message, origin === "null" ? "*" : origin);
    if (unsaid) unsaid.push(say);
    else say();
  }

  // ---- One call to the worker -------------------------------------------------------------------------------------

  /** Calls that are not over. @type {Set<(fault: Fault) => void>} */
  const open = new Set();

  /** False once the plugin was updated, switched off or removed: nothing can be asked from here any more. */
  function alive() {
    try {
      return Boolean(chrome.runtime?.id);
    } catch {
      return false;
    }
  }

  /**
   * Asks the worker. When the browser stops the worker in the middle, the same message with the same id goes to the
   * next one, and the same operation goes on.
   *
   * @param {CallName} call
   * @param {Members} args
   * @param {CallHooks} hooks
   * @returns {() => void} stops the call without an answer; the agent's window closes
   */
  function ask(call, args, hooks) {
    /** @type {import("./types").CallMessage} */
    const message = { call, id: crypto.randomUUID(), arguments: args };
    if (window !== window.top && location.ancestorOrigins) message.ancestors = [...location.ancestorOrigins];
    /** @type {chrome.runtime.Port | null} */
    let port = null;
    let since = 0;
    let failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let again;
    const pings = setInterval(() => send({ ping: true }), PING);
    const watch = setInterval(() => alive() || fail("updated"), WATCH);
    const deadline = setTimeout(() => fail("late"), hooks.limit);
    open.add(fail);
    connect();
    return () => end();

    /** @param {Answer} [answer] */
    function end(answer) {
      if (!open.delete(fail)) return;
      clearInterval(pings);
      clearInterval(watch);
      clearTimeout(deadline);
      clearTimeout(again);
      try {
        port?.disconnect();
      } catch {
        // It was closed with the plugin.
      }
      port = null;
      if (answer) hooks.end(answer);
    }

    /** @param {Fault} fault */
    function fail(fault) {
      end({ error: hooks.faults[fault] });
    }

    /** @param {object} body */
    function send(body) {
      try {
        port?.postMessage(body);
      } catch {
        // onDisconnect tells.
      }
    }

    function connect() {
      if (!open.has(fail)) return;
      try {
        port = chrome.runtime.connect({ name: "call" });
      } catch {
        return fail("updated");
      }
      since = Date.now();
      port.onMessage.addListener((/** @type {Members} */ said) => {
        if (typeof said.progress === "string") hooks.progress?.(/** @type {any} */ (said.progress));
        else if (said.result !== undefined || said.error !== undefined) end(/** @type {Answer} */ (said));
      });
      port.onDisconnect.addListener(lost);
      send(message);
    }

    function lost() {
      void chrome.runtime?.lastError;
      port = null;
      if (!open.has(fail)) return;
      if (!alive()) return fail("updated");
      if (Date.now() - since >= LASTING) failures = 0;
      const wait = RECONNECT[failures++];
      if (wait === undefined) return fail("silent");
      again = setTimeout(connect, wait);
    }
  }

  // ---- The page API -----------------------------------------------------------------------------------------------

  /** The calls a page may name, and what it may say with them. @type {Map<string, { members: string[], limit: number }>} */
  const CALLS = new Map([
    ["status", { members: [], limit: STATUS_LIMIT }],
    ["confirm", { members: ["challenge", "format", "purpose", "detached", "holder_signature"], limit: CONFIRM_LIMIT }],
  ]);

  /** @type {Record<Fault, CallError>} */
  const FAULTS = {
    late: { code: "expired", message: "The plugin gave no answer in time.", retryable: true },
    updated: { code: "old_plugin", message: RELOAD, retryable: false },
    silent: { code: "internal", message: "The plugin's worker does not stay up; try again once.", retryable: true },
    hidden: { code: "aborted", message: "The page was left.", retryable: false },
  };

  /** The page's ids: how to stop the call, or null when it is over. @type {Map<string, (() => void) | null>} */
  const known = new Map();
  let confirming = false;

  /** @param {string} id @param {string} origin @param {Members} body */
  function tellPage(id, origin, body) {
    // A frame with an opaque origin cannot be addressed: it gets errors and nothing else.
    if (origin === "null" && body.error === undefined) return;
    post({ eidAgent: 1, to: "page", id, ...body }, origin);
  }

  /** @param {Members} data @param {string} origin */
  function onPageApi(data, origin) {
    const { id, call } = data;
    if (typeof id !== "string" || id.length < 1 || id.length > 64 || typeof call !== "string") return;
    const tell = (/** @type {Members} */ body) => tellPage(id, origin, body);
    if (call === "abort") return abort(id, tell);
    if (call === "ping") return ping(id, tell);
    if (known.has(id)) return known.get(id) ? tell({ ack: true }) : undefined;
    if (!alive()) return leaveToSuccessor(id, tell);
    tell({ ack: true });
    const refusal = refuse(call, origin);
    if (refusal) return finish(id, tell, { error: { retryable: false, ...refusal } });
    const { members, limit } = /** @type {{ members: string[], limit: number }} */ (CALLS.get(call));
    if (call === "confirm") confirming = true;
    // Before asking: the answer may be there at once.
    known.set(id, () => {});
    const stop = ask(/** @type {CallName} */ (call), pick(data.arguments, members), {
      faults: FAULTS,
      limit,
      progress: (stage) => tell({ progress: stage }),
      end: (answer) => {
        if (call === "confirm") confirming = false;
        finish(id, tell, answer);
      },
    });
    if (!known.get(id)) return;
    known.set(id, () => {
      if (call === "confirm") confirming = false;
      stop();
    });
  }

  /** @param {string} call @param {string} origin @returns {CallError | undefined} */
  function refuse(call, origin) {
    if (origin === "null") {
      return { code: "frame_not_allowed", message: "This frame is sandboxed and has no origin; add allow-same-origin." };
    }
    if (!window.isSecureContext) {
      return { code: "insecure_context", message: "The page and all frames around it must come over https." };
    }
    if (!CALLS.has(call)) {
      return { code: "old_plugin", message: "This plugin does not know the call; update the plugin." };
    }
    if ((call === "confirm" && confirming) || open.size >= MOST_CALLS) {
      return { code: "pending", message: "Another call of this page is not over yet." };
    }
    return undefined;
  }

  /** @param {string} id @param {(body: Members) => void} tell @param {Answer} answer */
  function finish(id, tell, answer) {
    known.delete(id);
    known.set(id, null);
    for (const [old, stop] of known) {
      if (known.size <= 64) break;
      if (!stop) known.delete(old);
    }
    tell(answer.error === undefined ? { result: answer.result } : { error: answer.error });
  }

  /** @param {string} id @param {(body: Members) => void} tell */
  function abort(id, tell) {
    const stop = known.get(id);
    if (!stop) return;
    stop();
    finish(id, tell, { error: { code: "aborted", message: "The page ended the call.", retryable: false } });
  }

  /** The page asks whether its call is still being worked on. @param {string} id @param {(body: Members) => void} tell */
  function ping(id, tell) {
    if (known.get(id)) tell({ ack: true });
    else if (!known.has(id) && alive()) {
      tell({ error: { code: "internal", message: "The plugin was started anew meanwhile; try again.", retryable: true } });
    }
  }

  /** Left behind by an update: says so, unless a newer bridge in this page acknowledges. @type {Set<string>} */
  const left = new Set();

  /** @param {string} id @param {(body: Members) => void} tell */
  function leaveToSuccessor(id, tell) {
    if (left.has(id)) return;
    left.add(id);
    setTimeout(() => {
      if (left.delete(id)) finish(id, tell, { error: FAULTS.updated });
    }, LONG_HOLD);
  }

  // ---- Web eID ----------------------------------------------------------------------------------------------------

  /** The requests there are, and what a page may say with them. @type {Map<string, string[]>} */
  const ACTIONS = new Map([
    ["web-eid:status", []],
    ["web-eid:authenticate", ["challengeNonce"]],
    ["web-eid:get-signing-certificate", []],
    ["web-eid:sign", ["certificate", "hash", "hashFunction"]],
  ]);
  const ACKS = new Map([...ACTIONS.keys()].map((action) => [`${action}-ack`, action]));

  /** @type {Record<Fault, CallError>} */
  const WEB_EID_FAULTS = {
    late: {
      code: "ERR_WEBEID_USER_TIMEOUT",
      name: "UserTimeoutError",
      message: "user failed to respond in time",
      reason: "expired",
    },
    updated: {
      code: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
      name: "ExtensionUnavailableError",
      message: RELOAD,
      reason: "old_plugin",
    },
    silent: {
      code: "ERR_WEBEID_UNKNOWN_ERROR",
      name: "UnknownError",
      message: FAULTS.silent.message,
      reason: "internal",
    },
    hidden: {
      code: "ERR_WEBEID_USER_CANCELLED",
      name: "UserCancelledError",
      message: FAULTS.hidden.message,
      reason: "aborted",
    },
  };

  /** @type {Record<Fault, CallError>} */
  const WEB_EID_STATUS_FAULTS = {
    ...WEB_EID_FAULTS,
    late: {
      code: "ERR_WEBEID_NATIVE_UNAVAILABLE",
      name: "NativeUnavailableError",
      message: "the identity agent did not answer in time",
      reason: "no_agent",
    },
  };

  /** Requests waiting for a foreign acknowledgement: how to stop waiting, and the action. @type {Map<() => void, string>} */
  const held = new Map();
  /** Calls that go on, by action; Web eID has no other name for them. @type {Map<string, () => void>} */
  const running = new Map();
  /** Our own acknowledgements that have not come by here yet. @type {Map<string, number>} */
  const owed = new Map();
  /** Whether another extension answers Web eID in this document. */
  let foreign = false;
  /** @type {Set<string>} */
  const warned = new Set();

  /** @param {string} action @param {Members} data @param {string} origin */
  function onWebEid(action, data, origin) {
    const take = () => {
      held.delete(stop);
      foreign = false;
      takeWebEid(action, data, origin);
    };
    const long = foreign || !alive();
    const stop = document.hidden && !long ? turns(take, HIDDEN_HOLD) : later(take, long ? LONG_HOLD : HOLD);
    held.set(stop, action);
  }

  /** @param {() => void} then @param {number} ms @returns {() => void} stops it */
  function later(then, ms) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  }

  /** The same without a timer: a hidden page's come a second late. @param {() => void} then @param {number} ms @returns {() => void} */
  function turns(then, ms) {
    const end = Date.now() + ms;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      if (Date.now() < end) return port2.postMessage(null);
      port1.close();
      then();
    };
    port2.postMessage(null);
    return () => port1.close();
  }

  /** Nobody else answers: this plugin does. @param {string} action @param {Members} data @param {string} origin */
  function takeWebEid(action, data, origin) {
    owed.set(action, (owed.get(action) ?? 0) + 1);
    post({ action: `${action}-ack` }, origin);
    const end = (/** @type {Answer} */ answer) => {
      running.delete(action);
      const message = answer.error
        ? { action: `${action}-failure`, error: answer.error }
        : { .../** @type {Members} */ (answer.result), action: `${action}-success` };
      post(message, origin);
    };
    const refusal = refuseWebEid(action, origin);
    if (refusal) return post({ action: `${action}-failure`, error: refusal }, origin);
    const options = /** @type {Members} */ (isObject(data.options) ? data.options : {});
    warn(data, options, origin);
    running.set(action, () => {});
    const status = action === "web-eid:status";
    const stop = ask(/** @type {CallName} */ (action), pick(data, [...(ACTIONS.get(action) ?? []), "libraryVersion"]), {
      faults: status ? WEB_EID_STATUS_FAULTS : WEB_EID_FAULTS,
      limit: status ? WEB_EID_STATUS_LIMIT : userLimit(options),
      end,
    });
    if (running.has(action)) running.set(action, stop);
  }

  /** @param {string} action @param {string} origin @returns {CallError | undefined} */
  function refuseWebEid(action, origin) {
    if (origin === "null" || !window.isSecureContext) {
      const reason = origin === "null" ? "frame_not_allowed" : "insecure_context";
      const message =
        origin === "null" ? "A sandboxed frame without an origin cannot use Web eID" : "Secure context required";
      return { code: "ERR_WEBEID_CONTEXT_INSECURE", name: "ContextInsecureError", message, reason };
    }
    if (!alive()) return WEB_EID_FAULTS.updated;
    if (running.has(action) || open.size >= MOST_CALLS) {
      return {
        code: "ERR_WEBEID_ACTION_PENDING",
        name: "ActionPendingError",
        message: "same action for Web-eID browser extension is already pending",
        reason: "pending",
      };
    }
    return undefined;
  }

  /** Another extension answers this action: whatever we had begun for it ends without a word. @param {string} action */
  function yieldTo(action) {
    foreign = true;
    for (const [stop, waiting] of held) {
      if (waiting !== action) continue;
      stop();
      held.delete(stop);
    }
    running.get(action)?.();
    running.delete(action);
  }

  /** @param {string} action */
  function onWebEidAck(action) {
    const own = owed.get(action) ?? 0;
    if (own > 0) owed.set(action, own - 1);
    else yieldTo(action);
  }

  /** The page's bound for the person's answer, in milliseconds. @param {Members} options */
  function userLimit({ userInteractionTimeout: wish }) {
    return typeof wish === "number" && wish > 0 ? Math.min(wish, CONFIRM_LIMIT) : WEB_EID_USER_LIMIT;
  }

  /** Tells the site's developers, once each, what they should mend. @param {Members} data @param {Members} options @param {string} origin */
  function warn(data, options, origin) {
    const wish = options.userInteractionTimeout;
    const warnings = [];
    if (typeof data.libraryVersion !== "string") warnings.push("Web eID: the request has no libraryVersion.");
    if (wish !== undefined && !(typeof wish === "number" && wish > 0)) {
      warnings.push("Web eID: options.userInteractionTimeout is not a positive number of milliseconds; 2 minutes are taken.");
    } else if (typeof wish === "number" && wish > WEB_EID_USER_LIMIT) {
      warnings.push("Web eID: the identity agent waits for the person 2 minutes, whatever userInteractionTimeout says.");
    }
    const fresh = warnings.filter((text) => !warned.has(text));
    for (const text of fresh) warned.add(text);
    if (fresh.length > 0) post({ action: "web-eid:warning", warnings: fresh }, origin);
  }

  // ---- The door ---------------------------------------------------------------------------------------------------

  /** @param {unknown} value @returns {value is Members} */
  function isObject(value) {
    return typeof value === "object" && value !== null;
  }

  /** The named members that are plain values: nothing else of the page's goes further. @param {unknown} from @param {string[]} names */
  function pick(from, names) {
    /** @type {Members} */
    const picked = {};
    if (!isObject(from)) return picked;
    for (const name of names) {
      if (["string", "boolean", "number"].includes(typeof from[name])) picked[name] = from[name];
    }
    return picked;
  }

  window.addEventListener("message", (event) => {
    const data = /** @type {unknown} */ (event.data);
    // An event that a script made names any origin and source it likes: a message is the browser's.
    if (!event.isTrusted || event.source !== window || !isObject(data)) return;
    if (data.eidAgent === 1) {
      if (data.to === "plugin") onPageApi(data, event.origin);
      else if (data.to === "page" && typeof data.id === "string") left.delete(data.id);
      return;
    }
    const { action } = data;
    if (typeof action !== "string") return;
    if (ACTIONS.has(action)) onWebEid(action, data, event.origin);
    else if (ACKS.has(action)) onWebEidAck(/** @type {string} */ (ACKS.get(action)));
  });

  // The page is left, or kept for the back button: nobody is there to answer to, and no window may stay.
  window.addEventListener("pagehide", () => {
    unsaid ??= [];
    for (const stop of held.keys()) stop();
    held.clear();
    for (const fail of [...open]) fail("hidden");
  });
  window.addEventListener("pageshow", () => {
    const late = unsaid ?? [];
    unsaid = null;
    for (const say of late) say();
  });
})();
