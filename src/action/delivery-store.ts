import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource, EntityManager } from 'typeorm';
import { binaryArray } from '../database/array-parameters.js';
import { prepared } from '../database/prepared.js';
import type { Wakeup } from '../queue/wakeup.js';
import type { ActionKind, RenderedRequest } from './action.js';

/** The queue of deliveries that wait to be sent. */
export const DELIVERY_QUEUE = 'deliveries';

export const DELIVERY_STATES = [
  'held',
  'deferred',
  'pending',
  'delivering',
  'delivered',
  'dead',
  'cancelled',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

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
  readonly state: 'pending' | 'dead';
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
    const inserted = await prepared<{ id: string }>(
      tx,
      'accept-keys',
      `insert into action_keys (key, id, state, deferred_for, due_at, code, reason, updated_at, rule, action, target)
       select key, id, state, case state when 'deferred' then 'quiet-hours' end, due_at, code, reason, $6, rule, action, target
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $7::text[], $8::text[], $9::text[],
                     $10::timestamptz[]) as u (key, id, state, code, reason, rule, action, target, due_at)
       on conflict (key) do nothing returning id`,
      [
        rows.map((row) => row.key),
        rows.map((row) => row.id),
        rows.map((row) => (row.dueAt === undefined || row.dueAt === null ? row.delivery.state : 'deferred')),
        rows.map((row) => row.delivery.code),
        rows.map((row) => row.delivery.reason),
        at,
        rows.map((row) => row.delivery.rule),
        rows.map((row) => row.delivery.action),
        rows.map((row) => row.delivery.target),
        rows.map((row) => new Date(row.dueAt ?? now)),
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

  /**
   * Lets go what quiet hours have deferred until now. Answers how many; at most `limit`, whoever wants more calls again.
   * Wake the queue then. `now` in ms.
   */
  async releaseDeferred(now: number, limit: number): Promise<number> {
    const [rows] = await this.dataSource.query<[unknown[], number]>(
      `update action_keys set state = 'pending', deferred_for = null, updated_at = now()
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
    return await this.dataSource.query<DeliveryRow[]>(`${SELECT} where d.event_id = $1 order by d.id`, [
      eventId,
    ]);
  }

  async findMany(ids: readonly string[]): Promise<DeliveryRow[]> {
    return await this.dataSource.query<DeliveryRow[]>(`${SELECT} where d.id = any($1::uuid[])`, [ids]);
  }

  async attemptsOf(deliveryId: string): Promise<AttemptRow[]> {
    return await this.dataSource.query<AttemptRow[]>(
      `select delivery_id as "deliveryId", attempt, started_at as "startedAt", duration_ms as "durationMs", outcome, code,
              detail, status, answer, instance
         from attempts where delivery_id = $1 order by attempt`,
      [deliveryId],
    );
  }

  async recordAttempts(tx: EntityManager, rows: readonly AttemptRow[]): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `insert into attempts (delivery_id, attempt, started_at, duration_ms, outcome, code, detail, status, answer, instance)
       select * from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::int[], $5::text[], $6::text[], $7::text[], $8::int[],
                            $9::text[], $10::uuid[])
       on conflict (delivery_id, attempt) do nothing`,
      [
        rows.map((row) => row.deliveryId),
        rows.map((row) => row.attempt),
        rows.map((row) => row.startedAt),
        rows.map((row) => row.durationMs),
        rows.map((row) => row.outcome),
        rows.map((row) => row.code),
        rows.map((row) => row.detail),
        rows.map((row) => row.status),
        rows.map((row) => row.answer),
        rows.map((row) => row.instance),
      ],
    );
  }

  /**
   * Gives attempts back that were none, within the transaction that settled them: their numbers are used again. The
   * fence holds: a number is free again only after the one who had it has settled.
   */
  async giveBack(tx: EntityManager, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await tx.query('update action_keys set attempt = attempt - 1 where id = any($1::uuid[])', [ids]);
  }
}

const SELECT = `
  select d.id, d.action_key as "actionKey", d.event_id as "eventId", d.occasion, d.rule, d.action, d.kind, d.target,
         k.state, k.attempt, k.attempts_before as "attemptsBefore", k.due_at as "dueAt", d.created_at as "createdAt",
         k.redriven_at as "redrivenAt", k.code, k.reason, d.request
    from deliveries d join action_keys k on k.id = d.id`;
