// The person in a script: answers the agent's windows through a real pinentry process
// (tests/src/bin/scripted-pinentry.rs says what the answers are).

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isAlive, program } from './child.js';
import { eventually } from './wait.js';

export class Person {
  #folder;

  /** @param {string} folder  will be made */
  constructor(folder) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    this.answers();
    writeFileSync(this.pinentry, `#!/bin/sh\nexec '${program('scripted-pinentry')}' '${folder}'\n`);
    chmodSync(this.pinentry, 0o700);
  }

  /** What the agent is told to use as its pinentry. */
  get pinentry() {
    return join(this.#folder, 'pinentry');
  }

  /**
   * The answers to come, one to a window: `yes`, `no`, `pin 1234`, `cancel`, `hang`, `held yes`;
   * tests/src/pinentry/script.rs has the rest. What was shown before is forgotten.
   * @param {...string} answers
   */
  answers(...answers) {
    for (const name of ['go', 'shown']) rmSync(join(this.#folder, name), { force: true });
    // Not written here: a window of before, about to be closed, may have its hand in them still.
    execFileSync(program('scripted-pinentry'), [this.#folder, 'will-answer', ...answers], { timeout: 30_000 });
  }

  /** Gives the answer that was `held`. */
  release() {
    writeFileSync(join(this.#folder, 'go'), '');
  }

  /** Everything shown since the last `answers`. */
  get shown() {
    const path = join(this.#folder, 'shown');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** The answers that were not given yet. */
  get left() {
    return readFileSync(join(this.#folder, 'answers'), 'utf8');
  }

  /** How many windows were opened since the last `answers`. */
  get windows() {
    return this.shown.split('\n').filter((line) => line.startsWith('OPENED')).length;
  }

  /** Waits until `text` was shown, and gives everything shown. @param {string | RegExp} text */
  seen(text) {
    return eventually(`${text} in the agent's window`, () => {
      const shown = this.shown;
      return (typeof text === 'string' ? shown.includes(text) : text.test(shown)) && shown;
    });
  }

  /** Waits until a question is open. */
  asked() {
    return eventually("a question in the agent's window", () =>
      /^(GETPIN|CONFIRM)/.test(this.shown.trimEnd().split('\n').at(-1) ?? ''));
  }

  /** Waits until every window that was opened is closed; there must have been one. */
  closed() {
    if (!this.shown.includes('OPENED')) throw new Error('no window was opened');
    return this.gone();
  }

  /** Waits until no window is open. */
  gone() {
    const ids = [...this.shown.matchAll(/^OPENED (\d+)/gm)].map((match) => Number(match[1]));
    return eventually("the end of the agent's windows", () => !ids.some(isAlive), 15_000);
  }
}
