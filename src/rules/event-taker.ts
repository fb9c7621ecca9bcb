import type { DataSource, EntityManager } from 'typeorm';
import type { Log } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import { lockLanes, waitForLanes } from '../queue/lanes.js';
import type { OrderKey } from './lookup-store.js';

const LANES_AT_ONCE = 64;
const BATCH = 200;
/** How often an event may take the process down with it before it is put aside for a person. */
export const MAX_CRASHES = 3;

/** An event that was taken, in the order of its root entity. */
export interface Taken extends OrderKey {
  readonly id: string;
}

/**
 * Takes events up for decision, in the lanes of their root entities, and finds those over which processes die: what an
 * instance is about to decide stands in a marker outside its transaction, which a dead one leaves behind.
 */
export class EventTaker {
  private readonly markersToForget = new Set<string>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly options: { readonly log: Log; readonly metrics: Metrics },
  ) {}

  /** Locks lanes and chooses the events to decide, oldest first within each lane. */
  async take(tx: EntityManager, only: readonly string[] | null, marker: string): Promise<Taken[]> {
    await this.forgetMarkers();
    const lanes =
      only === null
        ? await lockLanes(tx, 'event_keys', `state = 'undecided'`, LANES_AT_ONCE)
        : await this.lanesOf(tx, only);
    if (lanes.length === 0) return [];
    await this.countCrashes(lanes);
    const keys = await tx.query<(Taken & { lane: number; crashes: number })[]>(
      `select id, lane, crashes, order_time::float8 as "orderTime", status_rank as "statusRank", event_id as "eventId"
         from event_keys
        where state = 'undecided' and lane = any($1::smallint[]) and ($2::uuid[] is null or id = any($2::uuid[]))
        order by lane, order_time, status_rank, event_id limit ${BATCH}`,
      [lanes, only],
    );
    // An event that was there at a crash is decided alone, so that the next crash tells it from its neighbours.
    const suspect = keys.findIndex(({ crashes }) => crashes > 0);
    const chosen = suspect < 0 ? keys : keys.slice(0, Math.max(1, suspect));
    if (chosen.length > 0) {
      await this.dataSource.query(
        'insert into decisions_begun (id, lanes, event_ids) values ($1, $2::smallint[], $3::uuid[])',
        [marker, [...new Set(chosen.map(({ lane }) => lane))], chosen.map(({ id }) => id)],
      );
    }
    return chosen;
  }

  private async lanesOf(tx: EntityManager, ids: readonly string[]): Promise<number[]> {
    const rows = await tx.query<{ lane: number }[]>(
      'select distinct lane from event_keys where id = any($1::uuid[])',
      [ids],
    );
    const lanes = rows.map(({ lane }) => lane);
    await waitForLanes(tx, lanes);
    return lanes;
  }

  /** A marker on a lane that this transaction holds is of a process that died over its events. */
  private async countCrashes(lanes: readonly number[]): Promise<void> {
    const [counted] = await this.dataSource.query<[{ id: string; state: string; crashes: number }[], number]>(
      `with stale as (delete from decisions_begun where lanes && $1::smallint[] returning event_ids)
       update event_keys set crashes = crashes + 1,
              state = case when crashes + 1 >= $2 then 'quarantined' else state end,
              reason = case when crashes + 1 >= $2 then 'CRASHES: the process ended ' || $2 || ' times while deciding it' else reason end
        where state = 'undecided' and id in (select unnest(event_ids) from stale)
        returning id, state, crashes`,
      [lanes, MAX_CRASHES],
    );
    for (const { id, state, crashes } of counted) {
      if (state === 'quarantined') this.options.metrics.decided.inc({ outcome: state });
      this.options.log.error(
        { event: 'event.crashed', id, state, crashes },
        'a process ended while this event was decided',
      );
    }
  }

  /** A marker of a transaction that failed without a crash. */
  forgetLater(marker: string): void {
    this.markersToForget.add(marker);
  }

  /** Removes the markers of transactions that failed without a crash. */
  async forgetMarkers(): Promise<void> {
    if (this.markersToForget.size === 0) return;
    const markers = [...this.markersToForget];
    await this.dataSource.query('delete from decisions_begun where id = any($1::uuid[])', [markers]);
    for (const marker of markers) this.markersToForget.delete(marker);
  }
}
