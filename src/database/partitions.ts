import type { DataSource } from 'typeorm';
import { utcDay } from '../config/utc-day.js';

const DAY = 86_400_000;
const DAYS_AHEAD = 7;

/** Sees to it that the day partitions exist before a row is written into them. */
export class Partitions {
  private readonly known = new Set<number>();

  constructor(private readonly dataSource: DataSource) {}

  /** Makes the partitions of the day of `time` (ms since 1970) and of a week ahead, where missing. */
  async ensure(time: number): Promise<void> {
    const day = Math.floor(time / DAY);
    if (this.known.has(day) && this.known.has(day + 1)) return;
    await this.dataSource.query(`select ensure_partitions($1::date, $2::date)`, [
      utcDay((day - 1) * DAY),
      utcDay((day + DAYS_AHEAD) * DAY),
    ]);
    for (let each = day - 1; each <= day + DAYS_AHEAD; each += 1) this.known.add(each);
  }
}
