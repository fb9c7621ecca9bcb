import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource, EntityManager } from 'typeorm';
import { binaryArray, plainArray } from '../database/array-parameters.js';
import { prepared } from '../database/prepared.js';
import type { Wakeup } from '../queue/wakeup.js';
import type { ActionKind, RenderedRequest } from './action.js';
import type { DeliveryState } from './delivery-states.js';
import { giveUpAt } from './retry-schedule.js';

/** The queue of deliveries that wait to be sent. */
export const DELIVERY_QUEUE = 'deliveries';

export { DELIVERY_STATES, type DeliveryState } from './delivery-states.js';

/** A delivery that a decision asks for. `dead` when it could not even be rendered; then `request` is null. */
export interface NewDelivery {
  readonly rule: string;
  readonly action: string;
  readonly kind: ActionKind;
  readonly target: string;
  /** The entity it is about: the root entity of the event, or the event itself. */
  readonly entity: string;
  /** Why it is sent: the key of the event. */
  readonly cause: string;
  /** 0; higher only by a recall or an edited redrive. */
  readonly generation: number;
  /** `held`: a brake holds it for a person. */
  readonly state: 'pending' | 'held' | 'dead';
  /** Those with the same key go out one after the other; null or absent: in no order. */
  readonly orderKey?: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly request: RenderedRequest | null;
}

export interface DeliveryRow {
  readonly id: string;
  readonly actionKey: string;
  /** Of the stored event. */
  readonly eventId: string;
  readonly occasion: string;
  readonly rule: string;
  readonly action: string;
  readonly kind: ActionKind;
  readonly target: string;
  readonly state: DeliveryState;
  readonly attempt: number;
  /** Attempts that were made before its retry schedule began anew. */
  readonly attemptsBefore: number;
  readonly dueAt: Date;
  readonly createdAt: Date;
  /** When a person let it begin its retry schedule anew. */
  readonly redrivenAt: Date | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly request: RenderedRequest | null;
}

export interface AttemptRow {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly startedAt: Date;
  readonly durationMs: number | null;
  readonly outcome: 'delivered' | 'retry' | 'permanent' | 'lost';
  readonly code: string | null;
  readonly detail: string;
  readonly status: number | null;
  readonly answer: string;
  readonly instance: string | null;
  /** No answer came after the request was sent: whether the target did the work is not known. */
  readonly ambiguous: boolean;
}

/** The stable key of a delivery, sent as `Idempotency-Key`: the same decision always makes the same key. */
export function actionKeyOf(
  delivery: Pick<NewDelivery, 'rule' | 'action' | 'entity' | 'cause' | 'generation'>,
): string {
  const { rule, action, entity, cause, generation } = delivery;
  return createHash('sha256')
    .update(JSON.stringify([rule, action, entity, cause, generation]))
    .digest('hex')
    .slice(0, 40);
}

