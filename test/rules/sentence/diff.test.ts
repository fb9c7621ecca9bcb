import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diffRules, type SaidSet } from '../../../src/rules/sentence/rule-diff.js';
import { diffWords } from '../../../src/rules/sentence/word-diff.js';
import { hostile } from './any-rule.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const sentence = fc.array(fc.oneof(hostile, fc.constantFrom('状态', '为', ' ', 'done', '3', '\n')), {
  maxLength: 30,
});

describe('what changed in a sentence', () => {
  it('gives both sentences again, and is nothing when nothing did', () => {
    fc.assert(
      fc.property(sentence, sentence, fc.nat(), fc.nat(4), (one, other, at, remove) => {
        const before = one.join('');
        const start = at % (one.length + 1);
        for (const after of [other.join(''), one.toSpliced(start, remove, ...other.slice(0, 2)).join('')]) {
          const pieces = diffWords(before, after);
          const without = (kind: string): string =>
            pieces.flatMap((piece) => (piece.kind === kind ? [] : piece.text)).join('');
          expect(without('added')).toBe(before);
          expect(without('removed')).toBe(after);
          if (before === after) expect(pieces.every(({ kind }) => kind === 'same')).toBe(true);
          for (const [index, { kind, text }] of pieces.entries()) {
            expect(text).not.toBe('');
            expect(pieces[index + 1]?.kind).not.toBe(kind);
          }
        }
      }),
      { seed, numRuns: 2000 },
    );
  });

  it('is the words that changed', () => {
    const shown = (before: string, after: string): string =>
      diffWords(before, after)
        .map(({ kind, text }) => ({ same: text, removed: `[-${text}-]`, added: `{+${text}+}` })[kind])
        .join('');
    expect(shown('状态（status）为「待办」（1）；', '状态（status）为「拒绝」（2）；')).toBe(
      '状态（status）为「[-待办-]{+拒绝+}」（[-1-]{+2+}）；',
    );
    expect(shown('is “to do” (1),\nand x', 'is “done” (3),\nand x')).toBe(
      'is “[-to do-]{+done+}” ([-1-]{+3+}),\nand x',
    );
    expect(shown('24 work hours', '2 workdays')).toBe('[-24 work hours-]{+2 workdays+}');
  });

  it('tells much that changed as one change, at once', () => {
    const words = (letter: string): string =>
      Array.from({ length: 5000 }, (_, at) => `${letter}${at}`).join(' ');
    expect(diffWords(words('a'), words('b')).length).toBeLessThan(4);
  });
});

describe('what differs between two rule sets', () => {
  const said = (name: string, more: object = {}): SaidSet['rules'][number] => ({
    name,
    document: { name, enabled: true, ...more } as never,
    sentence: { zh: name, en: name },
  });
  const set = (...rules: readonly SaidSet['rules'][number][]): SaidSet => ({ rules, conditions: [] });
  const names = (list: readonly { readonly name: string }[]): readonly string[] =>
    list.map(({ name }) => name);

  it('is what was added, removed, changed, and renamed when nothing but the name differs', () => {
    const { rules } = diffRules(
      set(said('a'), said('b', { priority: 2 }), said('c', { priority: 3 }), said('d', { owner: 'x' })),
      set(
        said('d', { owner: 'y' }),
        said('e', { priority: 3 }),
        said('f'),
        said('b', { priority: 2 }),
        said('g'),
      ),
    );
    expect(rules.renamed).toEqual([
      { from: 'a', to: 'f' },
      { from: 'c', to: 'e' },
    ]);
    expect(names(rules.added)).toEqual(['g']);
    expect(names(rules.removed)).toEqual([]);
    expect(rules.changed).toMatchObject([{ name: 'd', before: said('d', { owner: 'x' }) }]);
  });

  it('is not what the catalogue calls things, nor the order of keys', () => {
    const before = { ...said('a', { labels: { x: '1', y: '2' } }), sentence: { zh: '一', en: 'one' } };
    const after = { ...said('a', { labels: { y: '2', x: '1' } }), sentence: { zh: '二', en: 'two' } };
    expect(diffRules(set(before), set(after)).rules).toEqual({
      added: [],
      removed: [],
      changed: [],
      renamed: [],
    });
  });

  it('is a named condition that is another one now', () => {
    const condition = (value: number, name = 'is-done'): SaidSet['conditions'][number] => ({
      name,
      document: { fact: 'status', operator: 'equal', value },
      sentence: { zh: `${value}`, en: `${value}` },
    });
    const { conditions } = diffRules(
      { rules: [], conditions: [condition(1), condition(7, 'old')] },
      { rules: [], conditions: [condition(2), condition(7, 'new')] },
    );
    expect(names(conditions.changed)).toEqual(['is-done']);
    expect(conditions.renamed).toEqual([{ from: 'old', to: 'new' }]);
  });
});
