// What a test made is gone when it ends: processes, directories, servers. In order, last made
// first; and whatever is left when this process ends for any reason is killed and removed then.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Process groups and directories that are still there. @type {Set<() => void>} */
const leftovers = new Set();
process.on('exit', () => leftovers.forEach((remove) => remove()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** `undo` is called when this process ends, however it does; it must not throw or wait. @param {() => void} undo */
export function atExit(undo) {
  leftovers.add(undo);
}

/** Things to undo. */
export class Tidy {
  #undo = [];

  /** `undo` will be awaited by `all`. @param {() => unknown} undo */
  later(undo) {
    this.#undo.push(undo);
  }

  /** A new temporary directory. */
  folder() {
    const path = mkdtempSync(join(tmpdir(), 'eid-browser-'));
    const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    leftovers.add(remove);
    this.later(() => {
      remove();
      leftovers.delete(remove);
    });
    return path;
  }

  /** Undoes everything, and tells the first failure after that. */
  async all() {
    const failures = [];
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#undo = [];
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Kills the process group of `id` if this process ends first. Call what it gives once it is gone.
 * @param {number} id
 */
export function killAtExit(id) {
  const kill = () => {
    try {
      process.kill(-id, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  leftovers.add(kill);
  return () => leftovers.delete(kill);
}
