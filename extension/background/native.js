// The agent's native messaging host: finds or starts the daemon, and registers our key without a person comparing digits.
// The browser lets no other extension speak to it. It says its version first, then takes one command and answers once.

import { EidError } from "./errors.js";

const HOST = "eid_agent.plugin";
/** It may have to start the daemon and wait until it listens. */
const PATIENCE = 20_000;

/** Why it could not be started names files of the person's, and pages are told what an error says. @param {unknown} words */
function notStarted(words) {
  console.warn("The identity agent could not be started:", words);
  return new EidError("no_agent", undefined, { cause: words });
}

/**
 * @param {"locate" | "pair"} command
 * @param {Record<string, unknown>} args
 * @returns {Promise<Record<string, unknown> | null>} its reply, or null if the host is not installed or not ours to use
 */
export function askNativeHost(command, args) {
  return new Promise((resolve, reject) => {
    const port = chrome.runtime.connectNative(HOST);
    let greeted = false;
    const timer = setTimeout(() => end(() => resolve(null)), PATIENCE);

    /** @param {() => void} settle */
    function end(settle) {
      clearTimeout(timer);
      port.disconnect();
      settle();
    }
    port.onDisconnect.addListener(() => {
      void chrome.runtime.lastError; // read, so that the browser does not report it as unhandled
      end(() => resolve(null));
    });
    port.onMessage.addListener((/** @type {unknown} */ message) => {
      const reply = /** @type {Record<string, any>} */ (message ?? {});
      if (!greeted) {
        greeted = true;
        port.postMessage({ command, arguments: args });
      } else if (reply.error !== undefined) {
        const { code, message: words } = reply.error ?? {};
        end(() => reject(code === "agent_unavailable" ? notStarted(words) : new EidError(String(code), words)));
      } else {
        end(() => resolve(reply));
      }
    });
  });
}
