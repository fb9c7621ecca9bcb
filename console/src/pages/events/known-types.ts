import { useCatalogue } from '../../api/queries.js';
import type { CatalogueEntry, Label } from '../../api/types.js';

/** What the catalogue knows of an event type; null: nothing, or it is not there yet. */
export function useEventType(eventType: string | null): CatalogueEntry | null {
  const catalogue = useCatalogue();
  return catalogue?.items.find((entry) => entry.eventType === eventType) ?? null;
}

export interface KnownStatus {
  readonly value: string | number;
  readonly label: Label;
}

/** The statuses that events of a type may tell, of a pattern of types, or of any; each label once. */
export function statusesOf(entries: readonly CatalogueEntry[], pattern: string): readonly KnownStatus[] {
  const [start = '', ...rest] = pattern.split('*');
  const known = new Map<string, KnownStatus>();
  for (const { eventType, status, fields } of entries) {
    if (pattern !== '' && (rest.length === 0 ? eventType !== pattern : !eventType.startsWith(start)))
      continue;
    const field = status && Object.hasOwn(fields, status.field) ? fields[status.field] : undefined;
    for (const { value, label } of field?.enum ?? []) known.set(`${value} ${label.zh}`, { value, label });
  }
  return [...known.values()];
}
