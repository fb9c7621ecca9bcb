import type { DataSource } from 'typeorm';
import { TimerList } from './timer-list.js';

/** Something that goes out at a time, if nothing happens before. */
export interface NextRow {
  readonly at: Date;
  readonly what: 'step' | 'delivery' | 'schedule' | 'digest';
  readonly rule: string;
  /** The step or the action; null: of a schedule. */
  readonly name: string | null;
  /** Of the timer or the delivery; null: of a schedule. */
  readonly id: string | null;
  readonly entity: string | null;
}

/** Of those that are overdue, so many are looked through: what waits for its order stands there too, and has no time. */
const LOOKED_THROUGH = 2000;

/** What goes out next, of all that has a due time: steps of escalations, deferred deliveries, digests, schedules. */
export class NextList {
  private readonly timers: TimerList;

  constructor(private readonly dataSource: DataSource) {
    this.timers = new TimerList(dataSource);
  }

  /** The first `limit`. `now` in ms. */
  async list(now: number, limit: number): Promise<NextRow[]> {
    const [steps, deliveries, schedules] = await Promise.all([
      this.steps(limit),
      this.deliveries(now, limit),
      this.schedules(limit),
    ]);
    return [...steps, ...deliveries, ...schedules]
      .sort((a, b) => a.at.getTime() - b.at.getTime() || (a.rule < b.rule ? -1 : 1))
      .slice(0, limit);
  }

  private async steps(limit: number): Promise<NextRow[]> {
    const rows = await this.timers.list({}, { limit, after: null });
    return rows.map(({ dueAt, rule, step, id, entity }) => ({
      at: dueAt,
      what: 'step',
      rule,
      name: step,
      id,
      entity,
    }));
  }

  /** What quiet hours hold up, and what gathers. Not what waits for its order: it goes when another is done. */
  private async deliveries(now: number, limit: number): Promise<NextRow[]> {
    const rows = await this.dataSource.query<NextRow[]>(
      `with due as materialized (
         select * from (
           (select id, due_at, deferred_for, rule, action from action_keys
             where state = 'deferred' and due_at > $1 and deferred_for <> 'order' order by due_at limit $2)
           union all
           (select * from (select id, due_at, deferred_for, rule, action from action_keys
                            where state = 'deferred' and due_at <= $1 order by due_at limit ${LOOKED_THROUGH}) as overdue
             where deferred_for <> 'order' order by due_at limit $2)) as each
         order by due_at, id limit $2)
       select due_at as at, case deferred_for when 'digest' then 'digest' else 'delivery' end as what, rule, action as name, id,
              (select d.entity from deliveries d where d.id = due.id) as entity
         from due order by due_at, id`,
      [new Date(now), limit],
    );
    // A digest gathers of many.
    return rows.map((row) => (row.what === 'digest' ? { ...row, entity: null } : row));
  }

  private async schedules(limit: number): Promise<NextRow[]> {
    return await this.dataSource.query<NextRow[]>(
      `select due_at as at, 'schedule' as what, rule, null as name, null as id, null as entity from schedules
        order by due_at, rule limit $1`,
      [limit],
    );
  }
}
