// A card whose PIN locks or is typed on the reader (tests/src/bin/evil-card.rs).

import { Child, program } from './child.js';

/**
 * @param {import('./tidy.js').Tidy} tidy
 * @param {{ name: string, label: string, pad?: boolean }} card
 * @returns {Promise<import('./softhsm.js').SoftHsm>}
 */
export async function evilCard(tidy, { name, label, pad }) {
  const child = new Child(program('evil-card'), [name, label, ...(pad ? ['pad'] : [])], { ...process.env }, tidy);
  const card = JSON.parse(await child.line('ready '));
  // It keeps the card as long as its standard input is open, and removes it then.
  tidy.later(() => child.endInput());
  return card;
}
