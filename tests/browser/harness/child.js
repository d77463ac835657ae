// A program that was started, with its first words and its log.

import { spawn, execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { killAtExit } from './tidy.js';
import { within } from './wait.js';

/** The top of the repository. */
export const ROOT = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/**
 * Where cargo left `name`. `EID_BIN` names another directory.
 * @param {string} name
 */
export function program(name) {
  const folder = process.env.EID_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug');
  const path = join(folder, name);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: cargo build -p agent -p portal -p fixtures -p system-tests --bins`);
  }
  return path;
}

/** A running program. */
export class Child {
  #process;
  #out = '';
  #err = '';
  #listeners = new Set();

  /**
   * @param {string} path
   * @param {string[]} args
   * @param {NodeJS.ProcessEnv} env
   * @param {import('./tidy.js').Tidy} tidy
   */
  constructor(path, args, env, tidy) {
    // In a group of its own, so that what it starts ends with it.
    this.#process = spawn(path, args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const gone = killAtExit(this.#process.pid ?? 0);
    this.#process.stdin.on('error', () => {});
    this.#process.stdout.setEncoding('utf8').on('data', (text) => {
      this.#out += text;
      this.#heard();
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text) => (this.#err += text));
    /** Its exit code, or the signal that ended it. @type {Promise<number | string>} */
    this.ended = new Promise((resume, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', (code, signal) => {
        gone();
        resume(code ?? signal ?? 'unknown');
        this.#heard();
      });
    });
    this.ended.catch(() => {});
    tidy.later(() => this.stop());
  }

  #heard() {
    this.#listeners.forEach((listener) => listener());
  }

  /** Standard error so far. */
  get log() {
    return this.#err;
  }

  /** Standard output so far. */
  get out() {
    return this.#out;
  }

  get id() {
    return this.#process.pid ?? 0;
  }

  /**
   * The rest of the first line of standard output that holds `marker`.
   * @param {string} marker
   * @param {number} [from]  leaves out so many characters that were said before
   * @returns {Promise<string>}
   */
  async line(marker, from = 0) {
    const found = new Promise((resume, reject) => {
      const look = () => {
        const line = this.#out.slice(from).split('\n').slice(0, -1).find((line) => line.includes(marker));
        if (line === undefined) return;
        this.#listeners.delete(look);
        resume(line.slice(line.indexOf(marker) + marker.length).trim());
      };
      this.#listeners.add(look);
      this.ended.then((code) => reject(new Error(`it ended (${code})`)), reject);
      look();
    });
    try {
      return await within(`a line with ${JSON.stringify(marker)}`, found);
    } catch (error) {
      throw new Error(`${this.#process.spawnfile}: ${error.message}; it said:\n${this.#out}${this.#err}`);
    }
  }

  /**
   * Writes a line to its standard input and waits for a new line of its output that holds `marker`.
   * @param {string} question
   * @param {string} marker
   */
  async ask(question, marker) {
    const heard = this.#out.length;
    this.#process.stdin.write(`${question}\n`);
    return this.line(marker, heard);
  }

  /** Closes its standard input. */
  endInput() {
    this.#process.stdin.end();
  }

  /**
   * Ends it, and waits until it has ended.
   * @param {NodeJS.Signals} [signal]
   */
  async stop(signal = 'SIGTERM') {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill(signal);
    try {
      return await within(`the end of ${this.#process.spawnfile}`, this.ended, 10_000);
    } catch (error) {
      this.#process.kill('SIGKILL');
      throw error;
    }
  }
}

/**
 * Runs a program to its end and gives its standard output; an exit status other than 0 is an error.
 * @param {string} path
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<string>}
 */
export function run(path, args, options = {}) {
  return new Promise((resume, reject) => {
    const child = execFile(path, args, { timeout: 60_000, ...options }, (error, out, err) => {
      if (error) reject(new Error(`${path} ${args.join(' ')}: ${error.message}\n${out}${err}`));
      else resume(out);
    });
    child.stdin?.end();
  });
}

/** Whether process `id` runs; one that only waits for its parent to notice its end does not. @param {number} id */
export function isAlive(id) {
  try {
    // The name in parentheses may hold anything; the state comes after it (proc_pid_stat(5)).
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}