/** The door of the action room, and the way to read what became of deliveries. */
export class DeliveryStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly wakeup: Wakeup,
  ) {}

  /**
   * Takes deliveries over within the transaction of their decision. Answers the keys that are new: the others exist
   * already and have no second effect. Wake the queue after the commit.
   */
  async accept(
    tx: EntityManager,
    deliveries: readonly {
      readonly delivery: NewDelivery;
      readonly eventId: string;
      readonly occasion: string;
      /** Deferred by quiet hours until then, in ms; null or absent: it may go at once. */
      readonly dueAt?: number | null;
    }[],
    now: number,
  ): Promise<ReadonlySet<string>> {
    if (deliveries.length === 0) return new Set();
    const at = new Date(now);
    // Sorted, so that two transactions with the same keys wait for each other in one order.
    const rows = deliveries
      // The sequence keeps the ids in the order of the decision, which is that of the rules' priorities.
      .map((one, seq) => ({ ...one, id: uuidv7({ msecs: now, seq }), key: actionKeyOf(one.delivery) }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const numbers = await this.orderNumbers(tx, rows);
    const inserted = await prepared<{ id: string }>(
      tx,
      'accept-keys',
      // A lane has a row before it has a delivery: whoever looks for work goes from lane to lane.
      `with lanes as (insert into target_lanes (lane, updated_at)
                      select distinct target_lane_of(target), $6::timestamptz from unnest($9::text[]) as t (target)
                       where not exists (select 1 from target_lanes where lane = target_lane_of(target))
                       order by 1 on conflict do nothing)
       insert into action_keys (key, id, state, deferred_for, due_at, code, reason, updated_at, rule, action, target,
                                order_key, order_number, give_up_at)
       select key, id, case when waits and state = 'pending' then 'deferred' else state end,
              case when state = 'deferred' then 'quiet-hours' when waits and state = 'pending' then 'order' end,
              due_at, code, reason, $6, rule, action, target, order_key, order_number, give_up_at
         from (select u.*, order_key is not null
                           and (exists (select 1 from action_keys e where e.order_key = u.order_key
                                           and e.state in ('held', 'deferred', 'pending', 'delivering'))
                                or row_number() over (partition by order_key, state <> 'dead' order by order_number) > 1) as waits
                 from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $7::text[], $8::text[], $9::text[],
                             $10::timestamptz[], $11::text[], $12::bigint[], $13::timestamptz[])
                      as u (key, id, state, code, reason, rule, action, target, due_at, order_key, order_number, give_up_at)) as n
       on conflict (key) do nothing returning id`,
      [
        rows.map((row) => row.key),
        rows.map((row) => row.id),
        rows.map((row) => stateOf(row)),
        rows.map((row) => row.delivery.code),
        rows.map((row) => row.delivery.reason),
        at,
        rows.map((row) => row.delivery.rule),
        rows.map((row) => row.delivery.action),
        rows.map((row) => row.delivery.target),
        rows.map((row) => new Date(row.dueAt ?? now)),
        rows.map((row) => row.delivery.orderKey ?? null),
        rows.map((row) => numbers.get(row.id) ?? null),
        rows.map((row) => new Date(giveUpAt(row.delivery.request?.retry ?? null, row.dueAt ?? now))),
      ],
    );
    const ids = new Set(inserted.map(({ id }) => id));
    const fresh = rows.filter((row) => ids.has(row.id));
    if (fresh.length === 0) return new Set();
    await prepared(
      tx,
      'accept-deliveries',
      `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
       select id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, $13, request::json
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::int[], $12::text[])
              as u (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, request)`,
      [
        fresh.map((row) => row.id),
        fresh.map((row) => row.key),
        fresh.map((row) => row.eventId),
        fresh.map((row) => row.occasion),
        fresh.map((row) => row.delivery.rule),
        fresh.map((row) => row.delivery.action),
        fresh.map((row) => row.delivery.kind),
        fresh.map((row) => row.delivery.target),
        fresh.map((row) => row.delivery.entity),
        fresh.map((row) => row.delivery.cause),
        fresh.map((row) => row.delivery.generation),
        // The driver would quote every quotation mark of the JSON.
        binaryArray(
          'text',
          fresh.map((row) => JSON.stringify(row.delivery.request)),
        ),
        at,
      ],
    );
    return new Set(fresh.map((row) => row.key));
  }

  /** Numbers that say which of those with one order key comes first, by the order of the decision. */
  private async orderNumbers(
    tx: EntityManager,
    rows: readonly { readonly id: string; readonly delivery: NewDelivery }[],
  ): Promise<ReadonlyMap<string, string>> {
    const ordered = rows
      .filter(({ delivery }) => (delivery.orderKey ?? null) !== null)
      .map(({ id }) => id)
      .sort();
    if (ordered.length === 0) return new Map();
    const numbers = await tx.query<{ number: string }[]>(
      `select nextval('delivery_order') as number from generate_series(1, $1)`,
      [ordered.length],
    );
    return new Map(ordered.map((id, index) => [id, numbers[index]?.number ?? '0']));
  }

  /**
   * Lets go what quiet hours have deferred until now. Answers how many; at most `limit`, whoever wants more calls again.
   * Wake the queue then. One whose order is not come yet waits on for that. `now` in ms.
   */
  async releaseDeferred(now: number, limit: number): Promise<number> {
    const [rows] = await this.dataSource.query<[unknown[], number]>(
      `update action_keys k set updated_at = now(),
              state = case when ${EARLIER} then 'deferred' else 'pending' end,
              deferred_for = case when ${EARLIER} then 'order' end
        where id in (select id from action_keys where state = 'deferred' and deferred_for = 'quiet-hours' and due_at <= $1
                      order by due_at limit $2 for update skip locked) returning id`,
      [new Date(now), limit],
    );
    return rows.length;
  }

  /** Tells the workers that deliveries are due. Call it after the commit. */
  wake(): void {
    this.wakeup.wake(DELIVERY_QUEUE);
  }

  async findOfEvent(eventId: string): Promise<DeliveryRow[]> {
    return await this.findOfEvents([eventId]);
  }

  async findOfEvents(eventIds: readonly string[]): Promise<DeliveryRow[]> {
    return await this.dataSource.query<DeliveryRow[]>(
      `${SELECT} where d.event_id = any($1::uuid[]) order by d.id`,
      [eventIds],
    );
  }

  async findMany(ids: readonly string[]): Promise<DeliveryRow[]> {
    return await this.dataSource.query<DeliveryRow[]>(`${SELECT} where d.id = any($1::uuid[])`, [ids]);
  }

  async attemptsOf(deliveryId: string): Promise<AttemptRow[]> {
    return await this.dataSource.query<AttemptRow[]>(
      `select delivery_id as "deliveryId", attempt, started_at as "startedAt", duration_ms as "durationMs", outcome, code,
              detail, status, answer, instance, ambiguous
         from attempts where delivery_id = $1 order by attempt`,
      [deliveryId],
    );
  }
}

/** Keeps attempts, within the transaction that settled them. One that is kept already stays as it is. */
export async function insertAttempts(tx: EntityManager, rows: readonly AttemptRow[]): Promise<void> {
  if (rows.length === 0) return;
  await prepared(
    tx,
    'settle-attempts',
    `insert into attempts (delivery_id, attempt, started_at, duration_ms, outcome, code, detail, status, answer, instance,
                           ambiguous)
     select * from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::int[], $5::text[], $6::text[], $7::text[], $8::int[],
                          $9::text[], $10::uuid[], $11::boolean[])
     on conflict (delivery_id, attempt) do nothing`,
    [
      plainArray(rows.map((row) => row.deliveryId)),
      plainArray(rows.map((row) => row.attempt)),
      rows.map((row) => row.startedAt),
      plainArray(rows.map((row) => row.durationMs)),
      rows.map((row) => row.outcome),
      rows.map((row) => row.code),
      binaryArray(
        'text',
        rows.map((row) => row.detail),
      ),
      plainArray(rows.map((row) => row.status)),
      binaryArray(
        'text',
        rows.map((row) => row.answer),
      ),
      plainArray(rows.map((row) => row.instance)),
      rows.map((row) => row.ambiguous),
    ],
  );
}

/**
 * Lets go the next of each order whose earlier one has ended, within the transaction that ended it. Its retries begin
 * now. Answers how many. `now` in ms.
 */
export async function releaseOrdered(
  tx: EntityManager,
  orderKeys: readonly string[],
  now: number,
): Promise<number> {
  if (orderKeys.length === 0) return 0;
  const [rows] = await tx.query<[unknown[], number]>(
    `update action_keys k set state = 'pending', deferred_for = null, due_at = $2, give_up_at = give_up_at + ($2 - due_at),
            updated_at = now()
      where id in (select id from action_keys k where order_key = any($1::text[]) and state = 'deferred'
                      and deferred_for = 'order' and not ${EARLIER} for update skip locked) returning id`,
    [[...new Set(orderKeys)], new Date(now)],
  );
  return rows.length;
}

/** Whether an earlier one of the same order, of the row \`k\`, is not done yet. */
export const EARLIER = `(k.order_key is not null and exists (select 1 from action_keys e where e.order_key = k.order_key
   and e.order_number < k.order_number and e.state in ('held', 'deferred', 'pending', 'delivering')))`;

function stateOf({
  delivery,
  dueAt,
}: {
  readonly delivery: NewDelivery;
  readonly dueAt?: number | null;
}): DeliveryState {
  // What a brake holds, or what could not be rendered, waits for no hour.
  return delivery.state === 'pending' && dueAt !== undefined && dueAt !== null ? 'deferred' : delivery.state;
}

const SELECT = `
  select d.id, d.action_key as "actionKey", d.event_id as "eventId", d.occasion, d.rule, d.action, d.kind, d.target,
         k.state, k.attempt, k.attempts_before as "attemptsBefore", k.due_at as "dueAt", d.created_at as "createdAt",
         k.redriven_at as "redrivenAt", k.code, k.reason, d.request
    from deliveries d join action_keys k on k.id = d.id`;
