import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { cancelTimer } from '../../rules/timer-act.js';
import type { AuditLog } from '../access/audit-log.js';
import type { TimerList, TimerRow } from '../read/timer-list.js';
import type { ActBody } from './deliveries.schema.js';
import { isUuid, type Page, readTimeCursor, timePageOf } from './page.js';
import { maskEntity, maskTimer, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import type { Timer, TimerQuery } from './timers.schema.js';

/** Ladders of steps: what is to come, what became of others, and taking one out. */
export class TimersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: TimerList,
    private readonly parts: {
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
    },
  ) {}

  /** Those to come by the time that they are due, others the latest first. */
  async list(actor: Actor, { limit, cursor, ...filter }: TimerQuery): Promise<Page<Timer>> {
    const after = readTimeCursor(cursor);
    const { entity } = filter;
    const catalogue = this.parts.catalogue.current;
    // What a viewer may not read, a viewer may not guess either.
    if (!readsPersonal(actor) && entity !== undefined && maskEntity(entity, catalogue) !== entity)
      return { items: [], next: null };
    const rows = await this.rows.list(filter, { limit, after });
    return timePageOf(rows, limit, (row) => this.shown(actor, row));
  }

  /** @throws Refusal 404 TIMER_UNKNOWN, 409 TIMER_STATE */
  async cancel(actor: Actor, id: string, { reason }: ActBody): Promise<Timer> {
    if (!isUuid(id)) throw unknown(id);
    const { audit, clock } = this.parts;
    await this.dataSource.transaction(async (tx) => {
      const cancelled = await cancelTimer(tx, id, reason ?? null, clock.now());
      if (!cancelled) throw unknown(id);
      if (!cancelled.done)
        throw new Refusal(
          409,
          'TIMER_STATE',
          `The timer ${id} is ${cancelled.state}: no step of it is still to come.`,
        );
      await audit.record(tx, actor, {
        action: 'timer.cancel',
        subject: `timer:${id}`,
        ...(reason === undefined ? {} : { detail: { reason } }),
      });
    });
    const row = await this.rows.find(id);
    if (!row) throw unknown(id);
    return this.shown(actor, row);
  }

  private shown(actor: Actor, row: TimerRow): Timer {
    const timer = timerOf(row);
    return readsPersonal(actor) ? timer : maskTimer(timer, this.parts.catalogue.current);
  }
}

/** A row as JSON, without what stands in it besides. */
export function timerOf(row: TimerRow): Timer {
  const { id, state, rule, per, subject, entity, step, dueAt, eventId, baseTime, armedAt } = row;
  const { sent, holders, code, reason, updatedAt } = row;
  return {
    id,
    state,
    rule,
    per,
    subject,
    entity,
    step,
    dueAt: isoOf(dueAt),
    eventId,
    baseTime: isoOf(baseTime),
    armedAt: isoOf(armedAt),
    sent: [...sent],
    holders: [...holders],
    code,
    reason,
    updatedAt: isoOf(updatedAt),
  };
}

function unknown(id: string): Refusal {
  return new Refusal(404, 'TIMER_UNKNOWN', `There is no timer "${id.slice(0, 100)}".`);
}
