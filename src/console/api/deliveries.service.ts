import type { DataSource } from 'typeorm';
import { act, ACT_STATES, type DeliveryAct } from '../../action/delivery-acts.js';
import type { DeliveryStore } from '../../action/delivery-store.js';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { AuditLog } from '../access/audit-log.js';
import type { DeliveryDetailRow, DeliveryList, DeliveryListRow } from '../read/delivery-list.js';
import type { ActBody, Delivery, DeliveryDetail, DeliveryQuery } from './deliveries.schema.js';
import { isUuid, type Page, pageOf, readCursor } from './page.js';
import { maskDelivery, maskDeliveryDetail, maskEntity, maskTarget, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import { shownRequest } from './shown-request.js';

/** Deliveries: what became of them, and what a person does with one. */
export class DeliveriesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: DeliveryList,
    private readonly parts: {
      readonly deliveries: DeliveryStore;
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
    },
  ) {}

  async list(actor: Actor, { limit, cursor, ...filter }: DeliveryQuery): Promise<Page<Delivery>> {
    const { event } = filter;
    const after = readCursor(cursor);
    if (event !== undefined && !isUuid(event)) return { items: [], next: null };
    if (!readsPersonal(actor) && this.asksForPerson(filter)) return { items: [], next: null };
    const rows = await this.rows.list(filter, { limit, after });
    return pageOf(
      rows.map((row) => this.shown(actor, row)),
      limit,
    );
  }

  async find(actor: Actor, id: string): Promise<DeliveryDetail> {
    const row = isUuid(id) ? await this.rows.find(id) : null;
    if (!row) throw unknown(id);
    const attempts = (await this.parts.deliveries.attemptsOf(id)).map(
      ({ attempt, startedAt, durationMs, outcome, code, detail, status, answer }) => ({
        attempt,
        startedAt: isoOf(startedAt),
        durationMs,
        outcome,
        code,
        detail,
        status,
        answer,
      }),
    );
    const { request, redrivenAt } = row;
    const detail: DeliveryDetail = {
      ...deliveryOf(row),
      request: request && shownRequest(request),
      redrivenAt: isoOf(redrivenAt),
      attempts,
      masked: false,
    };
    return readsPersonal(actor) ? detail : maskDeliveryDetail(detail, this.parts.catalogue.current);
  }

  /** Does it, and writes it into the audit log, in one transaction; then the workers hear of it. */
  async act(actor: Actor, id: string, what: DeliveryAct, { reason }: ActBody): Promise<Delivery> {
    if (!isUuid(id)) throw unknown(id);
    const { audit, clock, deliveries } = this.parts;
    await this.dataSource.transaction(async (tx) => {
      const done = await act(tx, id, what, reason ?? null, clock.now());
      if (!done) throw unknown(id);
      if (!done.done) throw notPossible(id, what, done.state);
      await audit.record(tx, actor, {
        action: `delivery.${what}`,
        subject: `delivery:${id}`,
        detail: { state: done.state, ...(reason === undefined ? {} : { reason }) },
      });
    });
    deliveries.wake();
    const row = await this.rows.find(id);
    if (!row) throw unknown(id);
    return this.shown(actor, row);
  }

  private shown(actor: Actor, row: DeliveryListRow): Delivery {
    const delivery = deliveryOf(row);
    return readsPersonal(actor) ? delivery : maskDelivery(delivery, this.parts.catalogue.current);
  }

  /** What a viewer may not read, a viewer may not guess either. */
  private asksForPerson({ target, entity, text }: Omit<DeliveryQuery, 'limit' | 'cursor'>): boolean {
    const catalogue = this.parts.catalogue.current;
    return [target, entity, text].some(
      (one) => one !== undefined && (maskTarget(one) !== one || maskEntity(one, catalogue) !== one),
    );
  }
}

/** A row as JSON, without what stands in it besides. */
export function deliveryOf(row: DeliveryListRow | DeliveryDetailRow): Delivery {
  const { id, actionKey, eventId, occasion, rule, action, kind, target, entity, generation } = row;
  const { state, attempt, dueAt, createdAt, updatedAt, code, reason } = row;
  return {
    id,
    actionKey,
    eventId,
    occasion,
    rule,
    action,
    kind,
    target,
    entity,
    generation,
    state,
    attempt,
    dueAt: isoOf(dueAt),
    createdAt: isoOf(createdAt),
    updatedAt: isoOf(updatedAt),
    code,
    reason,
  };
}

function unknown(id: string): Refusal {
  return new Refusal(404, 'DELIVERY_UNKNOWN', `There is no delivery "${id.slice(0, 100)}".`);
}

function notPossible(id: string, what: DeliveryAct, state: Delivery['state']): Refusal {
  const { from } = ACT_STATES[what];
  if ((from as readonly string[]).includes(state))
    return new Refusal(
      409,
      'DELIVERY_NOT_RENDERED',
      `The delivery ${id} has no request that could be sent: it could not be rendered, or was erased.`,
    );
  const possible = Object.entries(ACT_STATES).flatMap(([name, { from: states }]) =>
    (states as readonly string[]).includes(state) ? [name] : [],
  );
  return new Refusal(
    409,
    'DELIVERY_STATE',
    `The delivery ${id} is ${state}: ${what} is for ${from.join(' and ')} ones. ${
      possible.length > 0 ? `Possible is ${possible.join(' and ')}.` : 'Nothing can be done with it.'
    }`,
  );
}
