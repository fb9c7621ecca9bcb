import type { DataSource } from 'typeorm';
import { microsOf, timeIn } from './micros.js';
import type { TimeSlice } from './timer-list.js';

/** `open`: a later event may still settle it. `expired`: it needs a person. */
export const UNSETTLED_STATES = ['open', 'expired'] as const;
export type UnsettledState = (typeof UNSETTLED_STATES)[number];

export interface UnsettledFilter {
  /** Absent: both. */
  readonly state?: UnsettledState | undefined;
  readonly rule?: string | undefined;
  /** A root entity. */
  readonly entity?: string | undefined;
}

/** A verdict "unknown" for which a fact of the state was missing. */
export interface UnsettledRow {
  /** Of the stored event. */
  readonly eventId: string;
  readonly rule: string;
  readonly entity: string;
  /** Names of the facts that were missing. */
  readonly missing: readonly string[];
  readonly state: UnsettledState;
  readonly decidedAt: Date;
  /** When waiting for a later event ends, or ended. */
  readonly until: Date;
  /** Of the event; null: it is not stored any more. */
  readonly eventType: string | null;
  /** Where it stands in the list: the event's id and the rule. */
  readonly micros: string;
  readonly id: string;
}

/** Verdicts "unknown" that are not settled. */
export class UnsettledList {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Up to `limit` + 1 at `now`: of the open ones that first which waits the shortest, of others the latest. With no
   * state the latest end first.
   */
  async list(
    { state, rule, entity }: UnsettledFilter,
    slice: TimeSlice,
    now: number,
  ): Promise<UnsettledRow[]> {
    const isOpen = state === 'open';
    const parameters: unknown[] = [new Date(now)];
    const parameter = (value: unknown): string => `$${parameters.push(value)}`;
    const [event = '', ruleAfter = ''] = slice.after?.id.split(' ') ?? [];
    const conditions = [
      ...(state === undefined ? [] : [`until ${isOpen ? '>' : '<='} $1`]),
      ...(rule === undefined ? [] : [`rule = ${parameter(rule)}`]),
      ...(entity === undefined ? [] : [`entity = ${parameter(entity)}`]),
      ...(slice.after === null
        ? []
        : [
            `(until, event_id, rule collate "C") ${isOpen ? '>' : '<'}
             (${timeIn(parameter(slice.after.micros))}, ${parameter(event)}::uuid, ${parameter(ruleAfter)})`,
          ]),
    ];
    const direction = isOpen ? 'asc' : 'desc';
    return await this.rows(
      `${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`}
       order by until ${direction}, event_id ${direction}, rule collate "C" ${direction} limit ${slice.limit + 1}`,
      parameters,
    );
  }

  private async rows(which: string, parameters: readonly unknown[]): Promise<UnsettledRow[]> {
    const rows = await this.dataSource.query<Omit<UnsettledRow, 'eventType'>[]>(
      `select event_id as "eventId", rule, entity, missing, case when until > $1 then 'open' else 'expired' end as state,
              created_at as "decidedAt", until, ${microsOf('until')} as micros, event_id || ' ' || rule as id
         from unsettled ${which}`,
      [...parameters],
    );
    // Asked for by their ids: a join would look into the events of every day.
    const types = await this.dataSource.query<{ id: string; type: string }[]>(
      'select id, event_type as type from events where id = any($1::uuid[])',
      [rows.map(({ eventId }) => eventId)],
    );
    const typeOf = new Map(types.map(({ id, type }) => [id, type]));
    return rows.map((row) => ({ ...row, eventType: typeOf.get(row.eventId) ?? null }));
  }
}
