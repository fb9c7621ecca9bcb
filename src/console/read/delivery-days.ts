import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { leastIdOf } from '../../events/received-at.js';

const DAY_MS = 86_400_000;
const DAYS = 30;
/** So long is counted at once: a rule may have sent ten thousands a day. */
const COUNTED_WITHIN_MS = 500;
/** What became of the deliveries of a day that is over changes little. */
const KEPT_MS = 600_000;
const MOST_KEPT = 5000;

/** What became of the deliveries of one day. */
export interface DayOfDeliveries {
  /** UTC, `2026-11-30`. */
  readonly day: string;
  readonly made: number;
  readonly delivered: number;
  readonly dead: number;
}

/** The deliveries of rules by the day when they were made. */
export class DeliveryDays {
  private readonly known = new Map<string, { readonly row: DayOfDeliveries; readonly until: number }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /**
   * Of the last 30 days those with any, the earliest first. `since`: the first day that was counted; when that takes long, it
   * goes on from there the next time.
   */
  async of(rule: string): Promise<{ readonly days: DayOfDeliveries[]; readonly since: string }> {
    const began = performance.now();
    const today = Math.floor(this.clock.now() / DAY_MS);
    const days: DayOfDeliveries[] = [];
    let since = today;
    for (let back = 0; back < DAYS; back += 1) {
      const day = today - back;
      const known = this.find(rule, day);
      if (!known && back > 0 && performance.now() - began > COUNTED_WITHIN_MS) break;
      const row = known ?? (await this.count(rule, day));
      if (!known && back > 0) this.keep(rule, day, row);
      if (row.made > 0) days.unshift(row);
      since = day;
    }
    return { days, since: textOf(since) };
  }

  private find(rule: string, day: number): DayOfDeliveries | null {
    const known = this.known.get(keyOf(rule, day));
    return known && known.until > performance.now() ? known.row : null;
  }

  private keep(rule: string, day: number, row: DayOfDeliveries): void {
    if (this.known.size >= MOST_KEPT) this.known.clear();
    this.known.set(keyOf(rule, day), { row, until: performance.now() + KEPT_MS });
  }

  /** One day is one partition, and its index names the rule's. */
  private async count(rule: string, day: number): Promise<DayOfDeliveries> {
    const [row] = await this.dataSource.query<Omit<DayOfDeliveries, 'day'>[]>(
      `select count(*)::int as made, count(*) filter (where a.state = 'delivered')::int as delivered,
              count(*) filter (where a.state = 'dead')::int as dead
         from deliveries d join action_keys a on a.id = d.id
        where array[d.rule, d.action, d.kind, d.target, d.occasion] @> array[$1::text] and d.rule = $1
          and d.id >= $2 and d.id < $3`,
      [rule, leastIdOf(day * DAY_MS), leastIdOf((day + 1) * DAY_MS)],
    );
    return { day: textOf(day), ...(row ?? { made: 0, delivered: 0, dead: 0 }) };
  }
}

function keyOf(rule: string, day: number): string {
  return `${day} ${rule}`;
}

function textOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
