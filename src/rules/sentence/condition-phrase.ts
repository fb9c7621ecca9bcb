import type { ConditionDocument } from '../condition-document.js';
import { conditionOnOneLine } from './condition-form.js';
import type { Language, SentenceWords } from './language.js';

/**
 * Conditions on one line, with the catalogue's labels: `业务类型（biz_type）为 "renewal_record"，且状态（status）为「已完成」（3）`. A group
 * of one condition without a name is said as that condition. `eventTypes`: those whose facts are meant; the first that
 * knows a fact gives its label.
 */
export function conditionPhrase(
  condition: ConditionDocument,
  eventTypes: readonly string[],
  words: SentenceWords,
  language: Language,
): string {
  return conditionOnOneLine.write(plain(condition), { language, words, eventTypes });
}

function plain(condition: ConditionDocument): ConditionDocument {
  if ('not' in condition) return { ...condition, not: plain(condition.not) };
  if (!('all' in condition || 'any' in condition)) return condition;
  const children = 'all' in condition ? condition.all : condition.any;
  const [only] = children;
  if (only && children.length === 1 && condition.name === undefined) return plain(only);
  return 'all' in condition
    ? { ...condition, all: children.map(plain) }
    : { ...condition, any: children.map(plain) };
}
