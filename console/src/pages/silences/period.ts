/** How long a silence lasts, as one chooses it. */
export type Lasting = '30m' | '2h' | '24h' | 'tomorrow' | 'custom';

export const LASTINGS: readonly Lasting[] = ['30m', '2h', '24h', 'tomorrow', 'custom'];

/** Nine in the morning of the day after, where the reader is. */
export function tomorrowMorning(now: Date): Date {
  const then = new Date(now);
  then.setDate(then.getDate() + 1);
  then.setHours(9, 0, 0, 0);
  return then;
}

/**
 * What the API is told of the period.
 *
 * @param startsAt ISO 8601; empty: at once
 * @param until ISO 8601, of a custom one
 */
export function periodOf(
  lasting: Lasting,
  startsAt: string,
  until: string,
  now: Date,
): { startsAt?: string; endsAt?: string; for?: string } {
  const start = startsAt === '' ? {} : { startsAt };
  if (lasting === 'custom') return { ...start, endsAt: until };
  if (lasting !== 'tomorrow') return { ...start, for: lasting };
  return { ...start, endsAt: tomorrowMorning(startsAt === '' ? now : new Date(startsAt)).toISOString() };
}
