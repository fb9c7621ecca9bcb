import type { DeliveryAct } from '../../action/delivery-acts.js';
import type { DeliveryStore } from '../../action/delivery-store.js';
import { requestWithReferences } from '../../action/request-with-references.js';
import type { Actor } from '../../config/access.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { DeliveryDetailRow, DeliveryList, DeliveryListRow } from '../read/delivery-list.js';
import type {
  ActedMany,
  Delivery,
  DeliveryDetail,
  DeliveryQuery,
  ManyActBody,
  OneActBody,
} from './deliveries.schema.js';
import { type DeliveryActs, unknown } from './delivery-acts.js';
import { isUuid, type Page, pageOf, readCursor } from './page.js';
import { maskDelivery, maskDeliveryDetail, maskEntity, maskTarget, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';

/** Deliveries: what became of them, and what a person does with one. */
export class DeliveriesService {
  constructor(
    private readonly rows: DeliveryList,
    private readonly acts: DeliveryActs,
    private readonly parts: { readonly deliveries: DeliveryStore; readonly catalogue: LiveCatalogue },
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
      ({ attempt, startedAt, durationMs, outcome, code, detail, status, answer, ambiguous }) => ({
        attempt,
        startedAt: isoOf(startedAt),
        durationMs,
        outcome,
        code,
        detail,
        status,
        answer,
        ambiguous,
      }),
    );
    const { request, redrivenAt } = row;
    const detail: DeliveryDetail = {
      ...deliveryOf(row),
      request: request && requestWithReferences(request),
      redrivenAt: isoOf(redrivenAt),
      attempts,
      masked: false,
    };
    return readsPersonal(actor) ? detail : maskDeliveryDetail(detail, this.parts.catalogue.current);
  }

  /** Does it, and writes it into the audit log, in one transaction; then the workers hear of it. */
  async act(actor: Actor, id: string, what: DeliveryAct, body: OneActBody): Promise<Delivery> {
    const then = await this.acts.one(actor, id, what, body);
    const row = await this.rows.find(then);
    if (!row) throw unknown(id);
    return this.shown(actor, row);
  }

  /** The same with all that a filter finds, in batches. */
  async actMany(actor: Actor, what: DeliveryAct, body: ManyActBody): Promise<ActedMany> {
    return await this.acts.many(actor, what, body);
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
