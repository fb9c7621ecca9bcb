/** At most `max` in any `perMs` milliseconds. */
export interface RateLimit {
  readonly max: number;
  readonly perMs: number;
}

/** Nobody is sent away for longer: by then the line may have become shorter. */
const LONGEST_PLACE_MS = 3_600_000;

/**
 * Counts what has been begun in sliding windows, and says when the next may begin. Pure: the time is given, in
 * milliseconds. A clock that is set back makes nobody wait for longer than the longest window.
 */
export class RateWindow {
  private readonly most: number;
  /** When each of the last `most` began, oldest first. */
  private begun: number[] = [];
  /** When those who were sent away may come again, in the order of their coming. */
  private promised: number[] = [];
  private pausedUntil = 0;
  private last = 0;

  constructor(private readonly limits: readonly RateLimit[]) {
    this.most = Math.max(0, ...limits.map(({ max }) => max));
  }

  /** Milliseconds until the next may begin; 0: now. */
  wait(now: number): number {
    this.follow(now);
    const waits = this.limits.map(({ max, perMs }) => {
      const before = this.begun.at(-max);
      return before === undefined ? 0 : before + perMs - now;
    });
    return Math.max(0, this.pausedUntil - now, ...waits);
  }

  /**
   * Milliseconds after which one that has to wait may come again, behind those who have been told so before: told all
   * the same, they would all come at once.
   */
  placeInLine(now: number): number {
    const waits = this.limits.map(({ max, perMs }) => (this.promised.at(-max) ?? -Infinity) + perMs - now);
    const wait = Math.max(this.wait(now), (this.promised.at(-1) ?? -Infinity) - now, ...waits);
    const place = Math.min(wait, LONGEST_PLACE_MS);
    this.promised.push(now + place);
    this.promised = kept(this.promised, this.most);
    return place;
  }

  /** One begins now. */
  begin(now: number): void {
    this.follow(now);
    if (this.most === 0) return;
    this.begun.push(now);
    this.begun = kept(this.begun, this.most);
  }

  /** None begins for `ms`, whatever the limits say. A shorter pause does not end a longer one. */
  pause(now: number, ms: number): void {
    this.follow(now);
    this.pausedUntil = Math.max(this.pausedUntil, now + ms);
  }

  private follow(now: number): void {
    if (now < this.last) {
      const back = this.last - now;
      this.begun = this.begun.map((time) => time - back);
      this.promised = this.promised.map((time) => time - back);
      this.pausedUntil -= back;
    }
    this.last = now;
  }
}

/** The last `most`. Cut rarely: moving a thousand entries each time would cost more than keeping them. */
function kept(times: number[], most: number): number[] {
  return times.length >= 2 * Math.max(most, 1) ? times.slice(-Math.max(most, 1)) : times;
}

/** Windows of the same limits by keys, as many as are of use. */
export class RateWindows {
  private readonly windows = new Map<string, RateWindow>();

  /** @param most so many keys are remembered; the one that was asked for longest ago is forgotten first */
  constructor(
    private readonly limits: readonly RateLimit[],
    private readonly most = 10_000,
  ) {}

  of(key: string): RateWindow {
    const window = this.windows.get(key) ?? new RateWindow(this.limits);
    // Put at the end: the first is then the one that was asked for longest ago.
    this.windows.delete(key);
    this.windows.set(key, window);
    if (this.windows.size > this.most) {
      const [oldest = ''] = this.windows.keys();
      this.windows.delete(oldest);
    }
    return window;
  }
}
