import type { DataSource } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';
import type { RecallChoice } from '../../rules/replays/recall-store.js';
import type { ReplayKind, StoredReplay } from '../../rules/replays/replay-store.js';
import type { DeliveryListRow } from './delivery-list.js';
import type { Slice } from './slice.js';

/** A replay or a recall, and how far it has come. */
export type ReplayRow = StoredReplay & {
  readonly total: number;
  readonly waiting: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  /** Null: it is no recall. */
  readonly recalled: Readonly<Record<string, number>> | null;
  /** What came of actions, summed up. */
  readonly counts: Readonly<Record<string, number>> | null;
};

/** An event that a replay could not do. */
export interface LeftEvent {
  readonly eventId: string;
  readonly entity: string;
  readonly state: 'skipped' | 'failed';
  readonly code: string | null;
  readonly reason: string | null;
}

export type RecalledRow = DeliveryListRow & {
  readonly decidedBy: string | null;
  readonly outcome: 'cancelled' | 'kept' | 'undone' | 'person' | 'gone' | null;
  readonly outcomeCode: string | null;
  readonly undoId: string | null;
  readonly nextId: string | null;
};

const SELECT = `
  select r.id, r.kind, r.state, r.created_at as "createdAt", r.created_by as "createdBy", r.purpose, r.rule_set as "ruleSet",
         r.only_rule as "onlyRule", r.filter, r.started_at as "startedAt", r.ended_at as "endedAt", r.code, r.reason,
         e.total, e.waiting, e.done, e.skipped, e.failed, c.counts, d.recalled
    from replays r
    cross join lateral (
      select count(*)::int as total, (count(*) filter (where state = 'waiting'))::int as waiting,
             (count(*) filter (where state = 'done'))::int as done, (count(*) filter (where state = 'skipped'))::int as skipped,
             (count(*) filter (where state = 'failed'))::int as failed
        from replay_events where replay_id = r.id) as e
    cross join lateral (
      select json_object_agg(key, n) as counts from (
        select j.key, sum(j.value::int)::int as n from replay_events v cross join lateral json_each_text(v.counts) as j
         where v.replay_id = r.id group by j.key) as each) as c
    cross join lateral (
      select json_object_agg(outcome, n) as recalled from (
        select coalesce(outcome, 'waiting') as outcome, count(*)::int as n from recall_deliveries where recall_id = r.id
         group by 1) as each) as d`;

const DELIVERY = `d.id, d.action_key as "actionKey", d.event_id as "eventId", d.occasion, d.rule, d.action, d.kind, d.target,
  d.entity, d.generation, k.state, k.attempt, k.due_at as "dueAt", d.created_at as "createdAt", k.updated_at as "updatedAt",
  k.code, k.reason`;

/** Replays and recalls, the newest first, and what recalls are about. */
export class ReplayList {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to `limit` + 1 of one kind. */
  async list(kind: ReplayKind, { limit, after }: Slice): Promise<ReplayRow[]> {
    return await this.dataSource.query<ReplayRow[]>(
      `${SELECT} where r.kind = $1 and ($2::uuid is null or r.id < $2) order by r.id desc limit $3`,
      [kind, after, limit + 1],
    );
  }

  async find(id: string): Promise<ReplayRow | null> {
    const [row] = await this.dataSource.query<ReplayRow[]>(`${SELECT} where r.id = $1`, [id]);
    return row ?? null;
  }

  /** The first events that could not be done. */
  async left(id: string, most: number): Promise<LeftEvent[]> {
    return await this.dataSource.query<LeftEvent[]>(
      `select event_id as "eventId", entity, state, code, reason from replay_events
        where replay_id = $1 and state in ('skipped', 'failed') order by place limit $2`,
      [id, most],
    );
  }

  /** Up to `limit` + 1 deliveries that a recall is about, the newest first. */
  async recalled(
    id: string,
    outcome: RecalledRow['outcome'] | undefined,
    { limit, after }: Slice,
  ): Promise<RecalledRow[]> {
    return await this.dataSource.query<RecalledRow[]>(
      `select ${DELIVERY}, r.rule_set as "decidedBy", r.outcome, r.code as "outcomeCode", r.undo_id as "undoId",
              r.new_id as "nextId"
         from recall_deliveries r join deliveries d on d.id = r.delivery_id join action_keys k on k.id = r.delivery_id
        where r.recall_id = $1 and ($2::text is null or r.outcome = $2) and ($3::uuid is null or r.delivery_id < $3)
        order by r.delivery_id desc limit $4`,
      [id, outcome ?? null, after, limit + 1],
    );
  }

  /** Up to `limit` + 1 deliveries that a recall would be about, the newest first. */
  async chosen(
    { rule, ruleSets, since, until }: RecallChoice,
    { limit, after }: Slice,
  ): Promise<RecalledRow[]> {
    return await this.dataSource.query<RecalledRow[]>(
      `select ${DELIVERY}, v.rule_set as "decidedBy", null as outcome, null as "outcomeCode", null as "undoId",
              null as "nextId"
         from deliveries d join action_keys k on k.id = d.id
         left join evaluations v on v.event_id = d.event_id and v.occasion = d.occasion
        where d.id >= $1 and d.id < $2 and array[d.rule, d.action, d.kind, d.target, d.occasion] @> array[$3::text]
          and d.rule = $3 and ($4::text[] is null or v.rule_set = any($4::text[]))
          and not exists (select from recall_deliveries r where r.undo_id = d.id) and ($5::uuid is null or d.id < $5)
        order by d.id desc limit $6`,
      [leastIdOf(since.getTime()), leastIdOf(until.getTime()), rule, ruleSets, after, limit + 1],
    );
  }
}
