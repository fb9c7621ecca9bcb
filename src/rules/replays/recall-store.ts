import type { DataSource, EntityManager } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';
import type { Rule } from '../rule-set.js';
import { STEP } from '../timer-store.js';
import type { StandingDelivery } from './recall-plan.js';
import type { ChosenEvent } from './replay-store.js';

/** Which deliveries a recall is about. */
export interface RecallChoice {
  readonly rule: string;
  /** Hashes of the rule sets that decided; null: whichever. */
  readonly ruleSets: readonly string[] | null;
  /** When they were made, or events were decided: from, and before. */
  readonly since: Date;
  readonly until: Date;
}

export interface ChosenDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly entity: string;
  /** Null: its evaluation is not there any more. */
  readonly ruleSet: string | null;
  /** Its event itself asked for it: not a step of a ladder, a digest, or the turn of a schedule. */
  readonly isOfEvent: boolean;
}

/** What became of one delivery. */
export interface RecalledOutcome {
  readonly deliveryId: string;
  readonly outcome: 'cancelled' | 'kept' | 'undone' | 'person' | 'gone';
  readonly code: string | null;
  readonly undoId: string | null;
  readonly newId: string | null;
}

/** What recalls choose, and what becomes of it. */
export class RecallStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to `most` + 1 deliveries of a rule, the oldest first. What takes others back is none of them. */
  async deliveriesOf(
    { rule, ruleSets, since, until }: RecallChoice,
    most: number,
  ): Promise<ChosenDelivery[]> {
    return await this.dataSource.query<ChosenDelivery[]>(
      `select d.id, d.event_id as "eventId", d.entity, v.rule_set as "ruleSet",
              coalesce(not starts_with(d.occasion, '${STEP}')
                and d.entity = coalesce(e.root_entity, 'event:' || e.origin || '/' || e.event_id), false) as "isOfEvent"
         from deliveries d left join evaluations v on v.event_id = d.event_id and v.occasion = d.occasion
         left join events e on e.id = d.event_id
        where d.id >= $1 and d.id < $2 and array[d.rule, d.action, d.kind, d.target, d.occasion] @> array[$3::text]
          and d.rule = $3 and ($4::text[] is null or v.rule_set = any($4::text[]))
          and not exists (select from recall_deliveries r where r.undo_id = d.id)
        order by d.id limit $5`,
      [leastIdOf(since.getTime()), leastIdOf(until.getTime()), rule, ruleSets, most + 1],
    );
  }

  /** Up to `most` + 1 events that a rule listens to and that were decided then. */
  async candidatesOf(
    { trigger, listensTo }: Pick<Rule, 'trigger' | 'listensTo'>,
    { ruleSets, since, until }: Omit<RecallChoice, 'rule'>,
    most: number,
  ): Promise<ChosenEvent[]> {
    const rows = await this.dataSource.query<(ChosenEvent & { readonly eventType: string })[]>(
      `select e.id as "eventId", e.event_type as "eventType", true as sends,
              coalesce(e.root_entity, 'event:' || e.origin || '/' || e.event_id) as entity
         from evaluations v join events e on e.id = v.event_id
        where v.occasion = 'live' and v.decided_at >= $1 and v.decided_at < $2 and e.erased_at is null
          and e.event_type like any($3::text[]) and ($4::text[] is null or v.rule_set = any($4::text[]))
        limit $5`,
      [since, until, trigger.map(likeOf), ruleSets, most + 1],
    );
    return rows.filter(({ eventType }) => listensTo(eventType));
  }

  /** Keeps the chosen deliveries of a recall, within the transaction that orders it. */
  async choose(tx: EntityManager, recallId: string, deliveries: readonly ChosenDelivery[]): Promise<void> {
    await tx.query(
      `insert into recall_deliveries (recall_id, delivery_id, entity, rule_set)
       select $1, id, entity, rule_set from unnest($2::uuid[], $3::text[], $4::text[]) as u (id, entity, rule_set)`,
      [
        recallId,
        deliveries.map(({ id }) => id),
        deliveries.map(({ entity }) => entity),
        deliveries.map(({ ruleSet }) => ruleSet),
      ],
    );
  }

  /** Those that a recall has chosen of an entity and that nothing was done with yet. */
  async chosenOf(tx: EntityManager, recallId: string, entity: string): Promise<ReadonlySet<string>> {
    const rows = await tx.query<{ id: string }[]>(
      `select delivery_id as id from recall_deliveries where recall_id = $1 and entity = $2 and outcome is null`,
      [recallId, entity],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * All deliveries that a rule has made about an entity, whatever became of them. `lock`: they stay as they are until the
   * end of the transaction.
   */
  async standing(
    tx: EntityManager,
    rule: string,
    entity: string,
    selected: ReadonlySet<string>,
    lock: boolean,
  ): Promise<StandingDelivery[]> {
    const ids = await tx.query<{ id: string }[]>(
      `select d.id from deliveries d where d.entity = $1 and d.rule = $2
          and not exists (select from recall_deliveries r where r.undo_id = d.id)`,
      [entity, rule],
    );
    if (ids.length === 0) return [];
    const all = ids.map(({ id }) => id);
    // In one order, so that two who act on the same ones wait for each other in it.
    if (lock)
      await tx.query('select 1 from action_keys where id = any($1::uuid[]) order by id for update', [all]);
    const rows = await tx.query<Omit<StandingDelivery, 'selected'>[]>(
      `select d.id, d.rule, d.action, d.target, d.entity, d.cause, d.generation, d.event_id as "eventId", d.occasion,
              k.state, k.code, k.order_key as "orderKey", d.request,
              k.state = 'delivered'
                or exists (select from attempts a where a.delivery_id = d.id and (a.ambiguous or a.outcome in ('delivered', 'lost')))
                as effective,
              exists (select from recall_deliveries r where r.delivery_id = d.id and r.undo_id is not null) as undone,
              exists (select from digests g where g.id = d.id) as "isDigest"
         from deliveries d join action_keys k on k.id = d.id
        where d.id = any($1::uuid[]) and k.id = any($1::uuid[]) order by d.id`,
      [all],
    );
    return rows.map((row) => ({ ...row, selected: selected.has(row.id) }));
  }

  /** Whom a rule has fired for, of an entity, and by which event. */
  async onceKeys(
    tx: EntityManager,
    rule: string,
    entity: string,
  ): Promise<{ readonly subject: string; readonly eventId: string }[]> {
    return await tx.query(
      `select subject, event_id as "eventId" from once_keys where entity = $1 and rule = $2`,
      [entity, rule],
    );
  }

  /** These events of an entity have not used up what the rule may do once; others have. */
  async replaceOnceKeys(
    tx: EntityManager,
    rule: string,
    entity: string,
    freed: readonly string[],
    claimed: readonly { readonly subject: string; readonly eventId: string }[],
    now: number,
  ): Promise<void> {
    await tx.query('delete from once_keys where entity = $1 and rule = $2 and event_id = any($3::uuid[])', [
      entity,
      rule,
      freed,
    ]);
    if (claimed.length === 0) return;
    await tx.query(
      `insert into once_keys (entity, subject, rule, event_id, created_at)
       select $1, subject, $2, event_id, $5 from unnest($3::text[], $4::uuid[]) as u (subject, event_id)
       on conflict do nothing`,
      [
        entity,
        rule,
        claimed.map(({ subject }) => subject),
        claimed.map(({ eventId }) => eventId),
        new Date(now),
      ],
    );
  }

  /** Writes what became of deliveries. */
  async record(tx: EntityManager, recallId: string, outcomes: readonly RecalledOutcome[]): Promise<void> {
    await tx.query(
      `update recall_deliveries r set outcome = u.outcome, code = u.code, undo_id = u.undo_id, new_id = u.new_id
         from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[]) as u (id, outcome, code, undo_id, new_id)
        where r.recall_id = $1 and r.delivery_id = u.id and r.outcome is null`,
      [
        recallId,
        outcomes.map(({ deliveryId }) => deliveryId),
        outcomes.map(({ outcome }) => outcome),
        outcomes.map(({ code }) => code),
        outcomes.map(({ undoId }) => undoId),
        outcomes.map(({ newId }) => newId),
      ],
    );
  }
}

/** A pattern of event types as LIKE has it. */
function likeOf(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%');
}
