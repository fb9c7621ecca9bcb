import type { EntityManager } from 'typeorm';
import type { EventPlace } from './state/root-state.js';

/** A verdict "unknown" that a later event of the root entity may settle. */
export interface Unsettled {
  /** Of the stored event. */
  readonly eventId: string;
  readonly rule: string;
  readonly entity: string;
  /** Names of the facts that were missing. */
  readonly missing: readonly string[];
  readonly situation: UnsettledSituation;
  /** Milliseconds since 1970. After it, it is a person's matter. */
  readonly until: number;
}

/** Where the event stands among those of its root entity. Plain JSON. */
export interface UnsettledSituation {
  readonly place: EventPlace;
  readonly at: { readonly orderTime: number; readonly statusRank: number; readonly eventId: string };
  /** Whether it was late when it was decided. */
  readonly late: boolean;
}

/** Of an `Unsettled`. */
export const UNSETTLED_COLUMNS = `event_id as "eventId", rule, entity, missing, situation,
  (extract(epoch from until) * 1000)::float8 as until`;

/** Whose later events may bring facts that were missing. */
function scopesOf({ missing, situation: { place } }: Unsettled): string[] {
  const scopes = new Set<string>();
  for (const name of missing) {
    if (name.startsWith('task.') && place.task !== null) scopes.add(`task:${place.task}`);
    if (name.startsWith('node.') && place.node !== null) scopes.add(`node:${place.node}`);
    if (name.startsWith('process.')) scopes.add('process');
  }
  return [...scopes];
}

/** Whose open verdicts an event may settle: those of its task or node; the process's own event says something of all. */
export function scopesTouchedBy({ tells, task, node }: EventPlace): readonly string[] | 'all' {
  if (tells === 'task' && task !== null) return [`task:${task}`];
  return tells === 'node' && node !== null ? [`node:${node}`] : tells === 'process' ? 'all' : [];
}

/** Whether an event that touches some scopes may settle an open verdict. */
export function isTouched(row: Unsettled, touched: readonly string[] | 'all'): boolean {
  return touched === 'all' || scopesOf(row).some((scope) => touched.includes(scope));
}

/** Verdicts "unknown" for which a fact of the state was missing. */
export class UnsettledStore {
  async add(tx: EntityManager, rows: readonly Unsettled[], now: number): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `insert into unsettled (event_id, rule, entity, missing, scopes, situation, until, created_at)
       select event_id, rule, entity, array(select json_array_elements_text(missing::json)),
              array(select json_array_elements_text(scopes::json)), situation::json, until, $6
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $7::text[], $8::text[])
              as u (event_id, rule, entity, missing, until, situation, scopes)
       on conflict do nothing`,
      [
        rows.map(({ eventId }) => eventId),
        rows.map(({ rule }) => rule),
        rows.map(({ entity }) => entity),
        rows.map(({ missing }) => JSON.stringify(missing)),
        rows.map(({ until }) => new Date(until)),
        new Date(now),
        rows.map(({ situation }) => JSON.stringify(situation)),
        rows.map((row) => JSON.stringify(scopesOf(row))),
      ],
    );
  }

  /** These have been settled. */
  async remove(tx: EntityManager, rows: readonly Pick<Unsettled, 'eventId' | 'rule'>[]): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `delete from unsettled where (event_id, rule) in (select * from unnest($1::uuid[], $2::text[]))`,
      [rows.map(({ eventId }) => eventId), rows.map(({ rule }) => rule)],
    );
  }
}
