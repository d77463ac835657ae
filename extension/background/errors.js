// How a call fails. Whatever goes wrong in the worker reaches a page as one of these.

/** @typedef {import("../types").EidProblem} EidProblem */
/** @typedef {import("../types").ProblemDocument} ProblemDocument */

/** The plugin's own codes: whether they are retryable, and what a person is told when nothing more precise is known. */
const OWN = /** @type {Record<string, [boolean, string]>} */ ({
  no_plugin: [false, "This site is not allowed to use the plugin. Allow it in the plugin's popup."],
  no_agent: [true, "The identity agent does not run on this computer. Install it, or start it."],
  old_agent: [false, "The identity agent is older than this plugin needs. Update it."],
  old_plugin: [false, "The identity agent is newer than this plugin. Update the plugin."],
  not_paired: [true, "The plugin is not paired with the identity agent. Pair it in the plugin's popup."],
  aborted: [false, "The page gave up."],
  frame_not_allowed: [false, "This page cannot confirm an identity from here. Open it in a tab of its own."],
  insecure_context: [false, "An identity can be confirmed on https pages only."],
  pending: [true, "This page already waits for a confirmation."],
  invalid_field: [false, "The page's call has a member that is missing or outside its type."],
  internal: [true, "The plugin or the agent failed. Try again once, then report it."],
});

/** An error with a code of PROTOCOL.md section 10, or of the plugin's own. */
export class EidError extends Error {
  /**
   * @param {string} code
   * @param {string} [message] for people
   * @param {{ retryable?: boolean | undefined, triesLeft?: number | undefined, cause?: unknown }} [more]
   */
  constructor(code, message, more = {}) {
    super(message ?? OWN[code]?.[1] ?? code, { cause: more.cause });
    this.name = "EidError";
    this.code = code;
    this.retryable = more.retryable ?? OWN[code]?.[0] ?? false;
    this.triesLeft = more.triesLeft;
    /** @type {number | undefined} seconds after which the agent says another try makes sense */
    this.retryAfter = undefined;
  }

  /**
   * The error an agent's problem document tells.
   * @param {unknown} body
   * @param {number} status
   */
  static ofProblem(body, status) {
    const problem = /** @type {Partial<ProblemDocument>} */ (body !== null && typeof body === "object" ? body : {});
    if (typeof problem.code !== "string") {
      return new EidError("internal", `The agent answered ${status} without saying why.`);
    }
    const words = [problem.detail, problem.title].find((text) => typeof text === "string" && text !== "");
    return new EidError(problem.code, words, {
      retryable: problem.retryable === true,
      triesLeft: typeof problem.tries_left === "number" ? problem.tries_left : undefined,
    });
  }

  /**
   * Anything thrown, as an EidError.
   * @param {unknown} error
   */
  static of(error) {
    if (error instanceof EidError) return error;
    if (error instanceof Error && error.name === "AbortError") return new EidError("aborted", undefined, { cause: error });
    return new EidError("internal", undefined, { cause: error });
  }

  /** @returns {EidProblem} what crosses a Port */
  toMessage() {
    const { code, message, retryable, triesLeft } = this;
    return { code, message, retryable, ...(triesLeft === undefined ? {} : { triesLeft }) };
  }
}
