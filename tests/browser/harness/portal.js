// A real eid-portal, reached by browsers at https://portal.test:PORT.

import { Child, program } from './child.js';

export class Portal {
  #child;

  /** @param {Child} child */
  constructor(child) {
    this.#child = child;
  }

  /**
   * @param {import('./sites.js').Sites} sites
   * @param {string[]} roots  PEM files of the test roots it accepts
   * @param {import('./tidy.js').Tidy} tidy
   * @param {string[]} [more]  further arguments
   */
  static async start(sites, roots, tidy, more = []) {
    const args = ['--listen', '127.0.0.1:0', '--origin', sites.origin(), ...roots.flatMap((root) => ['--test-root', root])];
    const child = new Child(program('eid-portal'), [...args, ...more], { PATH: process.env.PATH }, tidy);
    sites.portalAt(await child.line('listening on '));
    return new Portal(child);
  }

  /** Everything it logged. */
  get log() {
    return this.#child.log;
  }
}
