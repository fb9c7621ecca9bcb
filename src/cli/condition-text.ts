import { isObject } from '../events/own-member.js';

/** Conditions on one line, as somebody would say them: `(status equal 3 and not biz_type in ["a"])`. */
export function conditionText(condition: unknown): string {
  if (!isObject(condition)) return '';
  const { all, any, not, fact, operator, path, value, condition: named } = condition;
  if (Array.isArray(all)) return joined(all, ' and ');
  if (Array.isArray(any)) return joined(any, ' or ');
  if (not !== undefined) return `not ${conditionText(not)}`;
  if (typeof named === 'string') return named;
  if (typeof fact !== 'string' || typeof operator !== 'string') return '';
  const place = typeof path === 'string' ? `${fact} ${path}` : fact;
  const other = isObject(value) && typeof value['fact'] === 'string' ? value['fact'] : null;
  return `${place} ${operator} ${other ?? JSON.stringify(value)}`;
}

function joined(conditions: readonly unknown[], word: string): string {
  const texts = conditions.map(conditionText);
  return texts.length === 1 ? (texts[0] ?? '') : `(${texts.join(word)})`;
}
