// The two ways to a pairing (PROTOCOL.md section 5): six digits that the person compares, or the agent's native host, to
// which the browser lets nobody but this plugin speak. Every attempt makes a key of its own; an old pairing is replaced only
// by one whose agent has answered a signed request.

import { MAX_WAIT, signed, verify } from "./agent.js";
import { EidError } from "./errors.js";
import { exchange, parse, pause, settled } from "./http.js";
import { base64url, fromBase64url, newKeys, p256Jwk, sha256, thumbprint, utf8 } from "./signature.js";

/** @typedef {import("../types").Jwk} Jwk */
/** @typedef {import("../types").Pairing} Pairing */
/** @typedef {import("../types").PairState} PairState */
/** @typedef {import("./agent.js").Agent} Agent */

/** Seconds for the person to agree in the plugin's window once the agent has. */
const TO_AGREE = 120;

/** @param {...Uint8Array} parts */
function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/**
 * @param {Jwk} plugin
 * @param {Uint8Array} pluginNonce
 */
export async function commitment(plugin, pluginNonce) {
  const label = utf8("eid-agent pairing commitment v1\0");
  return base64url(await sha256(joined(label, await thumbprint(plugin), pluginNonce)));
}

/**
 * What both windows show.
 * @param {Jwk} plugin
 * @param {Jwk} agent
 * @param {Uint8Array} pluginNonce
 * @param {Uint8Array} agentNonce
 */
export async function digits(plugin, agent, pluginNonce, agentNonce) {
  const label = utf8("eid-agent pairing digits v1\0");
  const hash = await sha256(joined(label, await thumbprint(plugin), await thumbprint(agent), pluginNonce, agentNonce));
  const number = new DataView(hash.buffer).getBigUint64(0) % 1_000_000n;
  const text = String(number).padStart(6, "0");
  return `${text.slice(0, 3)} ${text.slice(3)}`;
}

/**
 * Pairs by digits; resolves when the person agreed in both windows and the new pairing is kept. In ours, too: whoever
 * holds the port may say `paired`, and it is the person who sees whether there is a window with the same digits.
 * @param {Agent} agent
 * @param {string} name what the plugin calls itself
 * @param {AbortSignal} signal
 * @param {(state: PairState) => void} tell
 * @param {Promise<void>} agreed the person pressed "It is the same" in the plugin's window
 */
export async function pairByDigits(agent, name, signal, tell, agreed) {
  tell({ stage: "connecting" });
  const port = await portOf(agent);
  const { keys, jwk, keyid } = await newKeys();
  const nonce = crypto.getRandomValues(new Uint8Array(32));

  const offer = await post(port, "/v1/pairings", { client: { name, jwk }, commitment: await commitment(jwk, nonce) }, signal);
  const agentJwk = p256Jwk(offer?.agent_jwk);
  const agentNonce = fromBase64url(offer?.agent_nonce);
  if (agentJwk === null || agentNonce?.length !== 32 || !/^[\w-]{1,128}$/.test(offer?.id)) {
    throw new EidError("internal", "The agent's offer to pair is not of the protocol.");
  }

  const shown = await digits(jwk, agentJwk, nonce, agentNonce);
  tell({ stage: "compare", digits: shown });
  let waiting = true;
  void agreed.then(() => waiting && tell({ stage: "compare", digits: shown, agreed: true }));
  await decision(port, offer.id, base64url(nonce), signal).finally(() => (waiting = false));
  const pairing = { keys, keyid, agentJwk, port };
  await untilAgreed(agreed, signal).catch((error) => {
    void withdraw(pairing);
    throw error;
  });
  await keep(agent, pairing);
  tell({ stage: "paired" });
}

/** @param {Promise<void>} agreed @param {AbortSignal} signal */
async function untilAgreed(agreed, signal) {
  const over = new AbortController();
  const stop = () => over.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const late = pause(TO_AGREE, over.signal).then(() => {
    throw new EidError("expired");
  });
  try {
    await Promise.race([agreed, late]);
  } finally {
    stop(); // ends the pause; nobody listens to it any more
    signal.removeEventListener("abort", stop);
  }
}

/** The agent paired, and the person did not agree here: it shall not keep what is of no use. @param {Pairing} pairing */
async function withdraw(pairing) {
  try {
    await signed(await verify(pairing.port, pairing), "DELETE", `/v1/pairings/${pairing.keyid}`, {});
  } catch {
    // Whoever it is that does not even sign.
  }
}

/** The likeliest port where our protocol is spoken; the native host starts the agent if it is none. @param {Agent} agent */
async function portOf(agent) {
  const port = (await agent.speakingPorts())[0] ?? (await agent.native("locate", {}))?.port;
  if (typeof port !== "number") throw new EidError("no_agent");
  return port;
}

/**
 * Keeps a reveal open until the person decided.
 * @param {number} port
 * @param {string} id
 * @param {string} nonce
 * @param {AbortSignal} signal
 */
async function decision(port, id, nonce, signal) {
  for (let state; state !== "paired"; ) {
    try {
      state = (await post(port, `/v1/pairings/${id}/reveal`, { nonce }, signal, MAX_WAIT))?.state;
    } catch (thrown) {
      const error = EidError.of(thrown);
      if (error.code !== "busy") throw error; // another window is open; the attempt goes on
      await pause(Math.min(error.retryAfter ?? 2, 5), signal);
    }
  }
}

/**
 * Pairs through the native host, with nothing for the person to do.
 * @param {Agent} agent
 * @param {string} name
 * @returns {Promise<boolean>} false if there is no native host
 */
export async function pairByNativeHost(agent, name) {
  const { keys, jwk, keyid } = await newKeys();
  const reply = await agent.native("pair", { client: { name, jwk } });
  if (reply === null) return false;
  const agentJwk = p256Jwk(reply.agent_jwk);
  if (agentJwk === null || typeof reply.port !== "number") {
    throw new EidError("internal", "The native host's reply is not of the protocol.");
  }
  await keep(agent, { keys, keyid, agentJwk, port: reply.port });
  return true;
}

/** Keeps a pairing after its agent proved that it holds the other key. @param {Agent} agent @param {Pairing} pairing */
async function keep(agent, pairing) {
  await verify(pairing.port, pairing);
  await agent.store.save(pairing);
  agent.reset();
}

/**
 * A request to one of the open endpoints, whose answers nobody signs.
 * @param {number} port
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} signal
 * @param {number} [wait]
 */
async function post(port, path, body, signal, wait) {
  const answer = await exchange(port, "POST", path, { bytes: utf8(JSON.stringify(body)), wait, signal });
  return settled(answer).body;
}
