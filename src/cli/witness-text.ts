import { isObject } from '../events/own-member.js';
import type { Witness } from '../rules/finding.js';

const LONGEST = 1000;

/** An event that shows a finding, on one line: its type, its fields, and what it does not make itself. */
export function witnessText({ event, facts = {}, missing = [], now }: Witness): string {
  const { header } = event;
  const fields = isObject(event['event']) ? event['event'] : event;
  const type = isObject(header) ? header['event_type'] : fields['type'];
  const others = Object.entries(facts).map(([fact, value]) => `${fact} ${JSON.stringify(value)}`);
  const parts = [
    `${typeof type === 'string' ? type : ''} ${JSON.stringify(fields)}`.trim(),
    ...others,
    ...(missing.length > 0 ? [`without ${missing.join(', ')}`] : []),
    ...(now === undefined ? [] : [`at ${now}`]),
  ];
  const text = parts.join('; ');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
