// The four calls of Web eID, as web-eid.js makes them, turned into operations of the agent; and every way they fail
// turned into one of Web eID's thirteen codes. What those cannot say is beside them: `reason`, a code of our own or of
// PROTOCOL.md section 10, and `retriesLeft`. Pages that know neither see what they would from the official extension.

import { EidError } from "./errors.js";

/** @typedef {import("../types").CallName} CallName */
/** @typedef {import("../types").Session} Session */
/** @typedef {Record<string, unknown>} Members */

/** The versions of Web eID's extension and application that these speak like. Sites look at the first number alone. */
const EXTENSION = "2.5.0";
export const NATIVE_APP = "2.9.0";
const SPOKEN_MAJOR = 2;
/** Semantic Versioning 2.0.0, a leading "v" allowed; the first number is captured. */
const SEMVER = /^v?(0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

const HASH_FUNCTIONS = ["SHA-256", "SHA-384", "SHA-512"];
const TOKEN_MEMBERS = ["unverifiedCertificate", "algorithm", "signature", "format", "appVersion"];

/** Schemes as Web eID has them; it knows no others, GOST among them. */
const SCHEMES = /** @type {Record<string, { cryptoAlgorithm: string, paddingScheme: string }>} */ ({
  ECDSA: { cryptoAlgorithm: "ECC", paddingScheme: "NONE" },
  "RSA-PKCS1": { cryptoAlgorithm: "RSA", paddingScheme: "PKCS1.5" },
  "RSA-PSS": { cryptoAlgorithm: "RSA", paddingScheme: "PSS" },
});

/** The nearest Web eID code, without its `ERR_WEBEID_`, for each of ours. */
const CODES = /** @type {Record<string, string>} */ ({
  // The person.
  declined: "USER_CANCELLED",
  cancelled: "USER_CANCELLED",
  aborted: "USER_CANCELLED",
  expired: "USER_TIMEOUT",
  no_token: "USER_TIMEOUT",
  // What is installed.
  no_agent: "NATIVE_UNAVAILABLE",
  not_paired: "NATIVE_UNAVAILABLE",
  old_agent: "VERSION_MISMATCH",
  old_plugin: "VERSION_MISMATCH",
  version_invalid: "VERSION_INVALID",
  no_plugin: "EXTENSION_UNAVAILABLE",
  // The page.
  frame_not_allowed: "CONTEXT_INSECURE",
  insecure_context: "CONTEXT_INSECURE",
  missing_parameter: "MISSING_PARAMETER",
  invalid_field: "NATIVE_INVALID_ARGUMENT",
  malformed: "NATIVE_INVALID_ARGUMENT",
  too_large: "NATIVE_INVALID_ARGUMENT",
  unsupported_format: "NATIVE_INVALID_ARGUMENT",
  unsupported_algorithm: "NATIVE_INVALID_ARGUMENT",
  origin_not_allowed: "NATIVE_INVALID_ARGUMENT",
  busy: "ACTION_PENDING",
  pending: "ACTION_PENDING",
  // The token and the agent.
  no_certificate: "NATIVE_FATAL",
  token_removed: "NATIVE_FATAL",
  card_in_use: "NATIVE_FATAL",
  reader_service_unavailable: "NATIVE_FATAL",
  pin_incorrect: "NATIVE_FATAL",
  pin_locked: "NATIVE_FATAL",
  pin_must_change: "NATIVE_FATAL",
  prompt_unavailable: "NATIVE_FATAL",
  module_failed: "NATIVE_FATAL",
  module_unavailable: "NATIVE_FATAL",
  signature_mismatch: "NATIVE_FATAL",
  history_failed: "NATIVE_FATAL",
  rate_limited: "NATIVE_FATAL",
  stale_signature: "NATIVE_FATAL",
  too_many_pairings: "NATIVE_FATAL",
  idempotency_conflict: "NATIVE_FATAL",
  internal: "NATIVE_FATAL",
});

/**
 * Answers a call with the members that web-eid.js reads, all of them and no other.
 *
 * @param {CallName} call
 * @param {Members} args as the page gave them
 * @param {Session} session
 * @returns {Promise<Members>} rejects with an error for `webEidError`
 */
export async function webEid(call, args, session) {
  switch (call) {
    case "web-eid:status":
      return status(args, session);
    case "web-eid:authenticate":
      return authenticate(args, session);
    case "web-eid:get-signing-certificate":
      return getSigningCertificate(session);
    case "web-eid:sign":
      return sign(args, session);
    default:
      throw new EidError("invalid_field", "The plugin knows no such action.");
  }
}

/** Every state in which `authenticate` has a chance is a success: pairing, and waiting for a token, belong to it. @param {Members} args @param {Session} session */
async function status({ libraryVersion }, session) {
  const major = majorOf(libraryVersion);
  if (major === undefined) throw new EidError("version_invalid", `Invalid SemVer string '${libraryVersion ?? ""}'`);
  const { plugin, state, agent } = await session.status();
  if (["no_agent", "old_agent", "old_plugin"].includes(state)) throw new EidError(state);
  const versions = { library: libraryVersion, extension: spoken(EXTENSION, plugin), nativeApp: spoken(NATIVE_APP, agent) };
  if (major > SPOKEN_MAJOR) throw new EidError("old_plugin", "Update required for Web-eID extension and native app");
  return versions;
}

/** @param {Members} args @param {Session} session */
async function authenticate({ challengeNonce }, session) {
  const challenge = needed({ challengeNonce }, "challengeNonce");
  if (challenge.length < 44 || challenge.length > 128) {
    throw new EidError("invalid_field", "challengeNonce has 44 to 128 characters: the base64 of 32 random bytes is right.");
  }
  const { proof } = await session.confirm({ challenge, format: "web-eid:1.0", purpose: "sign_in" });
  return Object.fromEntries(TOKEN_MEMBERS.map((name) => [name, given(proof[name])]));
}

/** @param {Session} session */
async function getSigningCertificate(session) {
  const { certificate, algorithms } = await session.certificate();
  const named = given(algorithms).filter(({ scheme, hash_function }) => isNamed(scheme, hash_function));
  if (named.length === 0) {
    throw new EidError("unsupported_algorithm", "Web eID has no name for signatures by this certificate's key; choose a certificate with an ECDSA or RSA key.");
  }
  return {
    certificate: given(certificate),
    supportedSignatureAlgorithms: named.map(({ scheme, hash_function }) => algorithm(scheme, hash_function)),
  };
}

/** @param {Members} args @param {Session} session */
async function sign(args, session) {
  const certificate = needed(args, "certificate");
  const hash = needed(args, "hash");
  const hashFunction = needed(args, "hashFunction");
  if (!HASH_FUNCTIONS.includes(hashFunction)) {
    throw new EidError("invalid_field", `hashFunction is one of ${HASH_FUNCTIONS.join(", ")}.`);
  }
  const hash_function = /** @type {import("../types").HashFunction} */ (hashFunction);
  const { items } = await session.sign({ certificate, hash_function, hash });
  const { signature, scheme, hash_function: used } = given(items?.[0]);
  return { signature: given(signature), signatureAlgorithm: algorithm(scheme, used) };
}

/** @param {string} scheme @param {string} hashFunction */
function isNamed(scheme, hashFunction) {
  return Object.hasOwn(SCHEMES, scheme) && HASH_FUNCTIONS.includes(hashFunction);
}

/** @param {string} scheme @param {string} hashFunction */
function algorithm(scheme, hashFunction) {
  const { cryptoAlgorithm, paddingScheme } = given(SCHEMES[scheme]);
  return { cryptoAlgorithm, hashFunction, paddingScheme };
}

/** @param {Members} args @param {string} name @returns {string} */
function needed(args, name) {
  const value = args[name];
  if (typeof value !== "string" || value === "") throw new EidError("missing_parameter", `${name} is missing.`);
  return value;
}

/** @template T @param {T | undefined} value @returns {T} */
function given(value) {
  if (value === undefined) throw new EidError("internal", "unexpected response from native application");
  return value;
}

/** Web eID's version with ours as build metadata, which comparisons ignore. @param {string} like @param {string | undefined} version */
function spoken(like, version) {
  return `${like}+eid-agent${version === undefined ? "" : `.${version.replace(/[^0-9A-Za-z.-]/g, "-")}`}`;
}

/** @param {unknown} version @returns {number | undefined} */
function majorOf(version) {
  const found = typeof version === "string" ? SEMVER.exec(version) : null;
  return found ? Number(found[1]) : undefined;
}

/**
 * What a page is told of a failure: Web eID's serialised error, with `reason` and what else is known.
 *
 * @param {unknown} thrown
 * @param {CallName} call
 * @param {Members} args as the page gave them
 * @param {string} plugin the plugin's version
 */
export function webEidError(thrown, call, args, plugin) {
  const error = EidError.of(thrown);
  const { code: reason, message, retryable, triesLeft } = tooYoung(error, args) ?? error;
  const name = CODES[reason] ?? "UNKNOWN_ERROR";
  return {
    code: `ERR_WEBEID_${name}`,
    name: className(name),
    message,
    reason,
    retryable,
    ...(triesLeft === undefined ? {} : { retriesLeft: triesLeft }),
    ...(name === "VERSION_MISMATCH" ? { requiresUpdate: requiredUpdate(reason) } : {}),
    ...(call === "web-eid:status" ? { extension: spoken(EXTENSION, plugin) } : {}),
  };
}

/** A library of a later major version fails for that, unless the person said no. @param {EidError} error @param {Members} args */
function tooYoung(error, { libraryVersion }) {
  const major = majorOf(libraryVersion);
  if (major === undefined || major <= SPOKEN_MAJOR || CODES[error.code] === "USER_CANCELLED") return undefined;
  return new EidError("old_plugin", `Web eID ${libraryVersion} is newer than this plugin: ${error.message}`);
}

/** @param {string} reason */
function requiredUpdate(reason) {
  return { extension: reason === "old_plugin", nativeApp: reason === "old_agent" };
}

/** The class web-eid.js has for a code: `USER_CANCELLED` is `UserCancelledError`. @param {string} code */
function className(code) {
  const words = code.replace(/_ERROR$/, "").toLowerCase().split("_");
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")}Error`;
}
