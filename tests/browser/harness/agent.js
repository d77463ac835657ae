// A real eid-agent, in a home of its own.

import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { Child, isAlive, program, run } from './child.js';
import { Person } from './person.js';
import { atExit } from './tidy.js';
import { eventually } from './wait.js';

/** The PIN of the embedded software token. */
export const SOFTWARE_PIN = '1234';

/**
 * @typedef {object} AgentOptions
 * @property {boolean} [software]  with the embedded software token; true unless told
 * @property {{ path: string, environment: NodeJS.ProcessEnv }} [module]  a PKCS#11 module
 * @property {import('./reader.js').Reader} [reader]  a pcscd with readers; without it the agent looks for none
 * @property {string} [language]  of the windows, `en` unless told
 * @property {string} [configuration]  more lines of config.toml, whole dotted keys
 * @property {string} [tables]  tables of config.toml
 * @property {string} [pinentry]  instead of the person in a script
 * @property {NodeJS.ProcessEnv} [environment]  more of it
 */

export class Agent {
  /** @type {Child | undefined} */
  #child;
  #tidy;
  #options;

  /**
   * Set up, but not started.
   * @param {string} home  the person's home directory
   * @param {import('./tidy.js').Tidy} tidy
   * @param {AgentOptions} [options]
   */
  constructor(home, tidy, options = {}) {
    this.home = home;
    this.#tidy = tidy;
    this.#options = options;
    this.state = join(home, 'state');
    this.runtime = join(home, 'run');
    this.person = new Person(join(home, 'person'));
    this.port = 0;
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
    this.configure(options);
    tidy.later(() => this.stopStarted());
    atExit(() => this.startedByNativeHost().forEach((id) => end(id, 'SIGKILL')));
  }

  /** Writes the configuration; takes effect at the next start. @param {AgentOptions} options */
  configure(options) {
    this.#options = { ...this.#options, ...options };
    const { software = true, module, reader, language = 'en', configuration = '', tables = '', pinentry = this.person.pinentry } = this.#options;
    const folder = join(this.home, '.config', 'eid-agent');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.toml'), [
      configuration,
      // For a daemon that the native host starts; never the usual ports of this machine.
      'port = 0',
      'prompt.kind = "pinentry"',
      `prompt.pinentry = ${JSON.stringify(pinentry)}`,
      `prompt.language = "${language}"`,
      `cards.enabled = ${reader !== undefined}`,
      `software.enabled = ${software}`,
      'rates.operations_per_minute = 1000',
      'rates.requests_per_minute = 10000',
      'pkcs11.search = false',
      `pkcs11.modules = [${module ? `{ path = ${JSON.stringify(module.path)} }` : ''}]`,
      tables,
      '',
    ].join('\n'));
  }

  /** Nothing of this machine's own set-up shows through. @returns {NodeJS.ProcessEnv} */
  get environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      LANG: 'C.UTF-8',
      TMPDIR: process.env.TMPDIR,
      ...this.#options.module?.environment,
      ...this.#options.reader?.environment,
      ...this.#options.environment,
    };
  }

  /** Runs a subcommand beside the daemon. @param {...string} args */
  cli(...args) {
    return run(program('eid-agent'), ['--state', this.state, '--runtime', this.runtime, ...args], {
      env: this.environment,
    });
  }

  /** Starts the daemon and waits until it listens. @param {number} [port] */
  async start(port = 0) {
    const args = ['--state', this.state, '--runtime', this.runtime, 'run', '--port', String(port), '--log', 'debug'];
    this.#child = new Child(program('eid-agent'), args, this.environment, this.#tidy);
    this.port = Number((await this.#child.line('listening on ')).split(':').at(-1));
    return this;
  }

  /** Ends it and starts it again at the same port; it has forgotten its rates then. @param {number} [port] */
  async restart(port = this.port) {
    await this.stop();
    await this.start(port);
  }

  /** The ids of daemons of this home that a browser's native host started. */
  startedByNativeHost() {
    const own = this.#child?.id;
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => {
      if (id === own) return false;
      const words = commandLine(id);
      return words[0]?.endsWith('eid-agent') && words.includes('run') && words.includes(this.state);
    });
  }

  /** The ids of the native hosts of this name that browsers started. @param {string} name */
  nativeHosts(name) {
    return readdirSync('/proc').filter((id) => /^\d+$/.test(id)).map(Number).filter((id) => {
      const words = commandLine(id);
      return words.includes('native-host') && words.includes(name) && words.includes(this.state);
    });
  }

  /** Ends those. */
  async stopStarted() {
    for (const id of this.startedByNativeHost()) end(id, 'SIGTERM');
    await eventually('the end of the daemon that the native host started', () => !this.startedByNativeHost().some(isAlive));
  }

  /** Its version. */
  async version() {
    return (await this.cli('--version')).trim().split(' ').at(-1);
  }

  /** Ends the daemon; `SIGKILL` is a crash. @param {NodeJS.Signals} [signal] */
  async stop(signal) {
    await this.#child?.stop(signal);
  }

  /** Everything the daemon logged, at level debug. */
  get log() {
    return this.#child?.log ?? '';
  }

  /** The root of the embedded software token's authority, a PEM file. */
  async softwareRoot() {
    await this.cli('tokens', '--software-token');
    return join(this.state, 'software-token', 'root.pem');
  }

  /** The pairings the daemon keeps. @returns {Promise<{ id: string, name: string }[]>} */
  async pairings() {
    const { pairings } = JSON.parse(await this.cli('pairings', 'list', '--json'));
    return pairings;
  }

  /** The history, oldest first. @returns {Promise<Record<string, unknown>[]>} */
  async history() {
    return JSON.parse(await this.cli('history', '--json')).entries;
  }
}

/** @param {number} id */
function commandLine(id) {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It ended meanwhile.
  }
}

/** @param {number} id @param {NodeJS.Signals} signal */
function end(id, signal) {
  try {
    process.kill(id, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Ports nothing takes by chance: below those that systems hand out to connections and to servers that ask for any. */
const BY_NAME_ONLY = { from: 20_000, to: 32_000 };

/** Where a port is kept from other tests: their ears are on 127.0.0.1, as are those of all programs here. */
const KEPT_AT = '127.0.0.2';

/**
 * Ports that were free a moment ago, and stay so unless a program asks for one by its number; no other test does.
 * @param {number} count
 * @param {import('./tidy.js').Tidy} tidy  which gives them back
 * @returns {Promise<number[]>}
 */
export async function freePorts(count, tidy) {
  /** @type {number[]} */
  const ports = [];
  while (ports.length < count) {
    const port = randomInt(BY_NAME_ONLY.from, BY_NAME_ONLY.to);
    const keeper = await listening(port, KEPT_AT);
    if (!keeper) continue;
    tidy.later(() => closed(keeper));
    const free = await listening(port, '127.0.0.1');
    if (!free) continue;
    await closed(free);
    ports.push(port);
  }
  return ports;
}

/** @param {number} port @param {string} address @returns {Promise<net.Server | undefined>}  undefined if it is taken */
function listening(port, address) {
  return new Promise((resume) => {
    const server = net.createServer().once('error', () => resume(undefined));
    server.listen(port, address, () => resume(server));
  });
}

/** @param {net.Server} server */
const closed = (server) => new Promise((resume) => server.close(resume));
