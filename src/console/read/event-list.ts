import type { DataSource } from 'typeorm';
import { Refusal } from '../../config/problem.js';
import type { EventState } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { termGroups } from './event-search.js';
import { leastIdOf, receivedAtOf } from '../../events/received-at.js';
import { idRange, type IdRange, isUuid, oneId } from './id-range.js';
import { newestFirst, type Windows } from './newest-first.js';
import { oldestFirst } from './oldest-first.js';
import type { Slice } from './slice.js';

/** What a live evaluation came to: at least one rule matched, none did, at least one could not be told, failed. */
export type FoundVerdict = 'matched' | 'not matched' | 'unknown' | 'error';

export interface EventFilter {
  /** Exact, or `corehr.process.*`. */
  readonly type?: string | undefined;
  readonly bizType?: string | undefined;
  /** A value, or its label in Chinese or English. */
  readonly status?: string | undefined;
  /** The id of a process, a node, a task, or the root entity as `process:<id>`. */
  readonly entity?: string | undefined;
  /** Words or whole values anywhere in the event, or its id; several words: all of them. */
  readonly text?: string | undefined;
  readonly source?: string | undefined;
  readonly origin?: string | undefined;
  readonly state?: EventState | undefined;
  readonly verdict?: FoundVerdict | undefined;
  /** When it was received: from, and before. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface EventRow {
  readonly id: string;
  /** The sender's. */
  readonly eventId: string;
  readonly origin: string;
  readonly eventType: string;
  readonly source: string;
  readonly receivedAt: Date;
  readonly createTime: Date | null;
  readonly rootEntity: string | null;
  readonly state: EventState;
  readonly reason: string | null;
  readonly duplicates: number;
  readonly erased: boolean;
  /** Rules of the live evaluation with this verdict; null: not evaluated. */
  readonly matched: number | null;
  readonly unknown: number | null;
  readonly errors: number | null;
  readonly deliveries: number;
}

/** Decisions come after the receipt; clocks of instances differ, and partitions are days. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** Events found by what is in them and by what became of them, the newest first. */
export class EventList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: LiveCatalogue,
    private readonly windows?: Windows,
  ) {}

  /**
   * Up to `limit` + 1 events. Without `personal`, values of personal fields are not searched.
   *
   * @throws Refusal 400 STATUS_UNKNOWN for a status that no event type has.
   */
  async list(
    filter: EventFilter,
    slice: Slice,
    options: { readonly personal: boolean },
  ): Promise<EventRow[]> {
    const range = idRange(filter, slice);
    const { text, ...others } = filter;
    const own = text?.trim().toLowerCase() ?? '';
    if (isUuid(own)) {
      const [row] = await this.rows(await this.search(others, oneId(own, range), 1, options));
      if (row) return [row];
    }
    return await this.rows(await this.search(filter, range, slice.limit + 1, options));
  }

  /**
   * Ids of events, the oldest first: those that fit of the next `size` events after `after`. `end`: after which it
   * goes on; null: these were the last.
   *
   * @throws Refusal 400 STATUS_UNKNOWN for a status that no event type has.
   */
  async stretch(
    filter: EventFilter,
    after: string | null,
    size: number,
  ): Promise<{ readonly found: string[]; readonly end: string | null }> {
    const groups = termGroups(filter, this.catalogue.current, { personal: true });
    if (groups === null) return { found: [], end: null };
    const { indexed, rest, parameters } = conditionsOf(groups, filter.state);
    const { low, high } = idRange(filter, { after: null });
    const range = { low: after !== null && after > low ? after : low, high };
    return await oldestFirst(this.dataSource, { conditions: [...indexed, ...rest], parameters, range, size });
  }

  /**
   * The event with our id, or with the sender's; null: there is none.
   *
   * @throws Refusal 409 EVENT_AMBIGUOUS when several events have the sender's id.
   */
  async find(id: string): Promise<EventRow | null> {
    const keys = await this.dataSource.query<{ id: string; origin: string }[]>(
      `select id, origin from event_keys where event_id = $1
       union select id, origin from event_keys where id = $2::uuid order by id limit 20`,
      [id, isUuid(id.toLowerCase()) ? id : null],
    );
    if (keys.length > 1) {
      const ids = keys.map((key) => `${key.id} (${key.origin})`).join(', ');
      throw new Refusal(
        409,
        'EVENT_AMBIGUOUS',
        `Several events have the id "${id.slice(0, 200)}": ask for one of ${ids}.`,
      );
    }
    return (await this.rows(keys.map((key) => key.id)))[0] ?? null;
  }

  private async search(
    filter: EventFilter,
    range: IdRange,
    limit: number,
    options: { readonly personal: boolean },
  ): Promise<string[]> {
    const groups = termGroups(filter, this.catalogue.current, options);
    if (groups === null) return [];
    const { state } = filter;
    // What has been received this moment is not indexed yet.
    if (groups.length === 0 || (groups.length === 1 && state !== undefined && state !== 'decided'))
      return await this.newest(state, range, limit);
    return await newestFirst(this.dataSource, {
      windows: this.windows,
      table: 'event_search',
      id: 'id',
      ...conditionsOf(groups, state),
      range,
      limit,
    });
  }

  /** Without a look at what is in them. */
  private async newest(
    state: EventState | undefined,
    { low, high }: IdRange,
    limit: number,
  ): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      state === undefined
        ? 'select id from events where id >= $1 and id < $2 order by id desc limit $3'
        : `select id from event_keys where id >= $1 and id < $2 and state = $4 and state <> 'decided' order by id desc limit $3`,
      [low, high, limit, ...(state === undefined ? [] : [state])],
    );
    return rows.map(({ id }) => id);
  }

  private async rows(ids: readonly string[]): Promise<EventRow[]> {
    const oldest = ids.at(-1);
    if (oldest === undefined) return [];
    return await this.dataSource.query<EventRow[]>(
      `select e.id, e.event_id as "eventId", e.origin, e.event_type as "eventType", e.source, e.received_at as "receivedAt",
              e.create_time as "createTime", e.root_entity as "rootEntity", k.state, k.reason, k.duplicates,
              e.erased_at is not null as erased, v.matched, v.unknown, v.errors, coalesce(d.deliveries, 0) as deliveries
         from events e join event_keys k on k.id = e.id
         left join evaluations v on v.event_id = e.id and v.occasion = 'live' and v.event_id = any($1::uuid[])
         left join (select event_id, count(*)::int as deliveries from deliveries
                     where event_id = any($1::uuid[]) and id >= $2 group by event_id) as d on d.event_id = e.id
        where e.id = any($1::uuid[]) and k.id = any($1::uuid[]) order by e.id desc`,
      [ids, leastIdOf(receivedAtOf(oldest) - CLOCKS_DIFFER_MS)],
    );
  }
}

function conditionsOf(groups: readonly string[][], state: EventState | undefined) {
  const single = groups.flatMap((group) => (group.length === 1 ? group : []));
  const several = groups.filter((group) => group.length > 1);
  const parameters: unknown[] = [];
  const parameter = (value: unknown): string => `$${parameters.push(value)}`;
  return {
    indexed: [
      ...(single.length > 0 ? [`s.terms @> ${parameter(single)}::text[]`] : []),
      ...several.map((group) => `s.terms && ${parameter(group)}::text[]`),
    ],
    // Terms say it a moment later than the keys.
    rest:
      state === undefined
        ? []
        : [`(select k.state from event_keys k where k.id = s.id) = ${parameter(state)}`],
    parameters,
  };
}
