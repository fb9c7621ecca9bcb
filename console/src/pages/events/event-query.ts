import type { Query } from '../../api/client.js';

/** The filters that stand in the address of the list. `last`: received within so long, instead of exact times. */
export const EVENT_FILTERS = [
  'text',
  'type',
  'biz_type',
  'status',
  'entity',
  'state',
  'verdict',
  'source',
  'origin',
  'last',
  'since',
  'until',
] as const;
export type EventFilters = Readonly<Record<(typeof EVENT_FILTERS)[number], string>>;

const MINUTE = 60_000;
const PERIODS: Readonly<Record<string, number>> = {
  '1h': 60 * MINUTE,
  '24h': 1440 * MINUTE,
  '7d': 10_080 * MINUTE,
};

/** What is asked of the API. A period begins at a full minute, so that the question stays the same for a while. */
export function queryOf({ last, since, ...others }: EventFilters, now: number): Query {
  const period = PERIODS[last];
  if (period === undefined) return { ...others, since };
  return { ...others, since: new Date(Math.floor((now - period) / MINUTE) * MINUTE).toISOString() };
}
