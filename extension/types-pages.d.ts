// The messages between a page, the content script and the worker.

/** What the plugin is doing for a call, in the order of time. */
export type Progress = "connecting" | "pairing" | "awaiting_token" | "awaiting_consent" | "signing";

/** An error as it crosses the ports: a code of the page API or of Web eID, and what it has beside. */
export interface CallError {
  code: string;
  message: string;
  [extra: string]: unknown;
}

/** The end of a call. */
export type Answer = { result: unknown; error?: undefined } | { error: CallError; result?: undefined };

/** The first message on a port named "call". */
export interface CallMessage {
  call: string;
  /** Of the plugin's own making, never the page's: the agent's idempotency key. */
  id: string;
  arguments: Record<string, unknown>;
  /** In a frame: the origins of the frames around it, nearest first, where the browser tells them. */
  ancestors?: string[];
}

/** Why a call ends without the worker's word. */
export type Fault = "late" | "updated" | "silent" | "hidden";

/** What a call tells whoever started it. */
export interface CallHooks {
  /** The error of each fault. */
  faults: Record<Fault, CallError>;
  /** Milliseconds until the call is `late`. */
  limit: number;
  progress?(stage: Progress): void;
  /** Called once, unless the call was stopped. */
  end(answer: Answer): void;
}

/** What the worker tells of itself and the agent: joint with the page's `status()`. */
export interface PluginStatus {
  plugin: string;
  state: string;
  agent?: string;
}
