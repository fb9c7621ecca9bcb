import { Refusal } from '../../config/problem.js';
import type { Catalogue, CatalogueEntry } from '../../events/catalogue.js';
import { termOf } from '../../events/event-terms.js';

/**
 * The terms that events with this status have, of which one is enough: a status is asked for by its value or, in either
 * language, by its label, which may be another value in each event type.
 *
 * @throws Refusal 400 STATUS_UNKNOWN
 */
export function statusTerms(catalogue: Catalogue, status: string): string[] {
  const wanted = status.trim().toLowerCase();
  const terms = new Set<string>();
  const known = new Set<string>();
  for (const entry of catalogue.entries) {
    for (const { value, labels } of statusesOf(entry)) {
      known.add(labels.join(' '));
      if (String(value).toLowerCase() === wanted) terms.add(termOf('status', String(value)));
      if (labels.some((label) => label.toLowerCase() === wanted))
        terms.add(termOf(`status=${entry.eventType}`, String(value)));
    }
  }
  // Another number may come all the same: the platform adds some now and then.
  if (/^-?\d{1,15}$/.test(wanted)) terms.add(termOf('status', wanted));
  if (terms.size > 0) return [...terms];
  throw new Refusal(
    400,
    'STATUS_UNKNOWN',
    `No event type has the status "${status.slice(0, 100)}". Known are ${[...known].sort().join(', ')}; also their values.`,
  );
}

function statusesOf({ status, fields }: CatalogueEntry): {
  readonly value: string | number;
  readonly labels: readonly string[];
}[] {
  if (!status || !Object.hasOwn(fields, status.field)) return [];
  const values = fields[status.field]?.enum ?? status.order.map((value) => ({ value, label: null }));
  return values.map(({ value, label }) => ({
    value,
    labels: label ? [label.zh, label.en] : [String(value)],
  }));
}
