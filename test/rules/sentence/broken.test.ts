// Sentences that no rule has: an error with its place, whatever was done to them.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SentenceError } from '../../../src/rules/sentence/cursor.js';
import { LANGUAGES } from '../../../src/rules/sentence/language.js';
import { readSentence, sentenceOf } from '../../../src/rules/sentence/rule-sentence.js';
import { anyRule, hostile, hostileWords } from './any-rule.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());

function errorOf(read: () => unknown): SentenceError | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof SentenceError) return error;
    throw error;
  }
}

describe('a broken sentence', () => {
  it('is refused with its place, or is another rule’s sentence', () => {
    let refused = 0;
    fc.assert(
      fc.property(anyRule, hostileWords, hostile, fc.nat(), fc.nat(12), (rule, words, insert, at, remove) => {
        for (const language of LANGUAGES) {
          const sentence = sentenceOf(rule, words, language);
          const start = at % (sentence.length + 1);
          const broken = sentence.slice(0, start) + insert + sentence.slice(start + remove);
          const error = errorOf(() => readSentence(broken, language));
          if (!error) continue;
          refused += 1;
          expect(error.offset).toBeLessThanOrEqual(broken.length);
          const lines = broken.slice(0, error.offset).split('\n');
          expect([error.line, error.column]).toEqual([lines.length, (lines.at(-1)?.length ?? 0) + 1]);
        }
      }),
      { seed, numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('is refused when it is cut off', () => {
    fc.assert(
      fc.property(anyRule, hostileWords, fc.nat(), (rule, words, at) => {
        for (const language of LANGUAGES) {
          const sentence = sentenceOf(rule, words, language);
          const cut = sentence.slice(0, at % sentence.length);
          const error = errorOf(() => readSentence(cut, language));
          // What stands behind a full stop may be missing; the rule is then one without it.
          if (!error) expect(cut).toMatch(/[。.]\n?$/);
        }
      }),
      { seed, numRuns: 1000 },
    );
  });

  it.each([
    ['', 1, 1],
    ['nothing', 1, 1],
    ['规则 a：当', 1, 7],
    ['规则 a：当b到达，\n且状态（status）', 2, 12],
    ['规则 a：当b到达，\n且状态（status）为 [1, 2', 2, 19],
    ['规则 a：当b到达，\n且状态（status）为 {"a": tru}', 2, 24],
    ['规则 a：当b到达。\n\n负责人：x。more', 3, 7],
  ])('%j is refused at %i:%i', (sentence, line, column) => {
    const error = errorOf(() => readSentence(sentence, 'zh'));
    expect([error?.line, error?.column]).toEqual([line, column]);
  });

  it('is refused when it is nested without end', () => {
    for (const [language, open] of [
      ['zh', '〔'],
      ['en', '['],
      ['zh', '并非〔'],
      ['en', 'not ['],
    ] as const) {
      const head = {
        zh: '规则 a：当b到达，\n则：\n  - c：若',
        en: 'Rule a: when b arrives,\nthen:\n  - c: if ',
      };
      const error = errorOf(() => readSentence(head[language] + open.repeat(100_000), language));
      expect(error?.message).toContain('nested deeper than 200 levels');
    }
    const body = `规则 a：当b到达，\n则：\n  - c：向 "u" 发送 POST 请求。\n\n其中 c 的请求体为 ${'['.repeat(200_000)}`;
    expect(errorOf(() => readSentence(body, 'zh'))).toBeInstanceOf(SentenceError);
  });
});
