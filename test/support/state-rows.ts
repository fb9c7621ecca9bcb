import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { laneOf } from '../../src/queue/lanes.js';
import { observe } from '../../src/rules/state/observe.js';
import { NO_STATE, type ObservedEvent, type RootState } from '../../src/rules/state/root-state.js';
import { StateStore } from '../../src/rules/state-store.js';
import { UnsettledStore } from '../../src/rules/unsettled-store.js';

export interface TimerChanges {
  readonly id?: string;
  readonly rule?: string;
  readonly subject?: string;
  readonly entity?: string;
  readonly state?: string;
  readonly step?: string;
  readonly dueAt?: number;
  readonly updatedAt?: number;
  readonly holders?: Readonly<Record<string, string>>;
  readonly sent?: readonly string[];
  readonly code?: string;
  readonly reason?: string;
}

/** A ladder as a decision leaves it. Answers its id. */
export async function insertTimer(
  dataSource: DataSource,
  now: number,
  changes: TimerChanges = {},
): Promise<string> {
  const {
    id = randomUUID(),
    rule = 'remind',
    subject = 'task:1',
    entity = 'process:7',
    state = 'armed',
  } = changes;
  const { step = '24h', dueAt = now, updatedAt = now, holders = { [subject]: id }, sent = [] } = changes;
  await dataSource.query(
    `insert into timers (id, rule, per, subject, entity, lane, state, event_id, cause, base_time, holders, sent, step, due_at,
                         plan, code, reason, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $1, 'cause', $8, $9, $10, $11, $12, 'plan', $13, $14, $8, $15)`,
    [
      id,
      rule,
      subject.split(':')[0],
      subject,
      entity,
      laneOf(entity),
      state,
      new Date(now - 86_400_000),
      JSON.stringify(holders),
      sent,
      step,
      new Date(dueAt),
      changes.code ?? null,
      changes.reason ?? null,
      new Date(updatedAt),
    ],
  );
  return id;
}

/** A verdict "unknown" as a decision leaves it. Answers the id of its event. */
export async function insertUnsettled(
  dataSource: DataSource,
  until: number,
  changes: { readonly eventId?: string; readonly rule?: string; readonly entity?: string } = {},
): Promise<string> {
  const { eventId = randomUUID(), rule = 'remind', entity = 'process:7' } = changes;
  const place = { process: '7', node: null, task: '1', tells: 'task', status: 3, phase: 'done' } as const;
  const situation = { place, at: { orderTime: 0, statusRank: 3, eventId: 'e' }, late: false };
  const row = { eventId, rule, entity, missing: ['task.previousStatus'], situation, until };
  await new UnsettledStore().add(dataSource.manager, [row], until - 86_400_000);
  return eventId;
}

/** What is known of a root entity after some events. */
export async function saveState(
  dataSource: DataSource,
  entity: string,
  events: readonly ObservedEvent[],
  now: number,
): Promise<void> {
  let state: RootState = NO_STATE;
  for (const event of events) state = observe(state, event).after;
  await dataSource.transaction((tx) => new StateStore(dataSource).save(tx, new Map([[entity, state]]), now));
}
