import type { DataSource } from 'typeorm';
import { microsOf, timeIn } from './micros.js';

/** `asking`: before the next step somebody is asked. `finished`: all steps are sent. */
export const TIMER_STATES = ['armed', 'asking', 'finished', 'cancelled'] as const;
export type TimerState = (typeof TIMER_STATES)[number];

export interface TimerFilter {
  /** Absent: those whose next step is still to come. */
  readonly state?: TimerState | undefined;
  readonly rule?: string | undefined;
  /** A root entity. */
  readonly entity?: string | undefined;
  /** The next step is due before. */
  readonly dueBefore?: Date | undefined;
}

/** A ladder of steps, and where it stands. */
export interface TimerRow {
  readonly id: string;
  readonly state: TimerState;
  readonly rule: string;
  readonly per: 'task' | 'node' | 'process';
  /** Which one, within the root entity: `task:123`. */
  readonly subject: string;
  readonly entity: string;
  /** The next step and when it is due; of one that has ended, what they were last. */
  readonly step: string;
  readonly dueAt: Date;
  /** The event that armed it, and its create time, from which the steps count. */
  readonly eventId: string;
  readonly baseTime: Date;
  readonly armedAt: Date;
  /** Names of the steps that were sent. */
  readonly sent: readonly string[];
  /** The tasks on which the conditions held when they were seen last: `task:123`. */
  readonly holders: readonly string[];
  /** Why it was cancelled, or what went wrong last. */
  readonly code: string | null;
  readonly reason: string | null;
  readonly updatedAt: Date;
  /** Where it stands in the list. */
  readonly micros: string;
}

/** After which row of a list in the order of a time; null: from its beginning. */
export interface TimeSlice {
  readonly limit: number;
  readonly after: { readonly micros: string; readonly id: string } | null;
}

/** As rows have it: while somebody is asked, the row says whether that has begun. */
const STATES: Readonly<Record<TimerState, readonly string[]>> = {
  armed: ['armed'],
  asking: ['asking', 'fetching'],
  finished: ['finished'],
  cancelled: ['cancelled'],
};
const TO_COME: readonly TimerState[] = ['armed', 'asking'];

const COLUMNS = `id, case when state = 'fetching' then 'asking' else state end as state, rule, per, subject, entity, step,
  due_at as "dueAt", event_id as "eventId", base_time as "baseTime", created_at as "armedAt", sent,
  array(select json_object_keys(holders)) as holders, code, reason, updated_at as "updatedAt"`;

/** Ladders, by what becomes of them next. */
export class TimerList {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to `limit` + 1: of those to come the one that is due first comes first, of others the latest that has ended. */
  async list({ state, rule, entity, dueBefore }: TimerFilter, slice: TimeSlice): Promise<TimerRow[]> {
    const states = state === undefined ? TO_COME : [state];
    const isToCome = states.every((one) => TO_COME.includes(one));
    const time = isToCome ? 'due_at' : 'updated_at';
    const parameters: unknown[] = [];
    const parameter = (value: unknown): string => `$${parameters.push(value)}`;
    const conditions = [
      ...(rule === undefined ? [] : [`rule = ${parameter(rule)}`]),
      ...(entity === undefined ? [] : [`entity = ${parameter(entity)}`]),
      ...(dueBefore === undefined ? [] : [`due_at < ${parameter(dueBefore)}`]),
      ...(slice.after === null
        ? []
        : [
            `(${time}, id) ${isToCome ? '>' : '<'} (${timeIn(parameter(slice.after.micros))}, ${parameter(slice.after.id)}::uuid)`,
          ]),
    ];
    const order = isToCome ? 'order by due_at, id' : 'order by updated_at desc, id desc';
    const limit = `limit ${slice.limit + 1}`;
    // A state at a time: each has an index of its own in this order.
    const each = states
      .flatMap((one) => STATES[one])
      .map((one) => {
        const where = [`state = '${one}'`, ...conditions].join(' and ');
        return `(select ${COLUMNS}, ${microsOf(time)} as micros from timers where ${where} ${order} ${limit})`;
      });
    return await this.dataSource.query<TimerRow[]>(
      `select * from (${each.join(' union all ')}) as t
        order by ${isToCome ? '"dueAt", id' : '"updatedAt" desc, id desc'} ${limit}`,
      parameters,
    );
  }

  async find(id: string): Promise<TimerRow | null> {
    const [row] = await this.dataSource.query<TimerRow[]>(
      `select ${COLUMNS}, ${microsOf('updated_at')} as micros from timers where id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Of a root entity, whatever has become of them: those to come first, then the latest. */
  async ofEntity(entity: string, limit: number): Promise<TimerRow[]> {
    return await this.dataSource.query<TimerRow[]>(
      `select ${COLUMNS}, ${microsOf('updated_at')} as micros from timers where entity = $1
        order by state in ('armed', 'asking', 'fetching') desc, case when state in ('armed', 'asking', 'fetching') then due_at end,
                 updated_at desc, id limit $2`,
      [entity, limit],
    );
  }
}
