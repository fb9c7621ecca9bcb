import type { DataSource } from 'typeorm';
import type { EventStore } from '../../events/event-store.js';
import { termOf } from '../../events/event-terms.js';
import { leastIdOf } from '../../events/received-at.js';
import { LIVE } from '../decision-batch.js';
import type { EvaluationStore } from '../evaluation-store.js';
import type { EventSource } from '../trial/run-order.js';

/** Of each type so many of the last events are looked at. */
const MOST_OF_TYPE = 2000;
/** So many of the last are looked through for them, whatever their types. */
const LOOKED_THROUGH = 20_000;
const AT_ONCE = 100;
const MOST_BYTES = 256 * 1024 * 1024;

/** The last stored events of each type, with what their live evaluations have read. */
export class SampleEvents {
  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: { readonly events: EventStore; readonly evaluations: EvaluationStore },
  ) {}

  /**
   * Ids of decided events that came in since a time (ms), the latest first. `types`: those of which some are wanted even if
   * they are rare among all others. `most`: of each type; fewer than by itself.
   */
  async latest(since: number, types: readonly string[], most = MOST_OF_TYPE): Promise<string[]> {
    const least = leastIdOf(since);
    const rows = await this.dataSource.query<{ id: string; type: string; rows: number }[]>(
      `select id, event_type as type from events where id >= $1 and erased_at is null order by id desc limit ${LOOKED_THROUGH}`,
      [least],
    );
    const byType = new Map<string, string[]>();
    for (const { id, type } of rows) {
      const ids = byType.get(type);
      if (!ids) byType.set(type, [id]);
      else if (ids.length < most) ids.push(id);
    }
    if (rows.length === LOOKED_THROUGH)
      for (const type of types)
        if ((byType.get(type)?.length ?? 0) < AT_ONCE) byType.set(type, await this.rare(type, least, most));
    return [...byType.values()].flat().sort((a, b) => (a < b ? 1 : -1));
  }

  /** These events, some at a time. */
  async *read(ids: readonly string[]): ReturnType<EventSource> {
    let bytes = 0;
    for (let at = 0; at < ids.length && bytes < MOST_BYTES; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const events = new Map((await this.stores.events.findMany(some)).map((event) => [event.id, event]));
      const evaluations = await this.stores.evaluations.findMany(this.dataSource.manager, some, [LIVE]);
      const inputs = new Map(evaluations.map((one) => [one.eventId, one.inputs]));
      const tried = some.flatMap((id) => {
        const [event, read] = [events.get(id), inputs.get(id)];
        if (!event || !read || event.erasedAt !== null || read.turn) return [];
        bytes += event.raw.length + (event.content?.length ?? 0);
        return [{ event, inputs: read, others: null }];
      });
      yield { events: tried, left: some.length - tried.length };
    }
  }

  /** By the index of the search: behind so many others they are not met soon. */
  private async rare(type: string, least: string, most: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `with found as materialized (select id from event_search where terms @> array[$1::text] and id >= $2)
       select id from found order by id desc limit $3`,
      [termOf('type', type), least, most],
    );
    return rows.map(({ id }) => id);
  }
}
