import type { EntityManager } from 'typeorm';
import type { PersonValues } from './person-values.js';

/** What rules in shadow mode would have sent, and holds what is to go. */
export interface FoundShadow {
  readonly id: string;
  readonly holdsTarget: boolean;
}

/**
 * Shadow deliveries of the events, whenever they were made, and those made from the id `low` on and before `high` that hold
 * a value; locked. `without`: events that stay for now.
 */
export async function shadowsRelated(
  tx: EntityManager,
  { values, low, high }: { readonly values: PersonValues; readonly low: string; readonly high: string },
  events: readonly string[],
  without: ReadonlySet<string>,
): Promise<readonly FoundShadow[]> {
  const rows = await tx.query<
    { id: string; eventId: string; target: string; request: string | null; reason: string | null }[]
  >(
    `select id, event_id as "eventId", target, request::text as request, reason from shadow_deliveries
      where id in (
        select id from shadow_deliveries where event_id = any($1::uuid[])
        union all
        select digest_id from digest_items where event_id = any($1::uuid[])
        union all
        select o.id from shadow_deliveries o
         where o.id >= $2 and o.id < $3
           and exists (select 1 from unnest($4::text[]) as form
                        where strpos(o.request::text, form) > 0 or strpos(o.target, form) > 0
                           or strpos(o.reason, form) > 0))
        -- What still gathers holds nothing of its own.
        and state <> 'gathering'
      order by id for update`,
    [events, low, high, values.forms],
  );
  const ofEvents = new Set(events);
  return rows
    .filter(
      ({ eventId, request, target, reason }) =>
        !without.has(eventId) &&
        (ofEvents.has(eventId) || [request, target, reason].some((text) => values.isIn(text))),
    )
    .map(({ id, target }) => ({ id, holdsTarget: values.isIn(target) }));
}

/** `erased`: what stands in the place of what goes. */
export async function eraseShadows(
  tx: EntityManager,
  shadows: readonly FoundShadow[],
  erased: string,
): Promise<void> {
  if (shadows.length === 0) return;
  await tx.query(
    `update shadow_deliveries
        set request = 'null', reason = case when reason is null then null else $3 end,
            target = case when id = any($2::uuid[]) then split_part(target, ':', 1) || ':' || $3::text else target end
      where id = any($1::uuid[])`,
    [
      shadows.map(({ id }) => id),
      shadows.filter(({ holdsTarget }) => holdsTarget).map(({ id }) => id),
      erased,
    ],
  );
}
