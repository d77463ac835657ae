// Readers made of software at a real pcscd (tests/src/bin/pcscd-desk.rs), and cards for them (virtual-card).

import { Child, program } from './child.js';

/** @typedef {import('./tidy.js').Tidy} Tidy */

export class Reader {
  #child;

  /** @param {Child} child @param {number} port @param {string} socket */
  constructor(child, port, socket) {
    this.#child = child;
    this.port = port;
    /** For an agent that is to find this pcscd and no other. @type {NodeJS.ProcessEnv} */
    this.environment = { PCSCLITE_CSOCK_NAME: socket };
  }

  /** @param {Tidy} tidy */
  static async start(tidy) {
    const child = new Child(program('pcscd-desk'), [], { ...process.env }, tidy);
    const port = Number(await child.line('port '));
    const reader = new Reader(child, port, await child.line('listening on '));
    // It keeps pcscd as long as its standard input is open, and ends it then.
    tidy.later(() => child.endInput());
    return reader;
  }

  /** Waits until pcscd sees a card, or none: it looks at such readers every 400 ms. @param {boolean} card */
  async sees(card) {
    await this.#child.ask(card ? 'present' : 'empty', 'seen');
  }
}

export class Card {
  #child;
  #reader;

  /** @param {Child} child @param {Reader} reader */
  constructor(child, reader) {
    this.#child = child;
    this.#reader = reader;
  }

  /**
   * Makes a card and puts it into the reader.
   * @param {Reader} reader
   * @param {string[]} args  of virtual-card: the kind, and what is special about it
   * @param {Tidy} tidy
   */
  static async insert(reader, args, tidy) {
    const child = new Child(program('virtual-card'), [...args, '--port', String(reader.port), '--verbose'], { ...process.env }, tidy);
    tidy.later(() => child.endInput());
    const card = new Card(child, reader);
    await child.line('is in the reader');
    return card;
  }

  /** Takes it out, whatever is going on, and waits until that is seen. */
  async remove() {
    await this.#child.ask('remove', 'The card is out.');
    await this.#reader.sees(false);
  }

  /** Puts it in again, and waits until that is seen. */
  async putBack() {
    await this.#child.ask('insert', 'is in the reader');
    await this.#reader.sees(true);
  }

  /** What was said to it and what it answered; PINs are left out. */
  get log() {
    return this.#child.out;
  }

  /** How often it was given a PIN: each may cost a try. */
  get verifications() {
    return this.log.split('\n').filter((line) => line.includes('# VERIFY PIN')).length;
  }
}
