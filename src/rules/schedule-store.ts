import type { DataSource, EntityManager } from 'typeorm';
import { leastIdOf } from '../events/received-at.js';
import type { RuleSet } from './rule-set.js';
import { nextTurn, timetableOf } from './schedule-turn.js';

/** A schedule that is due; locked. */
export interface DueSchedule {
  readonly rule: string;
  readonly plan: string;
  readonly dueAt: Date;
}

/** When a rule with a schedule is due, and when it was last. */
export interface ScheduleRow {
  readonly rule: string;
  readonly dueAt: Date;
  readonly lastAt: Date | null;
  /** Stored id of the event of its last turn. */
  readonly lastEvent: string | null;
}

/** Of the rules with a schedule, when each is due. One row for each rule that is switched on. */
export class ScheduleStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Follows a rule set, within the transaction that activates it: rules that are new, or that have other times than
   * before, are due at their first time after `now` (ms); those that are gone are forgotten; the others keep theirs,
   * also a turn that was missed. `timezone`: of rules that name none.
   */
  async adopt(
    tx: EntityManager,
    ruleSet: Pick<RuleSet, 'rules' | 'calendars'>,
    { timezone }: { readonly timezone: string },
    now: number,
  ): Promise<void> {
    // One activation at a time. Rows that stay as they are are not locked: an instance may be in the middle of a turn.
    const rows = await tx.query<{ rule: string; plan: string }[]>('select rule, plan from schedules');
    const standing = new Map(rows.map(({ rule, plan }) => [rule, plan]));
    const gone = new Set(standing.keys());
    const dated: { rule: string; plan: string; dueAt: Date }[] = [];
    for (const rule of ruleSet.rules) {
      const timetable = timetableOf(rule, ruleSet, timezone);
      if (!timetable) continue;
      const { plan } = timetable;
      const dueAt = standing.get(rule.name) === plan ? null : nextTurn(timetable, now);
      if (dueAt !== null) dated.push({ rule: rule.name, plan, dueAt: new Date(dueAt) });
      if (dueAt !== null || standing.get(rule.name) === plan) gone.delete(rule.name);
    }
    if (gone.size > 0) await tx.query('delete from schedules where rule = any($1::text[])', [[...gone]]);
    if (dated.length === 0) return;
    await tx.query(
      `insert into schedules (rule, plan, due_at)
       select rule, plan, due_at from unnest($1::text[], $2::text[], $3::timestamptz[]) as u (rule, plan, due_at)
       on conflict (rule) do update set plan = excluded.plan, due_at = excluded.due_at`,
      [dated.map(({ rule }) => rule), dated.map(({ plan }) => plan), dated.map(({ dueAt }) => dueAt)],
    );
  }

  /** The schedule that has been due for the longest, if no other instance is at it; locked until the end of `tx`. */
  async takeDue(tx: EntityManager, now: number, except: readonly string[]): Promise<DueSchedule | null> {
    const [row] = await tx.query<DueSchedule[]>(
      `select rule, plan, due_at as "dueAt" from schedules
        where due_at <= $1 and rule <> all($2::text[]) order by due_at, rule limit 1 for update skip locked`,
      [new Date(now), except],
    );
    return row ?? null;
  }

  /** Whether an event that was stored before a time (ms) is not decided yet, and may change what is known. */
  async hasUndecided(tx: EntityManager, before: number): Promise<boolean> {
    const [row] = await tx.query<{ there: boolean }[]>(
      `select exists (select from event_keys where state = 'undecided' and id < $1) as there`,
      [leastIdOf(before)],
    );
    return row?.there ?? false;
  }

  /** Its next time, in ms; null: there is none any more. `turn`: what has just been done. The row is locked. */
  async redate(
    tx: EntityManager,
    rule: string,
    next: { readonly plan: string; readonly dueAt: number } | null,
    turn: { readonly at: number; readonly event: string } | null = null,
  ): Promise<void> {
    if (next === null) await tx.query('delete from schedules where rule = $1', [rule]);
    else
      await tx.query(
        `update schedules set plan = $2, due_at = $3, last_at = coalesce($4, last_at), last_event = coalesce($5, last_event)
          where rule = $1`,
        [rule, next.plan, new Date(next.dueAt), turn && new Date(turn.at), turn?.event ?? null],
      );
  }

  /** The soonest due first. */
  async list(): Promise<ScheduleRow[]> {
    return await this.dataSource.query<ScheduleRow[]>(
      `select rule, due_at as "dueAt", last_at as "lastAt", last_event as "lastEvent" from schedules order by due_at, rule`,
    );
  }
}
