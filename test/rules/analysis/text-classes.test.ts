import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { textClasses, type TextWords } from '../../../src/rules/analysis/text-classes.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());

/** What the words say of a text. */
function kindOf(text: string, { equal, begins, ends, parts }: TextWords): string {
  return [
    ...equal.map((word) => text === word),
    ...begins.map((word) => text.startsWith(word)),
    ...ends.map((word) => text.endsWith(word)),
    ...parts.map((word) => text.includes(word)),
  ]
    .map(Number)
    .join('');
}

const ALL: readonly string[] = Array.from({ length: 7 })
  .reduce<string[][]>(
    (levels) => [
      ...levels,
      (levels.at(-1) ?? []).flatMap((text) => ['a', 'b', '-'].map((one) => text + one)),
    ],
    [['']],
  )
  .flat();

const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 });
const words = fc.uniqueArray(word, { maxLength: 2 });

describe('kinds of texts', () => {
  it('are all found, as those of 3280 texts tried', () => {
    fc.assert(
      fc.property(fc.record({ equal: words, begins: words, ends: words, parts: words }), (asked) => {
        const { texts, complete } = textClasses(asked, 1);
        const found = new Set(texts.map((text) => kindOf(text, asked)));
        expect(complete).toBe(true);
        expect(found.size).toBe(texts.length);
        expect(ALL.filter((text) => !found.has(kindOf(text, asked)))).toEqual([]);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('several of each kind where there are several', () => {
    fc.assert(
      fc.property(fc.record({ equal: words, begins: words, ends: words, parts: words }), (asked) => {
        const count = new Map<string, number>();
        for (const text of new Set(textClasses(asked, 3).texts)) {
          const kind = kindOf(text, asked);
          count.set(kind, (count.get(kind) ?? 0) + 1);
        }
        const all = new Map<string, number>();
        for (const text of ALL) {
          const kind = kindOf(text, asked);
          all.set(kind, (all.get(kind) ?? 0) + 1);
        }
        const few = [...all].filter(([kind, there]) => (count.get(kind) ?? 0) < Math.min(3, there));
        expect(few).toEqual([]);
      }),
      { seed, numRuns: 100 },
    );
  });

  it('are told to be too many', () => {
    const parts = Array.from({ length: 20 }, (_, at) => `${String.fromCharCode(97 + at)}!`);
    expect(textClasses({ equal: [], begins: [], ends: [], parts }, 1).complete).toBe(false);
    const broken = { equal: ['\ud800'], begins: [], ends: [], parts: [] };
    expect(textClasses(broken, 1)).toMatchObject({ texts: ['\ud800'], complete: false });
  });
});
