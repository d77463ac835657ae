/**
 * The joints of the extension: what pages, the content script, the worker, the popup and the
 * pairing window say to each other. Import types from here in JSDoc; there is no code in this file.
 */

// ---- What a caller is told ------------------------------------------------------------------

/** When each is the case: `background/state.js`. */
export type State = "ready" | "no_agent" | "old_agent" | "old_plugin" | "not_paired" | "no_token" | "service_down";

/** Answer to `status`. `agent` is the agent's version where it is known. */
export interface Status {
  plugin: string;
  state: State;
  agent?: string;
}

/**
 * How a call fails. `code` is an operation code of PROTOCOL.md section 10, or one of the plugin's own: `no_plugin`,
 * `no_agent`, `old_agent`, `old_plugin`, `not_paired`, `aborted`, `frame_not_allowed`, `insecure_context`, `pending`, `internal`.
 * `retryable`: the same call may succeed later with nothing changed by the page.
 */
export interface EidProblem {
  code: string;
  message: string;
  retryable: boolean;
  triesLeft?: number;
}

// ---- Joint 1: content script <-> worker, one runtime Port named "call" per call ---------------

export type CallName =
  | "status"
  | "confirm"
  | "web-eid:status"
  | "web-eid:authenticate"
  | "web-eid:get-signing-certificate"
  | "web-eid:sign";

/** The first message of a Port. `id` is a UUID, the same when the call is sent again because the worker was stopped. */
export interface CallMessage {
  call: CallName;
  id: string;
  arguments: Record<string, unknown>;
  /** `location.ancestorOrigins` as an array, in a frame of a browser that has it. A hint: checked where the browser lets us. */
  ancestors?: string[];
}

/** Sent every 20 s, so that the browser does not stop the worker during a call. */
export interface PingMessage {
  ping: true;
}

export type ToWorker = CallMessage | PingMessage;

export type Progress = "connecting" | "pairing" | "awaiting_token" | "awaiting_consent" | "signing";

/** Any number of `progress`, then exactly one `result` or `error`. The content script then closes the Port. */
export type FromWorker = { progress: Progress } | { result: unknown } | { error: EidProblem & Record<string, unknown> };

/** Arguments of `confirm`. */
export interface ConfirmArguments {
  challenge: string;
  format?: string;
  purpose?: "confirm_identity" | "sign_in";
  detached?: boolean;
  holder_signature?: boolean;
}

/** Result of `confirm`: the proof as PROTOCOL.md section 12 has it. `test`: it proves no person. */
export interface Confirmation {
  proof: Record<string, unknown> & { format: string };
  test: boolean;
}

/** Those that a page of Web eID can ask for. */
export type HashFunction = "SHA-256" | "SHA-384" | "SHA-512";

/**
 * Result of `Session.certificate`: the signing certificate (base64 DER), and what its key can do, by the names of
 * PROTOCOL.md section 7; a newer agent may have others.
 */
export interface SigningCertificate {
  certificate: string;
  algorithms: { scheme: string; hash_function: string }[];
  test: boolean;
}

/** Arguments of `Session.sign`: one document. `hash` is base64; the key is that of `certificate` (base64 DER). */
export interface SignArguments {
  hash_function: HashFunction;
  hash: string;
  certificate: string;
}

/** Result of `Session.sign`: one item, as one document was asked for. */
export interface Signatures {
  certificate: string;
  items: { scheme: string; hash_function: string; signature: string }[];
  test: boolean;
}

/** Who calls, as the browser says. `topOrigin` only if the page is a frame shown by a page of another origin. */
export interface Caller {
  origin: string;
  topOrigin?: string;
}

/**
 * What the worker hands to a handler of calls (`web-eid.js`): the caller is checked, operations follow the life of the Port.
 * Each function rejects with an `EidError` (errors.js). `progress` messages are sent by them.
 */
