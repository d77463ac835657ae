// HTTP with whoever holds a port of this computer. Nothing here is believed yet.

import { EidError } from "./errors.js";
import { utf8 } from "./signature.js";

/** @typedef {{ status: number, body: any, retryAfter: number | undefined }} Answer `body` is the parsed JSON */

const MAX_ANSWER = 1 << 20;
/** Seconds for an answer beyond the wait that was asked for. */
const PATIENCE = 10;

/** @param {number} seconds @param {AbortSignal} [signal] */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => (clearTimeout(timer), reject(new EidError("aborted")));
    const timer = setTimeout(() => (signal?.removeEventListener("abort", giveUp), resolve(undefined)), seconds * 1000);
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}

/**
 * One HTTP exchange with whoever holds the port. Rejects with `unreachable`, or `aborted` if the signal says so.
 * @param {number} port
 * @param {string} method
 * @param {string} target
 * @param {{ bytes?: Uint8Array<ArrayBuffer>, headers?: Record<string, string>, wait?: number | undefined, signal?: AbortSignal | undefined }} [options]
 */
export async function exchange(port, method, target, { bytes = utf8(""), headers = {}, wait = 0, signal } = {}) {
  const control = new AbortController();
  const stop = () => control.abort();
  const timer = setTimeout(stop, (wait + PATIENCE) * 1000);
  // Not left to fetch alone: the end of the wait must come even if its own ear for the signal was lost (Node 18 collects it).
  /** @type {Promise<never>} */
  const given = new Promise((_, reject) => control.signal.addEventListener("abort", () => reject(control.signal.reason)));
  given.catch(() => undefined);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  try {
    const asked = fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: {
        ...headers,
        ...(method === "POST" ? { "Content-Type": "application/json" } : {}),
        ...(method === "POST" && wait > 0 ? { Prefer: `wait=${wait}` } : {}),
      },
      body: method === "POST" ? bytes : null,
      signal: control.signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    return await Promise.race([asked.then(read), given]);
  } catch (error) {
    throw new EidError(signal?.aborted ? "aborted" : "unreachable", undefined, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** @param {Response} response */
async function read(response) {
  return { status: response.status, headers: response.headers, body: await readAtMost(response, MAX_ANSWER) };
}

/** @param {Response} response @param {number} limit */
async function readAtMost(response, limit) {
  const chunks = [];
  let length = 0;
  for (const reader = response.body?.getReader(); reader !== undefined; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new Error("the answer is too long");
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  chunks.reduce((offset, chunk) => (bytes.set(chunk, offset), offset + chunk.length), 0);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {any} */
export function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

/** The answer, or the EidError its problem document tells. @param {{ status: number, headers: Headers, body: Uint8Array }} answer @returns {Answer} */
export function settled({ status, headers, body }) {
  const hint = Number(headers.get("Retry-After") ?? NaN);
  const retryAfter = Number.isFinite(hint) && hint > 0 ? hint : undefined;
  const json = parse(body);
  if (status < 400) return { status, body: json, retryAfter };
  const error = EidError.ofProblem(json, status);
  error.retryAfter = retryAfter;
  throw error;
}
