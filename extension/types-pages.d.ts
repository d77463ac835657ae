// What the parts of content.js say to each other; what they say to the worker is in types.d.ts.
import type { Progress } from "./types";

/** An error as it crosses the Port: a code of the page API or of Web eID, and what it has beside. */
export interface CallError {
  code: string;
  message: string;
  [extra: string]: unknown;
}

/** The end of a call. */
export type Answer = { result: unknown; error?: undefined } | { error: CallError; result?: undefined };

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
