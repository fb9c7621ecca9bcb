import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { ActionKind } from '../action/action.js';
import { actionKeyOf } from '../action/delivery-store.js';
import { openGathered, putOffGathered, stillGathering } from '../action/gathered-delivery.js';
import { type Gathered, MOST_BYTES, MOST_ITEMS } from './digest-scope.js';
import type { DigestItemContent } from './firing.js';
import { ruleOfGate } from './shadow.js';
import { openShadowDigests, putOffShadow, shadowsGathering } from './shadow-store.js';

/** The queue of digests whose time has come. */
export const DIGEST_QUEUE = 'digests';

/** One thing that a message tells of, and which message: those of one rule, action and key are one. */
export interface DigestItem {
  /** By which the gates know it. */
  readonly rule: string;
  /** Of a rule in shadow mode: that which it is compared with. */
  readonly shadowOf?: string | null;
  readonly action: string;
  readonly kind: ActionKind;
  readonly key: string;
  /** When the message is due if this is its first item, in ms. */
  readonly dueAt: number;
  /** The stored event and the occasion that the ledger has it under. */
  readonly eventId: string;
  readonly occasion: string;
  /** With the cause: as those of a delivery, by which the same item is known again. */
  readonly entity: string;
  readonly cause: string;
  readonly item: DigestItemContent;
}

/** A digest that gathers; locked. Its id is that of its delivery. */
export interface OpenDigest {
  readonly id: string;
  /** By which the gates know it. */
  readonly rule: string;
  readonly action: string;
  readonly key: string;
}

/** Messages that gather items until they are due. */
export class DigestStore {
  /**
   * Puts items into the open digests of their rule, action and key, and opens those that are missing, each with the
   * delivery that it becomes. An item that is in a digest already, open or closed, is not put into another. Several
   * transactions may add to one digest: the second waits for the first. `now` in ms.
   */
  async add(tx: EntityManager, items: readonly DigestItem[], now: number): Promise<void> {
    const fresh = await this.notThere(tx, items);
    const groups = new Map<string, DigestItem[]>();
    for (const item of fresh.values()) {
      const at = groupOf(item);
      const group = groups.get(at);
      if (group) group.push(item);
      else groups.set(at, [item]);
    }
    const ids = new Map<string, string>();
    for (
      let missing = firstOf(groups);
      missing.length > 0;
      missing = missing.filter((one) => !ids.has(groupOf(one)))
    ) {
      for (const { id, ...digest } of await this.open(tx, missing, now)) ids.set(groupOf(digest), id);
    }
    const rows = [...fresh].map(([key, item]) => ({ key, item, id: ids.get(groupOf(item)) }));
    if (rows.length === 0) return;
    await tx.query(
      `insert into digest_items (digest_id, item_key, event_id, item)
       select id, key, event_id, item::json
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) with ordinality as u (id, key, event_id, item, place)
        order by place`,
      [
        rows.map(({ id }) => id),
        rows.map(({ key }) => key),
        rows.map(({ item }) => item.eventId),
        rows.map(({ item }) => JSON.stringify(item.item)),
      ],
    );
  }

  /** The digest that has been due for the longest, if no other instance is at it; locked until the end of `tx`. */
  async takeDue(tx: EntityManager, now: number): Promise<OpenDigest | null> {
    const [row] = await tx.query<OpenDigest[]>(
      `select id, rule, action, key from digests where state = 'open' and due_at <= $1
        order by due_at, id limit 1 for update skip locked`,
      [new Date(now)],
    );
    return row ?? null;
  }

  /** The first items of a digest, in the order in which they came, and how many there are. */
  async itemsOf(tx: EntityManager, id: string): Promise<Gathered> {
    const rows = await tx.query<{ item: DigestItemContent | null; total: number }[]>(
      `select case when bytes <= ${MOST_BYTES} then item end as item, total from (
         select item, number, count(*) over ()::int as total,
                sum(octet_length(item::text)) over (order by number) as bytes
           from digest_items where digest_id = $1 and json_typeof(item) = 'object') as all_items
        order by number limit ${MOST_ITEMS}`,
      [id],
    );
    return { items: rows.flatMap(({ item }) => item ?? []), total: rows[0]?.total ?? 0 };
  }

