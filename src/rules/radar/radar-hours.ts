import type { DataSource, EntityManager } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** So far back is counted, and kept. */
export const KEPT_MS = 90 * DAY_MS;
/** A commit takes less than this: what is older and not there does not come any more. */
const SETTLED_MS = 60_000;

/** How often something happened, by the hour (ms since 1970), in order. Hours without are missing. */
export type Hours = readonly (readonly [hour: number, count: number])[];

/**
 * Counts, by the hour, how often each rule asked for something and how many events of each type came in. What was counted
 * once is kept, so that a look back of months costs nothing.
 */
export class RadarHours {
  constructor(private readonly dataSource: DataSource) {}

  /** Counts what has happened since the last time; a day at a time, each in its own transaction. `now` in ms. */
  async count(now: number): Promise<void> {
    while (await this.dataSource.transaction((tx) => this.countNext(tx, now)));
    await this.dataSource.query('delete from radar_hours where hour < $1', [new Date(now - KEPT_MS)]);
  }

  /** `rule:<name>` and `type:<event type>`. */
  async all(): Promise<ReadonlyMap<string, Hours>> {
    const rows = await this.dataSource.query<{ what: string; hours: [number, number][] }[]>(
      `select what, json_agg(json_build_array((extract(epoch from hour) * 1000)::float8, count) order by hour) as hours
         from radar_hours group by what`,
    );
    return new Map(rows.map(({ what, hours }) => [what, hours]));
  }

  /** Answers whether there is more to count. */
  private async countNext(tx: EntityManager, now: number): Promise<boolean> {
    const [row] = await tx.query<{ until: Date | null }[]>(
      'select counted_until as until from radar_progress for update',
    );
    const end = now - SETTLED_MS;
    const from = Math.max(row?.until?.getTime() ?? 0, now - KEPT_MS, await firstEvent(tx));
    const until = Math.min(from + DAY_MS, end);
    if (until <= from) return false;
    await tx.query(
      `insert into radar_hours as h (what, hour, count)
       select 'type:' || event_type, date_bin('1 hour', received_at, 'epoch'), count(*) from events
        where id >= $1 and id < $2 group by 1, 2
       on conflict (what, hour) do update set count = h.count + excluded.count`,
      [leastIdOf(from), leastIdOf(until)],
    );
    // A replay says nothing of what comes in.
    await tx.query(
      `insert into radar_hours as h (what, hour, count)
       select 'rule:' || r.name, date_bin('1 hour', decided_at, 'epoch'), count(*)
         from evaluations e cross join lateral json_object_keys(e.asked) as r (name)
        where decided_at >= $1 and decided_at < $2 and asked is not null
          and (occasion in ('live', 'settle') or occasion like 'settle:%' or occasion like 'step:%')
        group by 1, 2
       on conflict (what, hour) do update set count = h.count + excluded.count`,
      [new Date(from), new Date(until)],
    );
    await tx.query('update radar_progress set counted_until = $1', [new Date(until)]);
    return until < end;
  }
}

/** When the first event came in, ms: nothing is to be counted before it. */
async function firstEvent(tx: EntityManager): Promise<number> {
  const [row] = await tx.query<{ at: Date }[]>('select received_at as at from events order by id limit 1');
  return row ? Math.floor(row.at.getTime() / HOUR_MS) * HOUR_MS : 0;
}
