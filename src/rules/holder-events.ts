import type { EntityManager } from 'typeorm';
import type { Catalogue } from '../events/catalogue.js';
import type { EventStore, StoredEvent } from '../events/event-store.js';
import type { HolderEvent } from './due-step.js';
import type { Ladder } from './ladder.js';
import { placeOf } from './state/observe.js';
import { subjectOf } from './subject.js';

/** So many holders of a ladder are looked at: of more, those that were seen last. */
const MOST_HOLDERS = 200;

/** The stored events by which the holders of a ladder are known, the one received last at the end. */
export function holderIdsOf({ holders }: Pick<Ladder, 'holders'>): readonly string[] {
  return [...new Set(Object.values(holders))].sort().slice(-MOST_HOLDERS);
}

/** The events by which the holders of some ladders are known, by ladder, the one received last at the end. */
export async function holdersOf(
  tx: EntityManager,
  events: EventStore,
  ladders: readonly Ladder[],
  catalogue: Catalogue,
): Promise<ReadonlyMap<string, readonly HolderEvent[]>> {
  const wanted = new Map(ladders.map((ladder) => [ladder.id, holderIdsOf(ladder)]));
  const ids = [...new Set([...wanted.values()].flat())];
  const found = new Map((await events.findMany(ids, tx)).map((event) => [event.id, event]));
  const ranks = await tx.query<{ id: string; orderTime: number; statusRank: number }[]>(
    `select id, order_time::float8 as "orderTime", status_rank as "statusRank" from event_keys where id = any($1::uuid[])`,
    [ids],
  );
  const orders = new Map(ranks.map((one) => [one.id, one]));
  const read = new Map<string, HolderEvent>();
  for (const [id, event] of found) {
    const order = orders.get(id);
    // Of an erased event nothing is left that could be read.
    if (order && event.erasedAt === null) read.set(id, holderOf(event, order, catalogue));
  }
  return new Map([...wanted].map(([id, holders]) => [id, holders.flatMap((one) => read.get(one) ?? [])]));
}

/** The tasks whose state has to be read for some ladders, by root entity. */
export function tasksHeld(
  ladders: readonly Ladder[],
  holders: ReadonlyMap<string, readonly HolderEvent[]>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const { id, entity } of ladders) {
    const tasks = wanted.get(entity) ?? new Set();
    wanted.set(entity, tasks);
    for (const { place } of holders.get(id) ?? []) if (place.task !== null) tasks.add(place.task);
  }
  return wanted;
}

function holderOf(
  event: StoredEvent,
  { orderTime, statusRank }: { readonly orderTime: number; readonly statusRank: number },
  catalogue: Catalogue,
): HolderEvent {
  const subject = subjectOf(event);
  return {
    id: event.id,
    subject,
    place: placeOf(catalogue, event.eventType, subject.facts),
    at: { orderTime, statusRank, eventId: event.eventId },
    receivedAt: event.receivedAt.getTime(),
  };
}
