import type { EntityManager } from 'typeorm';
import type { StoredEvent } from '../../events/event-store.js';
import { entityAt } from '../state/observe.js';
import type { EventPlace, Observation, RootState } from '../state/root-state.js';
import { isNear, isReconciledId, reconciledId } from './reconciled-id.js';

/** An event that is made up for a lost one. */
export interface Announced {
  readonly origin: string;
  readonly eventId: string;
  /** The root entity. */
  readonly entity: string;
}

/**
 * Keeps what a synthetic event and the genuine one that it stands for have in common: the cause of what is sent. Whichever
 * is decided first gives it; the other one asks for what was asked for already. Everything happens in the lane of the
 * root entity, and the state says whether there is another one at all: other events cost nothing.
 */
export class ReconciledEvents {
  /** Before they are stored, so that whoever decides one knows it. */
  async announce(tx: EntityManager, events: readonly Announced[], now: number): Promise<void> {
    await tx.query(
      `insert into reconciled_events (origin, event_id, entity, created_at)
       select origin, event_id, entity, $4 from unnest($1::text[], $2::text[], $3::text[]) as u (origin, event_id, entity)
       on conflict do nothing`,
      [
        events.map(({ origin }) => origin),
        events.map(({ eventId }) => eventId),
        events.map(({ entity }) => entity),
        new Date(now),
      ],
    );
  }

  /**
   * The key of the event because of which things are sent, when that is not the event's own: of a synthetic event the
   * genuine one that has come meanwhile, and the other way round. Null: its own. `before`: the state without it; `orderTime`
   * in ms. The lane must be locked.
   */
  async causeOf(
    tx: EntityManager,
    event: Pick<StoredEvent, 'origin' | 'eventId' | 'eventType' | 'source'>,
    place: EventPlace,
    before: RootState,
    orderTime: number,
  ): Promise<string | null> {
    const id = place.tells === null ? null : place[place.tells];
    const seen = place.tells === null || id === null ? [] : (entityAt(before, place.tells, id)?.seen ?? []);
    if (seen.length === 0) return null;
    if (event.source === 'reconcile') return await this.genuineCause(tx, event, place, seen, orderTime);
    const synthetic = reconciledId(event.eventType, place);
    if (!seen.some((one) => one[2] === synthetic && isNear(one, orderTime))) return null;
    // One synthetic event stands for one genuine event: the same status told again later is another matter.
    const [[row]] = await tx.query<[{ cause: string | null }[], number]>(
      `update reconciled_events set genuine = $3
        where origin = $1 and event_id = $2 and (genuine is null or genuine = $3) returning cause`,
      [event.origin, synthetic, event.eventId],
    );
    return row ? (row.cause ?? `${event.origin}/${synthetic}`) : null;
  }

  private async genuineCause(
    tx: EntityManager,
    { origin, eventId, eventType }: Pick<StoredEvent, 'origin' | 'eventId' | 'eventType'>,
    { status }: EventPlace,
    seen: readonly Observation[],
    orderTime: number,
  ): Promise<string | null> {
    const near = seen
      .filter((one) => one[3] === status && isNear(one, orderTime) && !isReconciledId(one[2]))
      .sort((a, b) => Math.abs(a[0] - orderTime) - Math.abs(b[0] - orderTime));
    if (near.length === 0) return null;
    // The status of a process is told by events of two types, and rules listen to either.
    const rows = await tx.query<{ eventId: string }[]>(
      `select k.event_id as "eventId" from event_keys k join events e on e.id = k.id
        where k.origin = $1 and k.event_id = any($2::text[]) and e.event_type = $3`,
      [origin, near.map((one) => one[2]), eventType],
    );
    const alike = new Set(rows.map((row) => row.eventId));
    const genuine = near.find((one) => alike.has(one[2]))?.[2];
    if (genuine === undefined) return null;
    const cause = `${origin}/${genuine}`;
    await tx.query(
      'update reconciled_events set cause = $3, genuine = $4 where origin = $1 and event_id = $2',
      [origin, eventId, cause, genuine],
    );
    return cause;
  }
}
