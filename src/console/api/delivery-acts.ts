import type { DataSource, EntityManager } from 'typeorm';
import {
  ACT_STATES,
  type Acted,
  act,
  actOnMany,
  type DeliveryAct,
  replaceDead,
  type Replacement,
  whyNot,
} from '../../action/delivery-acts.js';
import type { DeliveryState } from '../../action/delivery-states.js';
import type { DeliveryStore } from '../../action/delivery-store.js';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { AuditLog } from '../access/audit-log.js';
import type { EditedRedrive, NotReplaced } from '../edited-redrive.js';
import type { DeliverySelection } from '../read/delivery-selection.js';
import type { ActedMany, ManyActBody, OneActBody } from './deliveries.schema.js';
import { cursorOf, isUuid, readCursor } from './page.js';
import { maskEntity, maskTarget } from './personal.js';
import { refusalOf } from './rule-set-refusal.js';

/** So many in one transaction. */
const BATCH = 500;
/** And of those that are rendered again. */
const EDITED_BATCH = 50;

type Skipped = Map<string, number>;

/** What people do with deliveries, one or many. Each transaction has its line in the audit log. */
export class DeliveryActs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly selection: DeliverySelection,
    private readonly edited: EditedRedrive,
    private readonly parts: {
      readonly deliveries: DeliveryStore;
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
    },
  ) {}

  /**
   * Answers the id of the delivery to look at then: an edited one has another than the one in whose place it is.
   *
   * @throws Refusal 404 DELIVERY_UNKNOWN; 409 DELIVERY_STATE, DELIVERY_NOT_RENDERED, and the codes of an edited redrive
   */
  async one(actor: Actor, id: string, what: DeliveryAct, { reason, edited }: OneActBody): Promise<string> {
    if (!isUuid(id)) throw unknown(id);
    if (edited === true) return await this.replaceOne(actor, id, reason);
    const { clock, deliveries } = this.parts;
    await this.dataSource.transaction(async (tx) => {
      const acted = await act(tx, id, what, reason ?? null, clock.now());
      if (!acted) throw unknown(id);
      if (!acted.done) throw notPossible(id, what, acted);
      await this.tell(tx, actor, what, `delivery:${id}`, { state: acted.state, reason });
    });
    deliveries.wake();
    return id;
  }

  /** All that a filter finds, the oldest first, in batches: what is done stays done whatever becomes of the rest. */
  async many(actor: Actor, what: DeliveryAct, body: ManyActBody): Promise<ActedMany> {
    const { filter, dryRun, limit, cursor } = body;
    const possible: readonly DeliveryState[] = ACT_STATES[what].from;
    const from = possible.filter((state) => filter.state === undefined || state === filter.state);
    let after = readCursor(cursor);
    const matched = await this.selection.count(filter, from, after);
    const skipped: Skipped = new Map();
    let done = 0;
    let looked = 0;
    const batch = body.edited === true ? EDITED_BATCH : BATCH;
    while (!dryRun && looked < Math.min(limit, matched)) {
      const ids = await this.selection.ids(filter, from, { limit: Math.min(batch, limit - looked), after });
      if (ids.length === 0) break;
      done += await this.batch(actor, what, ids, body, skipped);
      looked += ids.length;
      after = ids.at(-1) ?? after;
    }
    const more = !dryRun && after !== null && (await this.selection.ids(filter, from, { limit: 1, after }));
    return {
      matched,
      done,
      skipped: [...skipped].map(([code, count]) => ({ code, count })),
      next: more && more.length > 0 && after !== null ? cursorOf(after) : null,
    };
  }

  private async batch(
    actor: Actor,
    what: DeliveryAct,
    ids: readonly string[],
    { filter, reason, edited }: ManyActBody,
    skipped: Skipped,
  ): Promise<number> {
    const { clock, deliveries } = this.parts;
    const skip = (code: string): void => {
      skipped.set(code, (skipped.get(code) ?? 0) + 1);
    };
    const prepared = edited === true ? await this.prepare(ids) : null;
    const done = await this.dataSource.transaction(async (tx) => {
      const count = prepared
        ? await this.replaceAll(tx, prepared, skip)
        : countDone(await actOnMany(tx, ids, what, reason ?? null, clock.now()), what, skip);
      if (count > 0)
        await this.tell(tx, actor, what, 'deliveries', {
          count,
          filter: this.impersonal(filter),
          ...(prepared && { edited: true }),
          reason,
        });
      return count;
    });
    deliveries.wake();
    return done;
  }

  private async replaceAll(
    tx: EntityManager,
    prepared: ReadonlyMap<string, Replacement | NotReplaced>,
    skip: (code: string) => void,
  ): Promise<number> {
    const able: Replacement[] = [];
    for (const one of prepared.values()) {
      if ('by' in one) able.push(one);
      else skip(one.code);
    }
    const made = await replaceDead(tx, able, this.parts.deliveries, this.parts.clock.now());
    for (let left = able.length - made.size; left > 0; left -= 1) skip('DELIVERY_STATE');
    return made.size;
  }

  private async replaceOne(actor: Actor, id: string, reason: string | undefined): Promise<string> {
    const { clock, deliveries } = this.parts;
    const prepared = (await this.prepare([id])).get(id);
    if (!prepared) throw unknown(id);
    if (!('by' in prepared)) throw notReplaced(id, prepared);
    const next = await this.dataSource.transaction(async (tx) => {
      const made = (await replaceDead(tx, [prepared], deliveries, clock.now())).get(id);
      if (made === undefined)
        throw new Refusal(409, 'DELIVERY_STATE', `The delivery ${id} is not dead any more.`);
      await this.tell(tx, actor, 'redrive', `delivery:${id}`, { edited: true, by: made, reason });
      return made;
    });
    deliveries.wake();
    return next;
  }

  private async prepare(ids: readonly string[]): Promise<ReadonlyMap<string, Replacement | NotReplaced>> {
    try {
      return await this.edited.prepare(ids);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private async tell(
    tx: EntityManager,
    actor: Actor,
    what: DeliveryAct,
    subject: string,
    { reason, ...detail }: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.parts.audit.record(tx, actor, {
      action: `delivery.${what}`,
      subject,
      detail: { ...detail, ...(reason === undefined ? {} : { reason }) },
    });
  }

  /** The audit log holds nothing personal. */
  private impersonal({ target, entity, ...filter }: ManyActBody['filter']): object {
    return {
      ...filter,
      ...(target === undefined ? {} : { target: maskTarget(target) }),
      ...(entity === undefined ? {} : { entity: maskEntity(entity, this.parts.catalogue.current) }),
    };
  }
}

function countDone(
  acted: ReadonlyMap<string, Acted>,
  what: DeliveryAct,
  skip: (code: string) => void,
): number {
  let count = 0;
  for (const one of acted.values()) {
    if (one.done) count += 1;
    else skip(whyNot(what, one));
  }
  return count;
}

export function unknown(id: string): Refusal {
  return new Refusal(404, 'DELIVERY_UNKNOWN', `There is no delivery "${id.slice(0, 100)}".`);
}

function notReplaced(id: string, { code, detail, state }: NotReplaced): Refusal {
  if (code === 'DELIVERY_STATE') return notPossible(id, 'redrive', { done: false, state });
  return new Refusal(409, code, `The delivery ${id} cannot be rendered anew: ${detail}.`);
}

function notPossible(id: string, what: DeliveryAct, acted: Acted): Refusal {
  if (whyNot(what, acted) === 'DELIVERY_NOT_RENDERED')
    return new Refusal(
      409,
      'DELIVERY_NOT_RENDERED',
      `The delivery ${id} has no request that could be sent: it could not be rendered, or was erased.`,
    );
  const { state } = acted;
  const possible = Object.entries(ACT_STATES).flatMap(([name, { from }]) =>
    (from as readonly DeliveryState[]).includes(state) ? [name] : [],
  );
  return new Refusal(
    409,
    'DELIVERY_STATE',
    `The delivery ${id} is ${state}: ${what} is for ${ACT_STATES[what].from.join(' and ')} ones. ${
      possible.length > 0 ? `Possible is ${possible.join(' and ')}.` : 'Nothing can be done with it.'
    }`,
  );
}
