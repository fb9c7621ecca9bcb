import type { EntityManager } from 'typeorm';
import { actionKeyOf, type DeliveryStore } from '../action/delivery-store.js';
import { type Notice, notRendered, raiseNotices } from '../action/notice-store.js';
import { preparedLookup } from '../database/prepared.js';
import {
  admit,
  type Admission,
  type AdmissionContext,
  type AdmittedDelivery,
  type Gates,
  itemKeyOf,
  onceKeyOf,
  throttleKeyOf,
} from './admission.js';
import { NO_BRAKES } from './brake.js';
import type { BrakeStore } from './brake-store.js';
import type { DigestStore } from './digest-store.js';
import type { Firing } from './firing.js';
import { apart, gateNameOf } from './shadow.js';
import { behindSavepoint, NOBODY_WATCHES, type ShadowWatch, together } from './shadow-gates.js';
import { recordShadows } from './shadow-store.js';
import type { SilenceStore } from './silence-store.js';

const NO_GATES: Gates = {
  sent: new Set(),
  once: new Set(),
  silences: [],
  throttles: new Map(),
  brakes: NO_BRAKES,
};

/** Whether somebody has to be told of something in it: it is held, or could not be rendered. */
export function tellsSomebody({ holds, deliveries }: Pick<Admission, 'holds' | 'deliveries'>): boolean {
  return holds.length > 0 || deliveries.some(({ delivery }) => delivery.state === 'dead');
}

/** What came of some firings. */
export interface Passed {
  readonly admission: Admission;
  /** Deliveries that exist already all the same, as a person's redrive may have made them meanwhile. */
  readonly again: readonly AdmittedDelivery[];
}

/** What stands between a match and a delivery, within the transaction of the decision. */
export class GateStore {
  constructor(
    private readonly stores: {
      readonly deliveries: DeliveryStore;
      readonly digests: DigestStore;
      readonly silences: SilenceStore;
      readonly brakes: BrakeStore;
    },
    private readonly watch: ShadowWatch = NOBODY_WATCHES,
  ) {}

  /**
   * Takes firings through the gates and writes what comes of them. Those of rules in shadow mode come last and behind a
   * savepoint, so that they keep nothing from being sent. The lanes of the firings must be locked already. Wake the
   * queue after the commit, and `NOTICE_QUEUE` when `tellsSomebody`.
   */
  async pass(tx: EntityManager, firings: readonly Firing[], context: AdmissionContext): Promise<Passed> {
    const { now } = context;
    const { live, shadow } = apart(firings);
    const admission = admit(live, await this.read(tx, live, now), context);
    const again = await this.write(tx, admission, now);
    if (shadow.length === 0) return { admission, again };
    const beside = await behindSavepoint(
      tx,
      shadow,
      async (some) => {
        const admitted = admit(some, await this.read(tx, some, now), context);
        await this.write(tx, admitted, now);
        return admitted;
      },
      this.watch,
    );
    return { admission: together(admission, beside), again };
  }

  /**
   * Reads what the gates need for some firings. Throttles and budgets stay locked until the end of the transaction: they
   * are shared by all lanes. The lanes of the firings must be locked already. `now` in ms.
   */
  async read(tx: EntityManager, firings: readonly Firing[], now: number): Promise<Gates> {
    if (firings.length === 0) return NO_GATES;
    return {
      sent: await this.sent(tx, firings),
      once: await this.once(tx, firings),
      silences: await this.stores.silences.active(tx, now),
      throttles: await this.throttles(tx, firings, now),
      brakes: await this.stores.brakes.read(tx, firings, now),
    };
  }

  /**
   * Writes what was admitted: deliveries, those of rules in shadow mode, items of digests, and what is used up. Answers the deliveries that exist
   * already all the same, as a person's redrive may have made them meanwhile. Wake the queue after the commit, and
   * `NOTICE_QUEUE` when `tellsSomebody`.
   */
  async write(tx: EntityManager, admission: Admission, now: number): Promise<readonly AdmittedDelivery[]> {
    const { deliveries, items, once, hits } = admission;
    const fresh = await this.stores.deliveries.accept(tx, deliveries, now);
    await recordShadows(tx, admission.shadows, now);
    await this.stores.digests.add(tx, items, now);
    await this.useUp(tx, once, hits, now);
    await this.stores.brakes.write(tx, admission, now);
    const made = deliveries.filter(({ delivery }) => fresh.has(actionKeyOf(delivery)));
    await raiseNotices(tx, unrendered(made), now);
    return deliveries.filter((one) => !made.includes(one));
  }

