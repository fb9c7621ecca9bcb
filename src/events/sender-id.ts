/**
 * The keys with the sender's id `$1`, of whatever origin, as a table `found`. An index of its own would cost every
 * event that comes in; there are few origins, so each is looked into by the primary key.
 */
export const KEYS_OF_SENDER_ID = `
  with recursive origins as (
    (select origin from event_keys order by origin limit 1)
    union all
    select (select k.origin from event_keys k where k.origin > o.origin order by k.origin limit 1)
      from origins o where o.origin is not null),
  found as (
    select k.* from origins o join event_keys k on k.origin = o.origin and k.event_id = $1)`;