  /** It gathers until another time, in ms. */
  async putOff(tx: EntityManager, { id, rule }: OpenDigest, dueAt: number): Promise<void> {
    await tx.query('update digests set due_at = $2 where id = $1', [id, new Date(dueAt)]);
    if (isShadow(rule)) await putOffShadow(tx, id, dueAt);
    else await putOffGathered(tx, id, dueAt);
  }

  /**
   * Takes no more items into some digests. What was sent is in the request of the delivery then: of the items only
   * their keys stay, unless `keep` says that somebody has to look at them.
   */
  async close(tx: EntityManager, ids: readonly string[], keep = false): Promise<void> {
    await tx.query(`update digests set state = 'closed' where id = any($1::uuid[])`, [ids]);
    if (!keep)
      await tx.query(`update digest_items set item = 'null' where digest_id = any($1::uuid[])`, [ids]);
  }

  /** By their keys, each once. */
  private async notThere(
    tx: EntityManager,
    items: readonly DigestItem[],
  ): Promise<ReadonlyMap<string, DigestItem>> {
    const byKey = new Map(items.map((item) => [actionKeyOf({ ...item, generation: 0 }), item]));
    if (byKey.size === 0) return byKey;
    const there = await tx.query<{ key: string }[]>(
      'select item_key as key from digest_items where item_key = any($1::text[])',
      [[...byKey.keys()]],
    );
    for (const { key } of there) byKey.delete(key);
    return byKey;
  }

  /** Opens or finds the digests of some first items, and locks them. Those whose delivery has ended are left out, closed. */
  private async open(
    tx: EntityManager,
    firsts: readonly DigestItem[],
    now: number,
  ): Promise<readonly OpenDigest[]> {
    const ids = firsts.map((_, seq) => uuidv7({ msecs: now, seq }));
    const open = await tx.query<OpenDigest[]>(
      // The update changes nothing: it locks what is there, and waits for whoever closes it.
      `insert into digests as d (id, rule, action, key, state, due_at, opened_at)
       select id, rule, action, key, 'open', due_at, $6
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) with ordinality
              as u (id, rule, action, key, due_at, place)
        order by place
       on conflict (rule, action, key) where state = 'open' do update set due_at = d.due_at
       returning d.id, d.rule, d.action, d.key`,
      [
        ids,
        firsts.map(({ rule }) => rule),
        firsts.map(({ action }) => action),
        firsts.map(({ key }) => key),
        firsts.map(({ dueAt }) => new Date(dueAt)),
        new Date(now),
      ],
    );
    const made = new Set(ids);
    const places = new Map(open.map(({ id, ...digest }) => [groupOf(digest), id]));
    const opened = firsts.flatMap((first) => {
      const id = places.get(groupOf(first));
      return id !== undefined && made.has(id) ? { id, first } : [];
    });
    await openGathered(
      tx,
      opened
        .filter(({ first }) => !isShadow(first.rule))
        .map(({ id, first }) => ({ ...first, id, entity: `digest:${first.key}` })),
      now,
    );
    await openShadowDigests(
      tx,
      opened.filter(({ first }) => isShadow(first.rule)),
      now,
    );
    const old = open.filter(({ id }) => !made.has(id));
    const idsOf = (shadow: boolean): string[] =>
      old.filter(({ rule }) => isShadow(rule) === shadow).map(({ id }) => id);
    const gathering = await stillGathering(tx, idsOf(false));
    const beside = await shadowsGathering(tx, idsOf(true));
    const ended = old.map(({ id }) => id).filter((id) => !gathering.has(id) && !beside.has(id));
    if (ended.length > 0) await this.close(tx, ended);
    return open.filter(({ id }) => !ended.includes(id));
  }
}

const isShadow = (gateName: string): boolean => ruleOfGate(gateName).mode === 'shadow';

function groupOf({ rule, action, key }: Pick<DigestItem, 'rule' | 'action' | 'key'>): string {
  return JSON.stringify([rule, action, key]);
}

/** The first item of each group, in one order for all: two transactions with the same ones wait for each other in it. */
function firstOf(groups: ReadonlyMap<string, readonly DigestItem[]>): DigestItem[] {
  return [...groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).flatMap(([, [first]]) => first ?? []);
}
