import type { Catalogue } from '../../events/catalogue.js';
import type { DeliveryChange, EventChange, SilenceChange, Topic, VerdictChange } from './stream.schema.js';

/** One row that is new or different. */
export interface Change {
  /** Never that of another change. */
  readonly key: string;
  /** Of the row. */
  readonly id: string;
  /** Where it stands in the order of changes: compared as text. */
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What is told of a change. */
export interface ChangeMessage {
  readonly eventType: string;
  /** The rules that it has to do with; null: it has to do with none. */
  readonly rules: readonly string[] | null;
  readonly data: EventChange | VerdictChange | DeliveryChange | SilenceChange;
  /** For viewers; the same object when it holds nothing personal. */
  readonly masked: EventChange | VerdictChange | DeliveryChange | SilenceChange;
}

/** A table in which one can see what has changed. */
export interface ChangeSource {
  readonly topic: Topic;
  /** The latest change; null: there is none. */
  latest(): Promise<Change | null>;
  /** Changes since a time, the oldest first, `limit` at most. */
  since(time: number, limit: number): Promise<Change[]>;
  /** How many there are after a position ('' is before all), and the last `limit` of them, the oldest first. */
  after(position: string, limit: number): Promise<{ readonly count: number; readonly last: Change[] }>;
  /** In the order of the changes. */
  messages(changes: readonly Change[], catalogue: Catalogue): Promise<ChangeMessage[]>;
}

/**
 * SQL for the newest rows and how many there are in all, as one look sees them. `from` has a range with both ends: of an
 * open one a planner without statistics expects a third of the table, and would read all of it.
 */
export function newestOf(select: string, from: string, order: string, limit: string): string {
  return `select found.*, (select count(*)::int from ${from}) as total
            from (${select} from ${from} order by ${order} desc limit ${limit}) as found`;
}

export function byPosition(a: Change, b: Change): number {
  return a.position < b.position ? -1 : a.position > b.position ? 1 : 0;
}

/** Of rows that `newestOf` gave. */
export function totalOf(rows: readonly { readonly total?: number }[]): number {
  return rows[0]?.total ?? 0;
}

/** Rows in the order of the changes that they are of. */
export function inOrderOf<Row>(
  changes: readonly Change[],
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  wanted: (change: Change) => string = ({ id }) => id,
): Row[] {
  const byName = new Map(rows.map((row) => [nameOf(row), row]));
  return changes.flatMap((change) => byName.get(wanted(change)) ?? []);
}
