import type { DataSource } from 'typeorm';
import { matchesPattern } from '../../events/catalogue.js';
import type { StoredEvent } from '../../events/event-store.js';
import { receivedAtOf } from '../../events/received-at.js';
import type { RecordedEvent, RecordedEvents, RecordedStep } from '../../rules/backtest/recorded-event.js';
import { LIVE } from '../../rules/decision-batch.js';
import type { LookupAnswers } from '../../rules/lookup-document.js';
import { STEP } from '../../rules/timer-store.js';
import type { EventList } from './event-list.js';
import { idRange, type IdRange } from './id-range.js';

/** Ids of events, the oldest first; `end`: after which it goes on, null: these were the last. */
export type Stretches = (
  after: string | null,
  size: number,
) => Promise<{ readonly found: readonly string[]; readonly end: string | null }>;

/** Which events are read. */
export interface RecordedSelection {
  readonly stretches: Stretches;
  /** Whether the events of a type are wanted; absent: of any. */
  readonly isWanted?: (eventType: string) => boolean;
  /** Decided from here on and before `until`, ms since 1970; absent: whenever. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** So many bytes of bodies are held for later. Given only by tests, which have few events. */
  readonly heldBytes?: number;
}

const AT_ONCE = 500;
const LEAST_AT_ONCE = 20;
/** So many bytes of bodies are read together, roughly, and held for events that were decided long after they came. */
const BYTES_AT_ONCE = 8 * 1024 * 1024;
const HELD_BYTES = 64 * 1024 * 1024;
/** By so much the clocks of instances may differ. */
const CLOCKS_DIFFER_MS = 60_000;

/** Look-ups may be waited for so long, and a decision with them. */
const DECIDED_WITHIN_MS = 86_400_000;

/** Events as they were decided within a time (ms since 1970), of some types, or of patterns of them; of all when there are none. */
export function recordedWithin(
  dataSource: DataSource,
  list: EventList,
  {
    from,
    until,
    types = [],
  }: { readonly from: number; readonly until: number; readonly types?: readonly string[] },
): StoredRecordedEvents {
  const window = { since: new Date(from - DECIDED_WITHIN_MS), until: new Date(until) };
  return new StoredRecordedEvents(
    dataSource,
    {
      stretches: (after, size) => list.stretch(window, after, size),
      ...(types.length === 0
        ? {}
        : { isWanted: (eventType: string) => types.some((type) => matchesPattern(type, eventType)) }),
      from,
      until,
    },
    idRange(window, { after: null }),
  );
}

/** An event that is read; its content is null when it is to be read again. */
interface Waiting {
  readonly id: string;
  readonly decidedAt: number;
  recorded: RecordedEvent | null;
}

type Row = StoredEvent & {
  readonly decidedAt: number | null;
  readonly lookups: LookupAnswers | null;
  readonly cause: string | null;
};

/**
 * Stored events in the order of their decisions, with what was recorded of these. It walks along the ids, some at a time,
 * and holds what was decided later than the events that it has come to. Turns of schedules are left out: whoever runs
 * rules makes them anew.
 */
