import {
  type BatchEvaluation,
  type DecisionBatch,
  LIVE,
  type RecalledEvent,
  SETTLE,
} from '../decision-batch.js';
import type { EventPlace } from '../state/root-state.js';
import { isTouched, scopesTouchedBy, type Unsettled } from '../unsettled-store.js';
import type { EntityRecord } from './virtual-entities.js';

/** By root entity, what is kept of those that a decision is about. */
export type EntityRecords = ReadonlyMap<string, EntityRecord>;

/** The verdicts that some events may settle. */
export function openVerdicts(
  placed: readonly { readonly event: { readonly entity: string | null }; readonly place: EventPlace }[],
  records: EntityRecords,
  now: number,
): readonly Unsettled[] {
  const found = new Set<Unsettled>();
  for (const { event, place } of placed) {
    const rows = event.entity === null ? undefined : records.get(event.entity)?.unsettled;
    if (!rows || rows.size === 0) continue;
    const touched = scopesTouchedBy(place);
    for (const [key, row] of rows) {
      if (row.until <= now) rows.delete(key);
      else if (isTouched(row, touched)) found.add(row);
    }
  }
  return [...found];
}

/** What a batch has left open, and what it has settled. */
export function keepOpen(
  { added, removed }: Pick<DecisionBatch, 'added' | 'removed'>,
  records: EntityRecords,
): void {
  for (const one of removed) for (const { unsettled } of records.values()) unsettled.delete(keyOf(one));
  for (const row of added) records.get(row.entity)?.unsettled.set(keyOf(row), row);
}

/** Of some events, what was read for them. */
export function recalledOf(
  ids: readonly string[],
  records: EntityRecords,
): ReadonlyMap<string, RecalledEvent> {
  const found = new Map<string, RecalledEvent>();
  for (const id of ids)
    for (const { recalled } of records.values()) {
      const known = recalled.get(id);
      if (known) found.set(id, known);
    }
  return found;
}

/** What was read for an event, for verdicts that are settled later. */
export function noteRead(
  { eventId, occasion, inputs: { lookups, cause } }: BatchEvaluation,
  records: EntityRecords,
): void {
  if (occasion !== LIVE && occasion !== SETTLE) return;
  for (const { holders, recalled, unsettled } of records.values()) {
    const holder = holders.get(eventId);
    if (!holder) continue;
    if (occasion === SETTLE) {
      const known = recalled.get(eventId);
      if (known) recalled.set(eventId, { ...known, settled: true });
    } else if (isOpen(eventId, unsettled))
      recalled.set(eventId, { subject: holder.subject, lookups, cause, settled: false });
  }
}

function isOpen(eventId: string, unsettled: EntityRecord['unsettled']): boolean {
  for (const row of unsettled.values()) if (row.eventId === eventId) return true;
  return false;
}

function keyOf({ eventId, rule }: Pick<Unsettled, 'eventId' | 'rule'>): string {
  return `${eventId} ${rule}`;
}
