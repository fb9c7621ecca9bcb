import type { ConditionDocument } from '../condition-document.js';
import type { RuleDocument } from '../rule-document.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { conditionOnOneLine } from './condition-form.js';
import type { Language, SentenceWords, Texts } from './language.js';
import type { SaidSet } from './rule-diff.js';
import { sentenceOf } from './rule-sentence.js';

const SLICE = 100;

/** A rule in both languages. */
export function sentencesOf(rule: RuleDocument, words: SentenceWords): Texts {
  return { zh: sentenceOf(rule, words, 'zh'), en: sentenceOf(rule, words, 'en') };
}

const PLACE = new Set(['file', 'line']);

/** The document without where it stands. */
export function documentOf({ document }: Pick<Rule, 'document'>): RuleDocument {
  const members = Object.entries(document).filter(([key]) => !PLACE.has(key));
  return Object.fromEntries(members) as unknown as RuleDocument;
}

/** All rules and named conditions of a set, with turns for others in between: there may be ten thousand. */
export async function saidSetOf(ruleSet: RuleSet): Promise<SaidSet> {
  const rules: SaidSet['rules'][number][] = [];
  for (const rule of ruleSet.rules) {
    const document = documentOf(rule);
    rules.push({ name: rule.name, document, sentence: sentencesOf(document, ruleSet) });
    if (rules.length % SLICE === 0) await new Promise(setImmediate);
  }
  const eventTypes = ruleSet.catalogue.entries.map(({ eventType }) => eventType);
  const phrase = (document: ConditionDocument, language: Language): string =>
    conditionOnOneLine.write(document, { language, words: ruleSet, eventTypes });
  const conditions = [...ruleSet.conditions].map(([name, document]) => ({
    name,
    document,
    sentence: { zh: phrase(document, 'zh'), en: phrase(document, 'en') },
  }));
  return { rules, conditions };
}
