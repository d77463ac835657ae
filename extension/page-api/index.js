// What a portal's page calls to have a person confirm who they are, through the identity agent's browser plugin.
// No dependencies, no network: everything goes over window.postMessage to the plugin's script in the same window.

/** The version of this library. It speaks to every plugin of the same message version (`eidAgent: 1`). */
export const VERSION = "0.4.0";

/** Milliseconds a plugin has to say that it is there. */
const ACK_TIMEOUT = 1_000;
/** A plugin may be a moment younger than the page: the call is said again after so many milliseconds each. */
const REPEAT = 200;
/** While a call goes on, the plugin is asked every so many milliseconds whether it is still there. */
const HEARTBEAT = 15_000;
/** The plugin ends every call in 300 s; this bound is for a plugin that is broken. */
const CONFIRM_TIMEOUT = 310_000;
const STATUS_TIMEOUT = 10_000;

/** A call that did not succeed. Decide by `code`, never by `message`. */
export class EidError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message for developers, in English and no fixed words
   * @param {{ retryable?: boolean, triesLeft?: number, cause?: unknown }} [more]
   */
  constructor(code, message, more = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "EidError";
    /** @type {ErrorCode} */
    this.code = code;
    /** The same call may succeed later with nothing changed by the page. */
    this.retryable = more.retryable ?? false;
    /** PIN tries left, where the token tells it. @type {number | undefined} */
    this.triesLeft = more.triesLeft;
  }
}

/**
 * Says what is there. Nobody is asked, no window opens.
 *
 * @param {{ timeout?: number }} [options] `timeout`: milliseconds until it rejects in any case, 10,000 by default
 * @returns {Promise<Status>} rejects with `no_plugin` within a second when no plugin answers on this page
 */
export function status({ timeout = STATUS_TIMEOUT } = {}) {
  return /** @type {Promise<Status>} */ (call("status", {}, { timeout }));
}

/**
 * Has the person confirm who they are: the agent's own window names this site and takes the PIN.
 *
 * @param {ConfirmOptions} options
 * @returns {Promise<Confirmation>} rejects with an {@link EidError}, and always within about five minutes
 */
export async function confirm(options) {
  const { challenge, format = "jws", purpose = "confirm_identity", detached, holderSignature, onProgress, signal } = options ?? {};
  if (typeof challenge !== "string") throw new EidError("invalid_field", "challenge must be a string from your server");
  const args = {
    challenge,
    format: String(format),
    purpose: String(purpose),
    ...(detached === undefined ? {} : { detached: Boolean(detached) }),
    ...(holderSignature === undefined ? {} : { holder_signature: Boolean(holderSignature) }),
  };
  const result = await call("confirm", args, { timeout: CONFIRM_TIMEOUT, onProgress, signal });
  const { proof, test } = /** @type {Partial<Confirmation>} */ (result ?? {});
  if (!proof) throw new EidError("internal", "the plugin answered without a proof");
  return { proof, test: test === true };
}

/**
 * One call: said until it is acknowledged, then watched until its end.
 *
 * @param {string} name
 * @param {object} args
 * @param {{
 *   timeout: number,
 *   onProgress?: ((stage: Progress) => void) | undefined,
 *   signal?: AbortSignal | undefined,
 * }} options
 * @returns {Promise<unknown>}
 */
function call(name, args, { timeout, onProgress, signal }) {
  const unfit = unfitness();
  if (unfit) return Promise.reject(unfit);
  if (signal?.aborted) return Promise.reject(aborted(signal));
  return new Promise((resolve, reject) => {
    const id = crypto.randomUUID();
    let acknowledged = false;
    let answered = true;
    const say = (/** @type {string} */ what, /** @type {object} */ more) =>
      window.postMessage({ eidAgent: 1, to: "plugin", id, call: what, ...more }, location.origin);
    const repeat = window.setInterval(() => say(name, { arguments: args }), REPEAT);
    const unheard = window.setTimeout(() => fail("no_plugin", "no plugin answers on this page"), ACK_TIMEOUT);
    const late = window.setTimeout(giveUp, timeout);
    const heartbeat = window.setInterval(beat, HEARTBEAT);
    window.addEventListener("message", hear);
    signal?.addEventListener("abort", abort);
    say(name, { arguments: args });

    function end() {
      window.clearInterval(repeat);
      window.clearTimeout(unheard);
      window.clearTimeout(late);
      window.clearInterval(heartbeat);
      window.removeEventListener("message", hear);
      signal?.removeEventListener("abort", abort);
    }

    /** @param {ErrorCode} code @param {string} message @param {ConstructorParameters<typeof EidError>[2]} [more] */
    function fail(code, message, more) {
      end();
      reject(new EidError(code, message, more));
    }

    function abort() {
      say("abort", {});
      end();
      reject(aborted(/** @type {AbortSignal} */ (signal)));
    }

    function giveUp() {
      if (!acknowledged) return fail("no_plugin", "no plugin answers on this page");
      say("abort", {});
      fail("expired", "the plugin gave no answer in time", { retryable: true });
    }

    function beat() {
      if (!answered) return fail("no_plugin", "the plugin went away in the middle of the call", { retryable: true });
      answered = false;
      say("ping", {});
    }

    /** @param {MessageEvent} event */
    function hear(event) {
      const said = event.data;
      if (event.source !== window || said?.eidAgent !== 1 || said.to !== "page" || said.id !== id) return;
      answered = true;
      if (!acknowledged) {
        acknowledged = true;
        window.clearInterval(repeat);
        window.clearTimeout(unheard);
      }
      if (said.error !== undefined) {
        const { code, message, retryable, triesLeft } = said.error ?? {};
        fail(String(code ?? "internal"), String(message ?? "no reason was given"), {
          retryable: retryable === true,
          ...(typeof triesLeft === "number" ? { triesLeft } : {}),
        });
      } else if (said.result !== undefined) {
        end();
        resolve(said.result);
      } else if (typeof said.progress === "string") {
        tell(onProgress, said.progress);
      }
    }
  });
}