  private async useUp(
    tx: EntityManager,
    once: Admission['once'],
    hits: Admission['hits'],
    now: number,
  ): Promise<void> {
    if (once.length > 0) {
      await tx.query(
        `insert into once_keys (entity, subject, rule, event_id, created_at)
         select entity, subject, rule, event_id, $5
           from unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) as u (entity, subject, rule, event_id)
         on conflict do nothing`,
        [
          once.map(({ entity }) => entity),
          once.map(({ subject }) => subject),
          once.map(({ rule }) => rule),
          once.map(({ eventId }) => eventId),
          new Date(now),
        ],
      );
    }
    if (hits.length === 0) return;
    // The rows are there and locked since `read`. Hits that have left the period go.
    await tx.query(
      `update throttles t set updated_at = $5,
              hits = array(select h from unnest(t.hits || n.hits) as h where h > $5::timestamptz - n.per_ms * interval '1 ms'
                            order by h desc limit n.max)
         from (select rule, key, array_agg(at order by at) as hits, max(max) as max, max(per_ms) as per_ms
                 from unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[], $6::bigint[]) as u (rule, key, at, max, per_ms)
                group by rule, key) as n
        where t.rule = n.rule and t.key = n.key`,
      [
        hits.map(({ rule }) => rule),
        hits.map(({ key }) => key),
        hits.map(({ at }) => new Date(at)),
        hits.map(({ max }) => max),
        new Date(now),
        hits.map(({ perMs }) => perMs),
      ],
    );
  }

  private async sent(tx: EntityManager, firings: readonly Firing[]): Promise<ReadonlySet<string>> {
    const { live, shadow } = apart(firings);
    const keys = live.flatMap(({ deliveries }) => deliveries.map(actionKeyOf));
    const itemKeys = firings.flatMap((one) => one.items.map(({ action }) => itemKeyOf(one, action)));
    const rows = await preparedLookup<{ key: string }>(
      tx,
      itemKeys.length === 0 ? 'keys-sent' : 'keys-and-items-sent',
      itemKeys.length === 0
        ? 'select key from action_keys where key = any($1::text[])'
        : `select key from action_keys where key = any($1::text[])
           union all select item_key from digest_items where item_key = any($2::text[])`,
      itemKeys.length === 0 ? [keys] : [keys, itemKeys],
    );
    const recorded = await shadowsRecorded(tx, shadow);
    return new Set([...rows, ...recorded].map(({ key }) => key));
  }

  private async once(tx: EntityManager, firings: readonly Firing[]): Promise<ReadonlySet<string>> {
    const asked = firings.filter((one) => onceKeyOf(one) !== null);
    if (asked.length === 0) return new Set();
    const rows = await tx.query<{ entity: string; subject: string; rule: string }[]>(
      `select entity, subject, rule from once_keys
        where (entity, subject, rule) in (select * from unnest($1::text[], $2::text[], $3::text[]))`,
      [
        asked.map(({ entity }) => entity),
        asked.map(({ subject }) => subject),
        asked.map(({ rule }) => gateNameOf(rule)),
      ],
    );
    return new Set(rows.map(({ entity, subject, rule }) => JSON.stringify([entity, subject, rule])));
  }

  private async throttles(
    tx: EntityManager,
    firings: readonly Firing[],
    now: number,
  ): Promise<ReadonlyMap<string, readonly number[]>> {
    const wanted = new Map<string, { rule: string; key: string; perMs: number }>();
    for (const firing of firings) {
      const { throttle } = firing.rule;
      if (!throttle) continue;
      const at = throttleKeyOf(firing);
      const [, key] = JSON.parse(at) as [string, string];
      wanted.set(at, { rule: gateNameOf(firing.rule), key, perMs: throttle.perMs });
    }
    if (wanted.size === 0) return new Map();
    // Sorted, so that two transactions with the same keys wait for each other in one order.
    const rows = [...wanted.values()].sort((a, b) => compare(a.rule, b.rule) || compare(a.key, b.key));
    const [rules, keys] = [rows.map(({ rule }) => rule), rows.map(({ key }) => key)];
    await tx.query(
      `insert into throttles (rule, key, hits, updated_at)
       select rule, key, '{}', $3 from unnest($1::text[], $2::text[]) as u (rule, key) on conflict do nothing`,
      [rules, keys, new Date(now)],
    );
    const found = await tx.query<{ rule: string; key: string; hits: Date[] }[]>(
      `select t.rule, t.key, t.hits from throttles t
         join unnest($1::text[], $2::text[]) with ordinality as u (rule, key, place) on t.rule = u.rule and t.key = u.key
        order by u.place for update of t`,
      [rules, keys],
    );
    return new Map(
      found.map(({ rule, key, hits }) => {
        const at = JSON.stringify([rule, key]);
        const since = now - (wanted.get(at)?.perMs ?? 0);
        return [
          at,
          hits
            .map((hit) => hit.getTime())
            .filter((hit) => hit > since)
            .sort((a, b) => a - b),
        ];
      }),
    );
  }
}

async function shadowsRecorded(
  tx: EntityManager,
  firings: readonly Firing[],
): Promise<readonly { readonly key: string }[]> {
  const keys = firings.flatMap(({ deliveries }) => deliveries.map(actionKeyOf));
  if (keys.length === 0) return [];
  return await tx.query<{ key: string }[]>('select key from shadow_keys where key = any($1::text[])', [keys]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One for each rule of which something could not be rendered. */
function unrendered(made: readonly AdmittedDelivery[]): Notice[] {
  const dead = made.filter(({ delivery }) => delivery.state === 'dead');
  return [...new Set(dead.map(({ delivery }) => delivery.rule))].map((rule) => {
    const own = dead.filter(({ delivery }) => delivery.rule === rule);
    return notRendered(rule, own.length, own[0]?.delivery.code ?? null);
  });
}
