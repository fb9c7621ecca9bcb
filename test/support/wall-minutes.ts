const MINUTE = 60_000;

/** Minutes of a day, [from, to). */
export type Hours = readonly (readonly [from: number, to: number])[];

/** Some hours of some days. */
export interface Open {
  readonly works: (date: string) => boolean;
  readonly hours: Hours;
}

/**
 * Time as a child counts it: what the clocks of a zone show at each minute, asked of Intl.DateTimeFormat one by one, and
 * durations by walking over them. Slow, and with nothing in it that could be wrong in the same way as the product.
 */
export class WallMinutes {
  /** Every date of the time, in order. */
  readonly dates: readonly string[];
  private readonly first: number;
  /** By minute: the place of its date in `dates`, and the minute of the day. */
  private readonly dateOf: Uint16Array;
  private readonly minuteOf: Uint16Array;

  /** Of the minutes from `from` to `to`, in ms. */
  constructor(timezone: string, from: number, to: number) {
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: timezone,
      dateStyle: 'short',
      timeStyle: 'short',
    });
    this.first = Math.floor(from / MINUTE);
    const count = Math.ceil(to / MINUTE) - this.first;
    this.dateOf = new Uint16Array(count);
    this.minuteOf = new Uint16Array(count);
    const places = new Map<string, number>();
    for (let at = 0; at < count; at += 1) {
      const [date = '', time = ''] = format.format((this.first + at) * MINUTE).split(' ');
      let place = places.get(date);
      if (place === undefined) places.set(date, (place = places.size));
      this.dateOf[at] = place;
      this.minuteOf[at] = Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
    }
    this.dates = [...places.keys()];
  }

  dateAt(instant: number): string {
    return this.dates[this.dateOf[this.placeOf(instant)]!]!;
  }

  minuteAt(instant: number): number {
    return this.minuteOf[this.placeOf(instant)]!;
  }

  /** When `ms` of open time have passed since an instant. */
  after(from: number, ms: number, open: Open): number {
    let left = ms;
    for (let at = from; ;) {
      const place = this.placeOf(at);
      const next = (this.first + place + 1) * MINUTE;
      if (this.isOpen(place, open)) {
        if (left <= next - at) return at + left;
        left -= next - at;
      }
      at = next;
    }
  }

  /** When the clocks show a time (ms of the day) of a date: first; or would, had they not skipped it. */
  instantOf(date: string, time: number): number {
    const place = this.dates.indexOf(date);
    const midnight = this.dateOf.indexOf(place);
    const minute = Math.floor(time / MINUTE);
    let before: number | null = null;
    for (let at = midnight; this.dateOf[at] === place; at += 1) {
      if (this.minuteOf[at] === minute) return (this.first + at) * MINUTE + (time % MINUTE);
      if (this.minuteOf[at]! < minute) before = at;
    }
    // Without the hour after midnight, the day begins when it would have been midnight.
    if (before === null) return (this.first + midnight) * MINUTE + time;
    return (this.first + before) * MINUTE + (time - this.minuteOf[before]! * MINUTE);
  }

  private isOpen(place: number, { works, hours }: Open): boolean {
    const minute = this.minuteOf[place]!;
    return (
      hours.some(([from, to]) => minute >= from && minute < to) && works(this.dates[this.dateOf[place]!]!)
    );
  }

  private placeOf(instant: number): number {
    const place = Math.floor(instant / MINUTE) - this.first;
    if (place < 0 || place >= this.dateOf.length) throw new Error('the walk has left the time that is known');
    return place;
  }
}

/** 1 (Monday) to 7. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T12:00:00Z`).getUTCDay() || 7;
}
