import { Temporal } from 'temporal-polyfill';

export const DAY_MS = 86_400_000;

/** A stretch of time, [from, until) in ms since 1970, in which the clocks of a zone are not changed. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  /** What the clocks show, counted as if it were UTC, less the time that it is: in ms. */
  readonly offset: number;
}

/** Stretches that are kept of one zone: five centuries with summer time. Senders choose the times of events. */
const MOST_STRETCHES = 1000;
/** Beyond this no zone says anything: the range of a Date, and room for its walls. */
const END_OF_TIME = 8_640_000_000_000_000 - 2 * DAY_MS;

/**
 * What the clocks of a time zone show. Wall times are milliseconds counted as if they were UTC. Asking a zone's rules
 * takes microseconds, and finding a change of its clocks milliseconds, so that what was found is kept.
 */
export class ZoneClock {
  /** Sorted, apart from each other. */
  private stretches: Stretch[] = [];
  private last: Stretch = { from: 0, until: 0, offset: 0 };

  /** @throws RangeError when there is no such zone */
  constructor(private readonly timezone: string) {
    this.stretchAt(0);
  }

  /**
   * The stretch in which an instant lies.
   *
   * @throws RangeError when it is no instant: NaN, or without an end
   */
  stretchAt(instant: number): Stretch {
    const { last } = this;
    if (instant >= last.from && instant < last.until) return last;
    if (!Number.isFinite(instant)) throw new RangeError(`${instant} is no instant`);
    this.last = this.known(instant) ?? this.add(this.find(instant));
    return this.last;
  }

  wallOf(instant: number): number {
    return instant + this.stretchAt(instant).offset;
  }

  /** The day that it is, in days since 1970-01-01. */
  dayOf(instant: number): number {
    return Math.floor(this.wallOf(instant) / DAY_MS);
  }

  /**
   * The instant at which the clocks show a wall time: the first of two; of one that is skipped, as if the clocks had
   * not been changed (Temporal's "compatible").
   */
  instantOf(wall: number): number {
    // No zone is a day away from UTC: where the clocks are not changed within a day, there is one answer.
    const stretch = this.stretchAt(wall - DAY_MS);
    if (wall + DAY_MS < stretch.until) return wall - stretch.offset;
    const { epochMilliseconds } = Temporal.Instant.fromEpochMilliseconds(wall)
      .toZonedDateTimeISO('UTC')
      .toPlainDateTime()
      .toZonedDateTime(this.timezone, { disambiguation: 'compatible' });
    return epochMilliseconds;
  }

  private known(instant: number): Stretch | null {
    let low = 0;
    let high = this.stretches.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const stretch = this.stretches[middle];
      if (!stretch) break;
      if (instant < stretch.from) high = middle - 1;
      else if (instant >= stretch.until) low = middle + 1;
      else return stretch;
    }
    return null;
  }

  private find(instant: number): Stretch {
    const at = Temporal.Instant.fromEpochMilliseconds(
      Math.min(Math.max(Math.floor(instant), -END_OF_TIME), END_OF_TIME),
    ).toZonedDateTimeISO(this.timezone);
    const until = at.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity;
    // The one before the next: "previous" leaves out a change at this very instant.
    const from =
      at.add({ milliseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? -Infinity;
    return { from, until, offset: at.offsetNanoseconds / 1_000_000 };
  }

  private add(stretch: Stretch): Stretch {
    if (this.stretches.length >= MOST_STRETCHES) this.stretches = [];
    const after = this.stretches.findIndex(({ from }) => from > stretch.from);
    this.stretches.splice(after < 0 ? this.stretches.length : after, 0, stretch);
    return stretch;
  }
}

const clocks = new Map<string, ZoneClock>();

/** Days since 1970-01-01 of `2026-01-31`. */
export function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS;
}

/**
 * The clock of a zone, by its IANA name.
 *
 * @throws RangeError when there is no such zone
 */
export function zoneClock(timezone: string): ZoneClock {
  const known = clocks.get(timezone);
  if (known) return known;
  const clock = new ZoneClock(timezone);
  clocks.set(timezone, clock);
  return clock;
}
