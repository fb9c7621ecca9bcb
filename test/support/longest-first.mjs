// Files that take long begin first: one that begins last is waited for by all others. How long each took is known where
// tests have run before; elsewhere, as in CI, its folder tells.
import TestSequencer from '@jest/test-sequencer';

/** The longest first; what is in none of them is short. */
const LONG = ['/browser/', '/flows/', '/cli/', '/ingestion/', '/analysis/', '/cases/'];

export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    if (sorted.every(({ duration }) => duration !== undefined)) return sorted;
    const rank = ({ path }) => {
      const at = LONG.findIndex((part) => path.includes(part));
      return at === -1 ? LONG.length : at;
    };
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
