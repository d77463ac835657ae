// Bounded waits. Nothing in these tests sleeps for a guessed time.

/** How long anything may take that a test waits for, milliseconds. */
export const PATIENCE = 20_000;

/** How long a browser may take to start, milliseconds. */
export const LAUNCH_PATIENCE = 60_000;

/**
 * Asks `probe` again and again until it gives something truthy, and gives that.
 * A probe that throws has not given anything yet; its last error is told when the bound is met.
 * @template T
 * @param {string} what  for the message when it never comes
 * @param {() => T | Promise<T>} probe
 * @param {number} [patience]  milliseconds
 * @returns {Promise<Exclude<T, undefined | null | false>>}
 */
export async function eventually(what, probe, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return /** @type {any} */ (value);
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`, { cause: last });
    await new Promise((resume) => setTimeout(resume, 25));
  }
}

/**
 * `promise`, or an error after `patience` milliseconds.
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @param {number} [patience]
 * @returns {Promise<T>}
 */
export async function within(what, promise, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
