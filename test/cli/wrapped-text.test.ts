// Pure.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uncoloured, wrapped } from '../../src/cli/wrapped-text.js';
import { displayWidth } from '../../src/config/terminal-text.js';

describe('text in lines', () => {
  it('ends lines at blanks where it can', () => {
    expect(wrapped('the rule is off since Monday', 20)).toEqual(['the rule is off', 'since Monday']);
    // A long word does not leave most of a line empty.
    expect(wrapped('missing lookup.user.name and more', 20)).toEqual([
      'missing lookup.user.',
      'name and more',
    ]);
    expect(wrapped('one two three four', 9)).toEqual(['one two', 'three', 'four']);
  });

  it('carries colours over to the next line', () => {
    const [first, second] = wrapped('\u001b[31mabcdefgh\u001b[39m', 5);
    expect([first, second]).toEqual(['\u001b[31mabcde\u001b[0m', '\u001b[31mfgh\u001b[39m']);
  });

  it('loses nothing but blanks and is never too wide, whatever the text', () => {
    const piece = fc.constantFrom('a', '完', ' ', '.', '\u001b[31m', '\u001b[39m', '👍', 'é', '\n');
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 2, max: 12 }), (pieces, room) => {
        const text = pieces.join('');
        const lines = wrapped(text, room);
        const plain = (one: string): string => uncoloured(one).replace(/[ \n]/g, '');
        expect(plain(lines.join(''))).toBe(plain(text));
        for (const line of lines) expect(displayWidth(uncoloured(line))).toBeLessThanOrEqual(room);
      }),
    );
  });
});
