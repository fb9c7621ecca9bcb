import type { DataSource } from 'typeorm';
import { leastIdOf, receivedAtOf } from '../../events/received-at.js';

/** What happened in a minute. */
export interface MinuteCount {
  /** Events received. */
  readonly events: number;
  /** Rules that matched, of these events, when they were decided the first time. */
  readonly matches: number;
  /** Deliveries made. */
  readonly deliveries: number;
  /** Attempts that began, by how they ended. */
  readonly delivered: number;
  readonly failed: number;
}

export interface MinuteRow extends MinuteCount {
  /** Its begin, in ms. */
  readonly at: number;
}

const MINUTE_MS = 60_000;
const HOUR = 60;
const DAY = 24 * HOUR;
/** What began longer ago is written: commits and attempts are done by then. */
const WRITTEN_MS = 5 * MINUTE_MS;

/**
 * Counts by minute. What is long over does not change any more, so that it is counted once and kept: the last hour when
 * it is asked for, the day before it behind the answer, an hour at a time. After that only the last minutes are counted.
 *
 * Events that are not decided yet are looked at again until they are an hour old; what is decided later than that is
 * missing in its minute.
 */
export class MinuteCounts {
  /** By the number of the minute since 1970, without gaps. */
  private known = new Map<number, MinuteCount>();
  /** The earliest that is known; those before `settled` do not change any more. */
  private from = Infinity;
  private settled = -Infinity;
  private filling: Promise<void> | null = null;

  constructor(private readonly dataSource: DataSource) {}

  /** The 60 minutes up to `now` (ms), the one that is under way as the last. One call at a time. */
  async lastHour(now: number): Promise<MinuteRow[]> {
    const last = minuteOf(now);
    const first = last - HOUR + 1;
    // Nobody has asked for an hour: what lies between would take long.
    if (this.settled < first) this.forget();
    const [undecided, counts] = await Promise.all([
      this.firstUndecided(),
      this.count(Math.max(first, this.settled), last),
    ]);
    for (const [minute, count] of counts) this.known.set(minute, count);
    this.from = Math.min(this.from, first);
    this.settled = Math.max(first, Math.min(minuteOf(now - WRITTEN_MS), undecided, last));
    for (const minute of this.known.keys()) if (minute <= last - DAY) this.known.delete(minute);
    this.from = Math.max(this.from, last - DAY + 1);
    return this.rows(first, last);
  }

  /** The sum of the 24 hours up to `now`, of which the last hour was just asked for; null: they are still being counted. */
  lastDay(now: number): MinuteCount | null {
    const last = minuteOf(now);
    const first = last - DAY + 1;
    if (this.from > first) {
      void this.fill(first);
      return null;
    }
    return this.rows(first, last).reduce(sum, NOTHING);
  }

  /** Resolves when the day is counted, or cannot be now. */
  async counted(now: number): Promise<void> {
    await this.fill(minuteOf(now) - DAY + 1);
  }

  private fill(first: number): Promise<void> {
    this.filling ??= this.fillBack(first)
      // The database is away: whoever asks next begins again where this has ended.
      .catch(() => undefined)
      .finally(() => {
        this.filling = null;
      });
    return this.filling;
  }

  private async fillBack(first: number): Promise<void> {
    while (this.from > first && this.from < Infinity) {
      const { known, from } = this;
      const counts = await this.count(Math.max(first, from - HOUR), from - 1);
      // Forgotten meanwhile.
      if (known !== this.known) return;
      for (const [minute, count] of counts) known.set(minute, count);
      this.from = Math.max(first, from - HOUR);
    }
  }

  private forget(): void {
    this.known = new Map();
    this.from = Infinity;
    this.settled = -Infinity;
  }

  private rows(first: number, last: number): MinuteRow[] {
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      at: (first + index) * MINUTE_MS,
      ...(this.known.get(first + index) ?? NOTHING),
    }));
  }

  /** The minute of the first event that is still to be decided; infinite: there is none. */
  private async firstUndecided(): Promise<number> {
    const [row] = await this.dataSource.query<[{ id: string | null }]>(
      `select least((select id from event_keys where state = 'undecided' order by id limit 1),
                    (select id from event_keys where state = 'waiting' order by id limit 1)) as id`,
    );
    return row.id === null ? Infinity : minuteOf(receivedAtOf(row.id));
  }

  /** From one minute to another, both counted. A range of ids for each: nothing is computed for a row. */
  private async count(first: number, last: number): Promise<ReadonlyMap<number, MinuteCount>> {
    const cuts = Array.from({ length: last - first + 2 }, (_, index) => (first + index) * MINUTE_MS);
    const ids = cuts.map((at) => leastIdOf(at));
    const ranges = [ids.slice(0, -1), ids.slice(1)];
    const of = (what: string): Promise<{ count: number }[]> =>
      this.dataSource.query(
        `select (${what})::int as count
           from unnest($1::uuid[], $2::uuid[]) with ordinality as minute (low, high, number) order by number`,
        ranges,
      );
    const [events, matches, deliveries, attempts] = await Promise.all([
      of('select count(*) from events where id >= low and id < high'),
      of(`select coalesce(sum(matched), 0) from evaluations
           where event_id >= low and event_id < high and occasion = 'live'`),
      of('select count(*) from deliveries where id >= low and id < high'),
      this.attempts(cuts),
    ]);
    return new Map(
      events.map((row, index) => [
        first + index,
        {
          events: row.count,
          matches: matches[index]?.count ?? 0,
          deliveries: deliveries[index]?.count ?? 0,
          delivered: attempts.get(index)?.delivered ?? 0,
          failed: attempts.get(index)?.failed ?? 0,
        },
      ]),
    );
  }

  /** By the place of their minute. The day of their delivery does not tell: one may be sent long after it was made. */
  private async attempts(cuts: readonly number[]) {
    const times = cuts.map((at) => new Date(at));
    const rows = await this.dataSource.query<{ minute: number; delivered: number; failed: number }[]>(
      `select width_bucket(started_at, $1::timestamptz[]) - 1 as minute,
              count(*) filter (where outcome = 'delivered')::int as delivered,
              count(*) filter (where outcome <> 'delivered')::int as failed
         from attempts where started_at >= $2 and started_at < $3 group by 1`,
      [times, times[0], times.at(-1)],
    );
    return new Map(rows.map((row) => [row.minute, row]));
  }
}

const NOTHING: MinuteCount = { events: 0, matches: 0, deliveries: 0, delivered: 0, failed: 0 };

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);

function sum(one: MinuteCount, other: MinuteCount): MinuteCount {
  return {
    events: one.events + other.events,
    matches: one.matches + other.matches,
    deliveries: one.deliveries + other.deliveries,
    delivered: one.delivered + other.delivered,
    failed: one.failed + other.failed,
  };
}