/** What of the page itself makes every call fail. @returns {EidError | undefined} */
function unfitness() {
  if (typeof window === "undefined") return new EidError("no_plugin", "this is no browser window");
  if (!window.isSecureContext) {
    return new EidError("insecure_context", "the page, and every frame around it, must come over https");
  }
  if (window.origin === "null") {
    return new EidError("frame_not_allowed", "a sandboxed frame without allow-same-origin has no origin to confirm for");
  }
  return undefined;
}

/** @param {AbortSignal} signal */
function aborted(signal) {
  return new EidError("aborted", "the page ended the call", { cause: signal.reason });
}

/** The page's own fault in `onProgress` is the page's to see, and ends nothing. @param {((stage: Progress) => void) | undefined} onProgress @param {Progress} stage */
function tell(onProgress, stage) {
  try {
    onProgress?.(stage);
  } catch (error) {
    window.reportError(error);
  }
}

/**
 * Why a call did not succeed. The README says of each what to tell the person.
 *
 * The first ten are this library's and the plugin's, the others the agent's. Later versions may have more; what is not
 * known is to be treated by `retryable`.
 *
 * @typedef {"no_plugin" | "old_plugin" | "no_agent" | "old_agent" | "not_paired" | "aborted" | "frame_not_allowed"
 *   | "insecure_context" | "pending" | "internal"
 *   | "busy" | "cancelled" | "card_in_use" | "declined" | "expired" | "history_failed" | "invalid_field"
 *   | "module_failed" | "module_unavailable" | "no_certificate" | "no_token" | "origin_not_allowed" | "pin_incorrect"
 *   | "pin_locked" | "pin_must_change" | "prompt_unavailable" | "rate_limited" | "reader_service_unavailable"
 *   | "signature_mismatch" | "token_removed" | "unsupported_algorithm" | "unsupported_format" | (string & {})} ErrorCode
 */

/**
 * What the plugin is doing: `connecting` to the agent, `pairing` with it (the person compares six digits, once in the
 * plugin's life), `awaiting_token` (a card or token is to be inserted), `awaiting_consent` (the agent's window asks),
 * `signing`. A stage may come again, or be left out.
 *
 * @typedef {"connecting" | "pairing" | "awaiting_token" | "awaiting_consent" | "signing"} Progress
 */

/**
 * What is there on this computer.
 *
 * - `plugin`: the plugin's version.
 * - `state`: `ready`; `no_agent` (not installed or not started); `old_agent`, `old_plugin` (to be updated);
 *   `not_paired` (a `confirm()` will pair first); `no_token` (no card or token is inserted; `confirm()` will wait for
 *   one); `service_down` (the readers' service does not run).
 * - `agent`: the agent's version, where it is known.
 *
 * @typedef {{
 *   plugin: string,
 *   state: "ready" | "no_agent" | "old_agent" | "old_plugin" | "not_paired" | "no_token" | "service_down",
 *   agent?: string,
 * }} Status
 */

/**
 * A proof, told apart by `format`; what else it has is in section 12 of the plugin protocol. Hand it to the server as
 * it is: only the server can tell whether it is good.
 *
 * @typedef {{ format: string, [member: string]: unknown }} Proof
 */

/**
 * - `test`: a test token signed, or nobody was asked. It proves no person, whatever else is right.
 *
 * @typedef {{ proof: Proof, test: boolean }} Confirmation
 */

/**
 * - `challenge`: from your server, for this session and this purpose, used once. 44 to 128 characters of
 *   `A-Z a-z 0-9 + / - _ =` (`cms-challenge`: 32 to 128). The base64 of 32 random bytes is right.
 * - `format`: `jws` (the default), `cms`, `cms-challenge`, `web-eid:1.0`, `uec`.
 * - `purpose`: `confirm_identity` (the default) or `sign_in`.
 * - `detached`: for `cms` and `cms-challenge`.
 * - `holderSignature`: for `uec`: the holder's signature as well, with PIN2.
 * - `onProgress`: told of every stage.
 * - `signal`: ends the call; the agent's window closes.
 *
 * @typedef {{
 *   challenge: string,
 *   format?: string,
 *   purpose?: "confirm_identity" | "sign_in",
 *   detached?: boolean,
 *   holderSignature?: boolean,
 *   onProgress?: (stage: Progress) => void,
 *   signal?: AbortSignal,
 * }} ConfirmOptions
 */
