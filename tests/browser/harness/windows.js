// The agent's own windows, in a real pinentry on a display of their own, and a plugin that makes the agent open them.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { memoryStore } from '../../../extension/tests/setup.js';
import { Agent as Plugin } from '../../../extension/background/agent.js';
import { pairByDigits } from '../../../extension/background/pairing.js';
import { Agent } from './agent.js';
import { Child, ROOT } from './child.js';
import { within } from './wait.js';

/** The display's size: larger than any window may be, so that one which is too large can be seen to be. */
const DISPLAY_SIZE = '1280x1024x24';
/** Where the pictures are for people to look at. */
export const PICTURES = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'screenshots', 'agent-window');

/** @typedef {{ name: string, title: string, width?: number, height?: number, problem?: string }} Shown */

/** Where a program is, on PATH. @param {string} name */
function onPath(name) {
  const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  const path = places.find((place) => existsSync(place));
  if (!path) throw new Error(`${name} is not on PATH; scripts/with-tools ${name} -- COMMAND installs it`);
  return path;
}

/** A display that nobody sees, and a photographer in front of it. */
export class Windows {
  #folder = '';
  #display = '';

  /** @param {import('./tidy.js').Tidy} tidy */
  static async open(tidy) {
    const windows = new Windows();
    windows.tidy = tidy;
    windows.#folder = tidy.folder();
    const args = ['-displayfd', '1', '-fbdir', windows.#folder, '-screen', '0', DISPLAY_SIZE, '-dpi', '96',
      '-br', '-nocursor', '-nolisten', 'tcp'];
    const server = new Child(onPath('Xvfb'), args, { PATH: process.env.PATH }, tidy);
    windows.#display = `:${await server.line('')}`;
    return windows;
  }

  /** @type {import('./tidy.js').Tidy} */
  tidy;

  /**
   * A running agent whose windows are photographed, and a plugin for it that is not paired yet.
   * @param {import('./agent.js').AgentOptions} options
   */
  async agent(options) {
    const home = this.tidy.folder();
    const photographs = join(home, 'photographs');
    mkdirSync(photographs);
    mkdirSync(PICTURES, { recursive: true });
    // Named as the program it shows, by which the agent knows that this is a window and no terminal.
    const pinentry = join(photographs, 'pinentry-gtk-2');
    const script = join(ROOT, 'tests/browser/harness/photographer.js');
    writeFileSync(pinentry, `#!/bin/sh\nexec '${process.execPath}' '${script}' '${photographs}'\n`);
    chmodSync(pinentry, 0o700);
    writeFileSync(join(photographs, 'answers'), '');
    writeFileSync(join(photographs, 'settings.json'), JSON.stringify({
      display: this.#display,
      screen: join(this.#folder, 'Xvfb_screen0'),
      pinentry: onPath('pinentry-gtk-2'),
      pictures: PICTURES,
    }));
    const agent = new Agent(home, this.tidy, { ...options, pinentry, environment: { DISPLAY: this.#display } });
    await agent.start();
    return new Photographed(agent, photographs);
  }
}

/** An agent whose windows are photographed. */
export class Photographed {
  #folder;

  /** @param {Agent} agent @param {string} folder */
  constructor(agent, folder) {
    this.agent = agent;
    this.#folder = folder;
    this.plugin = new Plugin({ store: memoryStore(), native: async () => null, ports: [agent.port] });
  }

  /** Starts the agent anew with other tokens; it remembers its pairings. @param {import('./agent.js').AgentOptions} options */
  async restart(options) {
    this.agent.configure(options);
    await this.agent.restart();
    this.plugin.reset();
  }

  /**
   * Pairs; each answer is `NAME ANSWER` as photographer.js has them.
   * @param {string} name  what the plugin calls itself
   * @param {...string} answers
   */
  pair(name, ...answers) {
    return this.#shown(answers, () => pairByDigits(this.plugin, name, new AbortController().signal, () => {}, Promise.resolve()));
  }

  /**
   * One operation to its end.
   * @param {'confirmations' | 'signatures' | 'certificates'} kind
   * @param {Record<string, unknown>} body
   * @param {...string} answers
   * @returns {Promise<Shown[]>}
   */
  ask(kind, body, ...answers) {
    return this.#shown(answers, async () => {
      let { body: operation } = await this.plugin.request('POST', `/v1/${kind}`, { body });
      while (!FINAL.has(operation.state)) {
        ({ body: operation } = await this.plugin.request('GET', `/v1/${kind}/${operation.id}`, { wait: 20 }));
      }
      this.operation = operation;
    });
  }

  /** What the last operation came to. @type {any} */
  operation;

  /** The windows that `act` made the agent show. @param {string[]} answers @param {() => Promise<unknown>} act @returns {Promise<Shown[]>} */
  async #shown(answers, act) {
    const shown = join(this.#folder, 'shown');
    writeFileSync(join(this.#folder, 'answers'), answers.map((answer) => `${answer}\n`).join(''));
    writeFileSync(shown, '');
    await within('the end of the operation', act(), 60_000);
    return readFileSync(shown, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
}

const FINAL = new Set(['done', 'failed', 'cancelled', 'expired']);
