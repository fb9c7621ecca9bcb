import type { Api } from './faults.js';

export interface Limit {
  readonly max: number;
  readonly perMs: number;
}

/** The calls of a sliding window, for each API and caller. */
export class RateLimits {
  private readonly windows = new Map<string, number[]>();

  constructor(
    private readonly limits: ReadonlyMap<Api, Limit>,
    private readonly now: () => number,
  ) {}

  /** Counts a call. Answers null, or after how many milliseconds the next one is allowed; that one is not counted. */
  take(api: Api, caller: string): number | null {
    const limit = this.limits.get(api);
    if (!limit) return null;
    const key = `${api} ${caller}`;
    const now = this.now();
    const calls = (this.windows.get(key) ?? []).filter((at) => at > now - limit.perMs);
    this.windows.set(key, calls);
    if (calls.length >= limit.max) {
      return limit.max === 0 ? limit.perMs : (calls[calls.length - limit.max] ?? now) + limit.perMs - now;
    }
    calls.push(now);
    return null;
  }
}
