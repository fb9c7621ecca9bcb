import type { EffectiveDocument } from '../effective.js';
import { readInstant } from '../operators.js';
import type { FileReport } from './file-report.js';
import { textOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { checkKeys } from './object-keys.js';

/** `effective {from, until}`; what is wrong is left out. */
export function readEffective(node: JsonNode, report: FileReport): EffectiveDocument {
  const invalid = (at: JsonNode, message: string, mend: string): void => {
    report.error(at, 'RULE_VALUE_INVALID', message, mend);
  };
  if (node.type !== 'object') {
    invalid(
      node,
      '"effective" must be an object with "from", "until" or both',
      'Write {"from": "2026-01-01"}.',
    );
    return {};
  }
  const members = checkKeys(node, { prefix: 'RULE', known: ['from', 'until'], required: [] }, report);
  const read = (key: string): string | undefined => {
    const at = members.get(key)?.value;
    if (!at) return undefined;
    const text = textOf(at);
    if (text !== null && readInstant(text, 'date-time') !== null) return text;
    invalid(
      at,
      `"${key}" must be a date, or a date-time with its zone`,
      'Write it like "2026-01-31" or "2026-01-31T09:00:00+08:00".',
    );
    return undefined;
  };
  const from = read('from');
  const until = read('until');
  if (members.size === 0)
    invalid(node, '"effective" must not be empty', 'Add "from" or "until", or remove it.');
  const begins = from === undefined ? null : readInstant(from, 'date-time');
  const ends = until === undefined ? null : readInstant(until, 'date-time');
  const end = members.get('until');
  // A date may begin up to 14 hours earlier or later than it does in UTC: only what is wrong in every zone is told.
  const slack =
    from !== undefined && until !== undefined && from.length === until.length ? 0 : 14 * 3_600_000;
  if (end && begins !== null && ends !== null && ends + slack < begins)
    invalid(end.value, '"until" is before "from": the rule would never apply', 'Change one of the two.');
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}
