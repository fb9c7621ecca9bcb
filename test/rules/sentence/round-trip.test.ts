// Sentences say all of a rule and nothing else: read back, they are the rule.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkFiles } from '../../../src/rules/check/check-files.js';
import type { RuleDocument } from '../../../src/rules/rule-document.js';
import { jsonText } from '../../../src/rules/sentence/json-form.js';
import { LANGUAGES, type SentenceWords } from '../../../src/rules/sentence/language.js';
import { readSentence, sentenceOf } from '../../../src/rules/sentence/rule-sentence.js';
import { fieldOfFact } from '../../../src/rules/state/fact-fields.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { healthyRuleFiles } from '../../support/rule-generator.js';
import { anyRule, hostileWords, plain } from './any-rule.js';
import { shareOf } from '../../support/proof-share.js';

const catalogue = expenseCatalogue();
const words: SentenceWords = {
  catalogue,
  fieldOf: (eventType, fact) => fieldOfFact(catalogue, eventType, fact),
};
const seed = Number(process.env['FC_SEED'] ?? Date.now());
const RULES = 2000;

function documentsOf(files: ReadonlyMap<string, string>): RuleDocument[] {
  const place = new Set(['file', 'line']);
  return checkFiles(files, catalogue).rules.map(
    (rule) =>
      Object.fromEntries(Object.entries(rule).filter(([key]) => !place.has(key))) as unknown as RuleDocument,
  );
}

/** Answers the sentences. */
function expectRoundTrip(rule: RuleDocument, by: SentenceWords): readonly string[] {
  return LANGUAGES.map((language) => {
    const sentence = sentenceOf(rule, by, language);
    const read = readSentence(sentence, language);
    if (!isDeepStrictEqual(read, rule)) expect([sentence, read]).toEqual([sentence, rule]);
    // As equal as it looks: also what toEqual takes for the same.
    if (!isDeepStrictEqual(read, rule)) throw new Error(`${sentence}\nis read as ${jsonText(read)}`);
    return sentence;
  });
}

describe('a sentence', () => {
  it(`is read as the rule that it was made of: ${RULES} rules that the loader takes, in both languages`, () => {
    const sentences = new Map<string, string>();
    let count = 0;
    for (let round = 0; count < RULES; round += 1) {
      const samples = fc.sample(healthyRuleFiles(catalogue), { seed: seed + round, numRuns: 200 });
      for (const rule of samples.flatMap(documentsOf)) {
        count += 1;
        const document = jsonText(rule);
        for (const sentence of expectRoundTrip(rule, words)) {
          // No two rules share a sentence.
          expect(sentences.get(sentence) ?? document).toBe(document);
          sentences.set(sentence, document);
        }
      }
    }
    const documents = new Set(sentences.values());
    expect(sentences.size).toBe(documents.size * LANGUAGES.length);
    expect(documents.size).toBeGreaterThan(RULES / 2);
  }, 180_000);

  it('is read as the rule whatever stands in it, and whatever the catalogue calls things', () => {
    fc.assert(
      fc.property(anyRule, hostileWords, (rule, by) => {
        expectRoundTrip(rule, by);
      }),
      { seed, numRuns: shareOf(3000) },
    );
  }, 180_000);

  it('is the same for the same rule in whatever order its keys stand, and another for another rule', () => {
    fc.assert(
      fc.property(anyRule, anyRule, hostileWords, (one, other, by) => {
        for (const language of LANGUAGES) {
          expect(sentenceOf(backwards(one) as RuleDocument, by, language)).toBe(
            sentenceOf(one, by, language),
          );
          const alike = jsonText(one) === jsonText(other);
          expect(sentenceOf(one, by, language) === sentenceOf(other, by, language)).toBe(alike);
        }
      }),
      { seed, numRuns: shareOf(500) },
    );
  });

  it('differs wherever one value of a rule differs', () => {
    fc.assert(
      fc.property(anyRule, hostileWords, fc.nat(), fc.nat(), (rule, by, at, how) => {
        const other = changed(rule, at, how);
        for (const language of LANGUAGES) {
          const alike = jsonText(other) === jsonText(rule);
          const [before, after] = [sentenceOf(rule, by, language), sentenceOf(other, by, language)];
          if ((before === after) !== alike)
            throw new Error(`${jsonText(rule)}\n${jsonText(other)}\n${before}`);
        }
      }),
      { seed, numRuns: shareOf(1000) },
    );
  }, 180_000);

  it('says the labels of the catalogue for the reader alone', () => {
    fc.assert(
      fc.property(anyRule, hostileWords, hostileWords, (rule, one, other) => {
        for (const language of LANGUAGES)
          expect(readSentence(sentenceOf(rule, one, language), language)).toEqual(
            readSentence(sentenceOf(rule, other, language), language),
          );
      }),
      { seed, numRuns: shareOf(500) },
    );
  });

  it('holds no character that cannot be seen, but for the ends of its lines', () => {
    fc.assert(
      fc.property(anyRule, hostileWords, (rule, by) => {
        for (const language of LANGUAGES)
          expect(sentenceOf(rule, by, language)).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
      }),
      { seed, numRuns: shareOf(500) },
    );
  });
});

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, backwards(one)]),
  );
}

/** The rule with one of its free texts or numbers changed a little. */
function changed(rule: RuleDocument, at: number, how: number): RuleDocument {
  const copy = plain(rule) as Record<string, unknown>;
  const places: { readonly owner: Record<string, unknown>; readonly key: string }[] = [];
  const collect = (owner: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(owner)) {
      if (typeof value === 'object' && value !== null) collect(value as Record<string, unknown>);
      else if (FREE.has(key) || (Array.isArray(owner) && typeof value === 'string'))
        places.push({ owner, key });
    }
  };
  // The trigger of a schedule is always the same one.
  collect(rule.schedule ? { ...copy, trigger: null } : copy);
  const place = places[at % Math.max(1, places.length)];
  if (!place) return rule;
  const value = place.owner[place.key];
  const changes: readonly ((value: unknown) => unknown)[] =
    typeof value === 'number'
      ? [(one) => Number(one) + 1, (one) => Number(one) * 1000 + 1]
      : [
          (one) => `${String(one)} `,
          (one) => `${String(one)}"`,
          (one) => String(one).slice(1),
          (one) => `${String(one)}）`,
        ];
  place.owner[place.key] = changes[how % changes.length]?.(value);
  return copy as unknown as RuleDocument;
}

/** Keys whose values may be any text or number, wherever they stand. */
const FREE = new Set([
  'name',
  'description',
  'owner',
  'fact',
  'path',
  'value',
  'literal',
  'condition',
  'operator',
  'subject',
  'text',
  'html',
  'url',
  'sign',
  'app',
  'timeout',
  'max',
  'window',
  'item',
  'key',
  'outside',
  'from',
  'until',
  'after',
  'settle',
  'priority',
  'calendar',
  'timezone',
  'schedule',
  'equal',
]);
