// A pinentry that shows the agent's windows in a real one, takes their pictures, and answers by a script.
//
// `photographer.js FOLDER`: at each question it takes the first line of FOLDER/answers away, `NAME ANSWER`,
// opens the window, writes its picture to PICTURES/NAME.png as soon as it is drawn, closes it, and gives the
// answer: `pin 1234`, `yes`, `no`, `cancel`. Pages before the last are turned by themselves; their pictures are
// NAME-1, NAME-2 and so on. FOLDER/settings.json: { display, screen, pinentry, pictures }. FOLDER/shown has a
// line of JSON for every window: { name, title, width, height }, or { name, problem }.

import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

import { drawn, png, windowsOf } from './picture.js';
import { eventually } from './wait.js';

/** What the button says that turns a page. */
const NEXT_PAGE = ['Next page', 'Следующая страница'];
/** The fewest pixels that any of the agent's windows draws on its ground: those of some dozens of letters. */
const LEAST_DRAWN = 1_000;

/** @typedef {{ display: string, screen: string, pinentry: string, pictures: string }} Settings */

class Photographer {
  /** What the agent has said of the windows so far, by command; the last word counts. @type {Map<string, string>} */
  #said = new Map();
  #pages = 0;

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    /** @type {Settings} */
    this.settings = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8'));
  }

  /** The answer to one command of the agent. @param {string} line */
  async answer(line) {
    const command = line.split(' ', 1)[0];
    if (command === 'GETPIN' || command === 'CONFIRM') return this.#question(line);
    if (command === 'GETINFO') return 'D gtk2\nOK';
    this.#said.set(command === 'OPTION' ? line : command, line);
    return 'OK';
  }

  /** @param {string} question */
  async #question(question) {
    const path = join(this.folder, 'answers');
    const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n');
    const [, name = 'unexpected', answer = 'cancel'] = /^(\S+) (.*)$/.exec(first) ?? [];
    const turns = NEXT_PAGE.includes(this.#text('SETOK'));
    if (turns || this.#pages > 0) this.#pages++;
    const page = this.#pages === 0 ? name : `${name}-${this.#pages}`;
    if (!turns) {
      this.#pages = 0;
      writeFileSync(path, rest.join('\n'));
    }
    await this.#photograph(page, question);
    this.#said.delete('SETERROR'); // It is of one window only.
    const [what, pin] = (turns ? 'yes' : answer).split(' ');
    if (what === 'pin') return `D ${pin}\nOK`;
    if (what === 'yes') return 'OK';
    return what === 'no' ? 'ERR 83886194 Not confirmed <Pinentry>' : 'ERR 83886179 Operation cancelled <Pinentry>';
  }

  /** @param {string} name @param {string} question */
  async #photograph(name, question) {
    const title = this.#text('SETTITLE');
    const told = (/** @type {object} */ more) =>
      appendFileSync(join(this.folder, 'shown'), `${JSON.stringify({ name, title, ...more })}\n`);
    await eventually('an empty display', () => !this.#window());
    const pinentry = spawn(this.settings.pinentry, [], {
      env: { ...process.env, DISPLAY: this.settings.display, NO_AT_BRIDGE: '1' },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const ended = new Promise((resume) => pinentry.once('close', resume).once('error', resume));
    pinentry.stdin.on('error', () => {});
    pinentry.stdin.write([...this.#said.values(), question, ''].join('\n'));
    try {
      const window = await eventually('a window on the display', () => this.#settled(), 10_000);
      writeFileSync(join(this.settings.pictures, `${name}.png`), png(window));
      told({ width: window.width, height: window.height });
    } catch (error) {
      told({ problem: error.message });
    }
    pinentry.kill('SIGKILL');
    await ended;
  }

  #window() {
    return windowsOf(this.settings.screen);
  }

  /** The window, once it is drawn: two looks, a while apart, see the same. */
  async #settled() {
    const before = this.#window();
    if (!before || drawn(before) < LEAST_DRAWN) return undefined;
    await new Promise((resume) => setTimeout(resume, 60));
    const after = this.#window();
    return after?.rgb.equals(before.rgb) ? after : undefined;
  }

  /** The argument of a command, without Assuan's escapes. @param {string} command */
  #text(command) {
    const argument = this.#said.get(command)?.slice(command.length + 1) ?? '';
    return decodeURIComponent(argument.replace(/%(?![0-9A-F]{2})/gi, '%25'));
  }
}

/** @param {string} folder */
async function main(folder) {
  const photographer = new Photographer(folder);
  process.stdout.write('OK Pleased to meet you\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await photographer.answer(line);
    process.stdout.write(`${line === 'BYE' ? 'OK' : answer}\n`);
    if (line === 'BYE') return;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2]);