export class StoredRecordedEvents implements RecordedEvents {
  /** So many were never decided, and are left out. */
  undecided = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly dataSource: DataSource,
    private readonly selection: RecordedSelection,
    private readonly range: IdRange | null = null,
  ) {}

  async count(): Promise<number | null> {
    if (!this.range) return null;
    try {
      const [row] = await this.dataSource.query<[{ count: number }]>(
        'select count(*)::int as count from events where id >= $1 and id < $2',
        [this.range.low, this.range.high],
      );
      return row.count;
    } catch {
      // Too many to be counted in time: then nobody knows.
      return null;
    }
  }

  async *read(): AsyncIterable<readonly RecordedEvent[]> {
    const waiting: Waiting[] = [];
    let after: string | null = null;
    let size = AT_ONCE;
    do {
      const { found, end }: Awaited<ReturnType<Stretches>> = await this.selection.stretches(after, size);
      const read = await this.load(found);
      for (const recorded of read) {
        const decidedAt = recorded.decidedAt ?? 0;
        if (this.isWithin(decidedAt)) waiting.push({ id: recorded.event.id, decidedAt, recorded });
      }
      waiting.sort(inOrder);
      // What is still to be read was received later, and so decided later.
      const certain = end === null ? Number.POSITIVE_INFINITY : receivedAtOf(end) - CLOCKS_DIFFER_MS;
      const next = waiting.findIndex(({ decidedAt }) => decidedAt > certain);
      const due = waiting.splice(0, next < 0 ? waiting.length : next);
      spare(waiting, this.selection.heldBytes ?? HELD_BYTES);
      yield* this.give(due);
      size = sizeAfter(size, read);
      after = end;
    } while (after !== null);
  }

  private isWithin(decidedAt: number): boolean {
    const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = this.selection;
    return decidedAt >= from && decidedAt < until;
  }

  /** Those of one time of decision together. */
  private async *give(due: readonly Waiting[]): AsyncIterable<readonly RecordedEvent[]> {
    for (let at = 0; at < due.length;) {
      let end = Math.min(at + AT_ONCE, due.length);
      while (end < due.length && due[end]?.decidedAt === due[end - 1]?.decidedAt) end += 1;
      yield await this.whole(due.slice(at, end));
      at = end;
    }
  }

  private async whole(due: readonly Waiting[]): Promise<RecordedEvent[]> {
    const spared = due.flatMap(({ id, recorded }) => (recorded === null ? id : []));
    const again = new Map<string, RecordedEvent>();
    if (spared.length > 0) for (const one of await this.load(spared)) again.set(one.event.id, one);
    return due.flatMap(({ id, recorded }) => {
      const one = recorded ?? again.get(id);
      return one ? this.inTime(one) : [];
    });
  }

  /** Clocks that differ by more than is allowed for: time does not run backwards all the same. */
  private inTime(recorded: RecordedEvent): RecordedEvent {
    const decidedAt = recorded.decidedAt ?? 0;
    if (decidedAt >= this.last) {
      this.last = decidedAt;
      return recorded;
    }
    return { ...recorded, decidedAt: this.last };
  }

  private async load(ids: readonly string[]): Promise<RecordedEvent[]> {
    if (ids.length === 0) return [];
    const rows = await this.rows(ids);
    const wanted = rows.filter(
      ({ eventType, source }) => source !== 'schedule' && (this.selection.isWanted?.(eventType) ?? true),
    );
    const decided = wanted.filter(({ decidedAt }) => decidedAt !== null);
    this.undecided += wanted.length - decided.length;
    const steps = await this.steps(decided.map(({ id }) => id));
    return decided.map(({ decidedAt, lookups, cause, ...event }) => {
      const own = steps.get(event.id);
      return {
        event,
        decidedAt,
        ...(lookups === null ? {} : { lookups }),
        ...(cause === null ? {} : { cause }),
        ...(own === undefined ? {} : { steps: own }),
      };
    });
  }

  private async rows(ids: readonly string[]): Promise<Row[]> {
    return await this.dataSource.query<Row[]>(
      `select e.id, e.received_at as "receivedAt", e.origin, e.event_id as "eventId", e.event_type as "eventType", e.source,
              e.create_time as "createTime", e.root_entity as "rootEntity", e.raw, e.content, e.transport,
              e.erased_at as "erasedAt", (v.inputs ->> 'now')::float8 as "decidedAt", v.inputs -> 'lookups' as lookups,
              v.inputs ->> 'cause' as cause
         from events e
         left join evaluations v on v.event_id = e.id and v.occasion = $2 and v.event_id = any($1::uuid[])
        where e.id = any($1::uuid[]) order by e.id`,
      [ids, LIVE],
    );
  }

  /**
   * What was answered before the steps of the ladders that events armed. Of a step that was sent its evaluation says so; of
   * one that was not, because nobody was waited for any more, the ladder for as long as it is kept.
   */
  private async steps(ids: readonly string[]): Promise<ReadonlyMap<string, readonly RecordedStep[]>> {
    const steps = new Map<string, RecordedStep[]>();
    if (ids.length === 0) return steps;
    const rows = await this.dataSource.query<
      {
        eventId: string;
        rule: string;
        step: string;
        subject: string | null;
        at: Date;
        pending: boolean | null;
        lookups: LookupAnswers | null;
      }[]
    >(
      `select event_id as "eventId", split_part(occasion, ':', 2) as rule,
              substring(occasion from length(split_part(occasion, ':', 2)) + 7) as step,
              inputs -> 'step' ->> 'subject' as subject, decided_at as at,
              (inputs -> 'step' ->> 'pending')::boolean as pending, inputs -> 'lookups' as lookups
         from evaluations where event_id = any($1::uuid[]) and starts_with(occasion, $2)
       union all
       select event_id, rule, step, subject, updated_at, false, answers -> 'lookups'
         from timers where event_id = any($1::uuid[]) and code = 'NOT_PENDING'`,
      [ids, STEP],
    );
    rows.sort((a, b) => a.at.getTime() - b.at.getTime() || (a.step < b.step ? -1 : 1));
    for (const { eventId, rule, step, subject, at, pending, lookups } of rows) {
      const known = steps.get(eventId) ?? [];
      known.push({
        rule,
        subject,
        step,
        at: at.getTime(),
        pending,
        ...(lookups === null ? {} : { lookups }),
      });
      steps.set(eventId, known);
    }
    return steps;
  }
}

function inOrder(a: Waiting, b: Waiting): number {
  return a.decidedAt - b.decidedAt || (a.id < b.id ? -1 : 1);
}

function bytesOf({ event: { raw, content } }: RecordedEvent): number {
  return raw.length + (content?.length ?? 0);
}

/** Of what waits long, only the ids are kept when there is too much of it. */
function spare(waiting: readonly Waiting[], most: number): void {
  let bytes = 0;
  for (const one of waiting) {
    bytes += one.recorded ? bytesOf(one.recorded) : 0;
    if (bytes > most) one.recorded = null;
  }
}

/** How many events are read next, by how large these were. */
function sizeAfter(size: number, read: readonly RecordedEvent[]): number {
  const bytes = read.reduce((sum, one) => sum + bytesOf(one), 0);
  if (bytes > BYTES_AT_ONCE) return Math.max(LEAST_AT_ONCE, Math.floor(size / 2));
  return Math.min(AT_ONCE, size * 2);
}
