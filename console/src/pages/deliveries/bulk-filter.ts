import type { Delivery } from '../../api/types.js';

export const DELIVERY_FILTERS = [
  'state',
  'rule',
  'action',
  'kind',
  'target',
  'entity',
  'event',
  'occasion',
  'since',
  'until',
  'text',
] as const;
export type DeliveryFilters = Readonly<Record<(typeof DELIVERY_FILTERS)[number], string>>;

/** What the list can be limited to and an act on many cannot: it would do more than the list shows. */
const ONLY_OF_THE_LIST = ['text', 'event', 'occasion'] as const;

/** Which of the filters that are set have no counterpart in an act on many. */
export function withoutCounterpart(filters: DeliveryFilters): (typeof ONLY_OF_THE_LIST)[number][] {
  return ONLY_OF_THE_LIST.filter((name) => filters[name] !== '');
}

/** What `POST /deliveries/{act}` is limited to. */
export type ActFilter = Readonly<Partial<Record<string, string>>> & { readonly until: string };

/**
 * The filter of an act on all that the list shows. It ends at `now` (ms since 1970) at the latest: what is made while
 * somebody reads the question is not meant.
 */
export function actFilterOf(
  {
    state,
    rule,
    action,
    kind,
    target,
    entity,
    since,
    until,
  }: DeliveryFilters & { readonly state: Delivery['state'] },
  code: string,
  now: number,
): ActFilter {
  const given = Object.entries({ state, rule, action, kind, target, entity, code, since }).filter(
    ([, value]) => value !== '',
  );
  const end = until !== '' && Date.parse(until) < now ? until : new Date(now).toISOString();
  return { ...Object.fromEntries(given), until: end };
}
