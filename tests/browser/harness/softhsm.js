// A SoftHSM token with a person's certificate, for PKCS#11 in earnest (tests/src/bin/softhsm-card.rs).

import { Child, program } from './child.js';

/**
 * @typedef {object} SoftHsm
 * @property {{ path: string, environment: NodeJS.ProcessEnv }} module  for the agent
 * @property {string} pin
 * @property {string} root  a PEM file
 * @property {string} name  the person's
 */

/**
 * @param {import('./tidy.js').Tidy} tidy
 * @param {{ name?: string, snils?: string }} [person]
 * @returns {Promise<SoftHsm>}
 */
export async function softHsm(tidy, person = {}) {
  const args = [person.name ?? 'Образцова Вера Тестовна', ...(person.snils ? [person.snils] : [])];
  const child = new Child(program('softhsm-card'), args, { ...process.env }, tidy);
  const card = JSON.parse(await child.line('ready '));
  // It keeps the token as long as its standard input is open, and removes it then.
  tidy.later(() => child.endInput());
  return card;
}
