import type { DataSource } from 'typeorm';
import type { StoredEvent } from '../../events/event-store.js';

/** However large events are: so much of them is read. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The events received last, the latest first: up to `limit`, and as many as fit into 4 MiB. Without erased ones. */
export async function latestEvents(dataSource: DataSource, limit: number): Promise<StoredEvent[]> {
  return await dataSource.query<StoredEvent[]>(
    `with latest as materialized (
       select id, octet_length(coalesce(content, raw)) as bytes from events order by id desc limit $1),
     fitting as materialized (
       select id from (select id, sum(bytes) over (order by id desc) as total from latest) as summed
        where total <= ${MOST_BYTES})
     select e.id, e.received_at as "receivedAt", e.origin, e.event_id as "eventId", e.event_type as "eventType", e.source,
            e.create_time as "createTime", e.root_entity as "rootEntity",
            case when e.content is null then e.raw else ''::bytea end as raw, e.content, e.transport,
            e.erased_at as "erasedAt"
       from fitting f join lateral (select * from events where id = f.id) as e on e.erased_at is null
      order by e.id desc`,
    [limit],
  );
}
