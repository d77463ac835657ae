/**
 * Says what is there. Nobody is asked, no window opens.
 *
 * @param {{ timeout?: number }} [options] `timeout`: milliseconds until it rejects in any case, 10,000 by default
 * @returns {Promise<Status>} rejects with `no_plugin` within a second when no plugin answers on this page
 */
export function status({ timeout }?: {
    timeout?: number;
}): Promise<Status>;
/**
 * Has the person confirm who they are: the agent's own window names this site and takes the PIN.
 *
 * @param {ConfirmOptions} options
 * @returns {Promise<Confirmation>} rejects with an {@link EidError}, and always within about five minutes
 */
export function confirm(options: ConfirmOptions): Promise<Confirmation>;
/** The version of this library. It speaks to every plugin of the same message version (`eidAgent: 1`). */
export const VERSION: "0.4.0";
/** A call that did not succeed. Decide by `code`, never by `message`. */
export class EidError extends Error {
    /**
     * @param {ErrorCode} code
     * @param {string} message for developers, in English and no fixed words
     * @param {{ retryable?: boolean, triesLeft?: number, cause?: unknown }} [more]
     */
    constructor(code: ErrorCode, message: string, more?: {
        retryable?: boolean;
        triesLeft?: number;
        cause?: unknown;
    });
    /** @type {ErrorCode} */
    code: ErrorCode;
    /** The same call may succeed later with nothing changed by the page. */
    retryable: boolean;
    /** PIN tries left, where the token tells it. @type {number | undefined} */
    triesLeft: number | undefined;
}
/**
 * Why a call did not succeed. The README says of each what to tell the person.
 *
 * The first ten are this library's and the plugin's, the others the agent's. Later versions may have more; what is not
 * known is to be treated by `retryable`.
 */
export type ErrorCode = "no_plugin" | "old_plugin" | "no_agent" | "old_agent" | "not_paired" | "aborted" | "frame_not_allowed" | "insecure_context" | "pending" | "internal" | "busy" | "cancelled" | "card_in_use" | "declined" | "expired" | "history_failed" | "invalid_field" | "module_failed" | "module_unavailable" | "no_certificate" | "no_token" | "origin_not_allowed" | "pin_incorrect" | "pin_locked" | "pin_must_change" | "prompt_unavailable" | "rate_limited" | "reader_service_unavailable" | "signature_mismatch" | "token_removed" | "unsupported_algorithm" | "unsupported_format" | (string & {});
/**
 * What the plugin is doing: `connecting` to the agent, `pairing` with it (the person compares six digits, once in the
 * plugin's life), `awaiting_token` (a card or token is to be inserted), `awaiting_consent` (the agent's window asks),
 * `signing`. A stage may come again, or be left out.
 */
export type Progress = "connecting" | "pairing" | "awaiting_token" | "awaiting_consent" | "signing";
/**
 * What is there on this computer.
 *
 * - `plugin`: the plugin's version.
 * - `state`: `ready`; `no_agent` (not installed or not started); `old_agent`, `old_plugin` (to be updated);
 *   `not_paired` (a `confirm()` will pair first); `no_token` (no card or token is inserted; `confirm()` will wait for
 *   one); `service_down` (the readers' service does not run).
 * - `agent`: the agent's version, where it is known.
 */
export type Status = {
    plugin: string;
    state: "ready" | "no_agent" | "old_agent" | "old_plugin" | "not_paired" | "no_token" | "service_down";
    agent?: string;
};
/**
 * A proof, told apart by `format`; what else it has is in section 12 of the plugin protocol. Hand it to the server as
 * it is: only the server can tell whether it is good.
 */
export type Proof = {
    format: string;
    [member: string]: unknown;
};
/**
 * - `test`: a test token signed, or nobody was asked. It proves no person, whatever else is right.
 */
export type Confirmation = {
    proof: Proof;
    test: boolean;
};
/**
 * - `challenge`: from your server, for this session and this purpose, used once. 44 to 128 characters of
 *   `A-Z a-z 0-9 + / - _ =` (`cms-challenge`: 32 to 128). The base64 of 32 random bytes is right.
 * - `format`: `jws` (the default), `cms`, `cms-challenge`, `web-eid:1.0`, `uec`.
 * - `purpose`: `confirm_identity` (the default) or `sign_in`.
 * - `detached`: for `cms` and `cms-challenge`.
 * - `holderSignature`: for `uec`: the holder's signature as well, with PIN2.
 * - `onProgress`: told of every stage.
 * - `signal`: ends the call; the agent's window closes.
 */
export type ConfirmOptions = {
    challenge: string;
    format?: string;
    purpose?: "confirm_identity" | "sign_in";
    detached?: boolean;
    holderSignature?: boolean;
    onProgress?: (stage: Progress) => void;
    signal?: AbortSignal;
};