export interface Session {
  caller: Caller;
  status(): Promise<Status>;
  confirm(args: ConfirmArguments): Promise<Confirmation>;
  certificate(): Promise<SigningCertificate>;
  sign(args: SignArguments): Promise<Signatures>;
  /** Aborted when the page goes or gives up. */
  signal: AbortSignal;
}

/** `background/web-eid.js` exports `webEid`: answers a `web-eid:*` call, or throws what is sent as `error`. */
export type WebEidHandler = (call: CallName, args: Record<string, unknown>, session: Session) => Promise<unknown>;

// ---- Joint 3: popup <-> worker, Port "popup"; pairing window <-> worker, Port "pair" -----------

export interface Token {
  kind: "card" | "pkcs11" | "software";
  reader?: string;
  pin: "ok" | "low" | "final_try" | "locked" | "must_change" | "not_needed";
  triesLeft?: number;
  test: boolean;
}

export interface HistoryEntry {
  time: string;
  action: string;
  origin: string;
  outcome: string;
}

/** The site in the active tab. `listed`: of the built-in portal set, cannot be taken back in the popup. */
export interface Site {
  origin: string;
  allowed: boolean;
  listed: boolean;
}

/** worker -> popup, whenever it changes. */
export interface PopupState extends Status {
  tokens?: Token[];
  /** Sources of tokens that could not be looked at. */
  unavailable?: { source: string; reason: string }[];
  history?: HistoryEntry[];
  site?: Site;
  pairing?: { id: string; created: string };
  /** What went wrong with the last thing the popup asked for. */
  error?: EidProblem;
}

/** popup -> worker. */
export type FromPopup = { do: "pair" | "unpair" | "refresh" | "sites-changed" } | PingMessage;

/** worker -> pairing window. */
export interface PairState {
  stage: "connecting" | "compare" | "paired" | "failed";
  digits?: string;
  /** The person agreed in this window, and has not yet in the agent's. */
  agreed?: boolean;
  error?: EidProblem;
}

/** pairing window -> worker. `agree`: the person says that both windows show the same. */
export type FromPair = { do: "start" | "agree" | "cancel" } | PingMessage;

// ---- The agent's bodies, as far as the worker reads them ---------------------------------------

export interface Jwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
}

/** PROTOCOL.md section 7, `GET /v1/info`. */
export interface AgentInfo {
  version: string;
  api: string[];
  formats: string[];
  test: boolean;
}

/** PROTOCOL.md section 7, an operation. */
export interface Operation {
  id: string;
  state: "awaiting_token" | "awaiting_consent" | "signing" | "done" | "failed" | "cancelled" | "expired";
  proof?: Confirmation["proof"];
  certificate?: Omit<SigningCertificate, "test">;
  signatures?: Omit<Signatures, "test">;
  problem?: ProblemDocument;
  test?: boolean;
}

/** PROTOCOL.md section 10. */
export interface ProblemDocument {
  code: string;
  title?: string;
  detail?: string;
  status?: number;
  retryable?: boolean;
  tries_left?: number;
}

// ---- What the worker remembers ------------------------------------------------------------------

/** The one record in IndexedDB. The private key is not extractable. */
export interface Pairing {
  keys: CryptoKeyPair;
  /** Thumbprint of the plugin's key, base64url: its `keyid`, and the pairing's id. */
  keyid: string;
  /** The agent's key of this pairing. */
  agentJwk: Jwk;
  port: number;
}

/** Where the record is kept: IndexedDB in browsers, a variable in tests. */
export interface KeyStore {
  load(): Promise<Pairing | null>;
  save(pairing: Pairing): Promise<void>;
  /** Remembers that the agent of this pairing has moved to another port. */
  moved(keyid: string, port: number): Promise<void>;
  /** Forgets the pairing. `byPerson`: they ended it, so a page's call may not silently make another. */
  forget(byPerson: boolean): Promise<void>;
  /** Whether the person ended the last pairing. */
  endedByPerson(): Promise<boolean>;
}
