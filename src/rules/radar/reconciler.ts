import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import type { Log } from '../../config/log.js';
import type { Metrics } from '../../config/metrics.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { IncomingEvent } from '../../events/event.js';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import { receivedAtOf } from '../../events/received-at.js';
import { LOOKUP_DOCUMENT } from '../lookup-document.js';
import type { Fetched, LookupFetcher } from '../lookup-fetcher.js';
import type { PlannedLookup } from '../lookup-plan.js';
import type { RootState } from '../state/root-state.js';
import { aboutOf, type AskedBefore, GRACE_MS, type LostScan, type Suspect } from './lost-scan.js';
import { missingEvents, PROCESS_TYPES } from './missing-events.js';
import { type ProcessDetail, readProcessDetail } from './process-detail.js';
import type { ReconciledEvents } from './reconciled-events.js';
import { syntheticEvent } from './synthetic-event.js';

/** Of one root entity so many events are read, to make others like them. */
const MOST_SIBLINGS = 50;
const RECENT_MS = 30 * 86_400_000;

/** An event that is made up for a lost one, as it is told. */
export interface MadeEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly task: string | null;
  readonly status: number;
  /** ISO 8601. */
  readonly createTime: string;
  /** Its stored id; null: nothing was stored, or it was there already. */
  readonly id: string | null;
}

/** What came of asking about one root entity. */
export interface Reconciled {
  readonly entity: string;
  readonly outcome: AskedBefore['outcome'];
  /** Why it could not be asked, or what the platform leaves open; empty: nothing is open. */
  readonly detail: string;
  readonly made: readonly MadeEvent[];
  /** The platform takes no more questions for so many ms; null: it does. */
  readonly pauseMs: number | null;
}

/**
 * Asks the platform what it knows of a process, and makes an event of each status that no event has told. It is stored like
 * any other, under the key of the app that would have sent it, and rules see it as they would have seen that one. What
 * was asked and what came of it is kept.
 */
export class Reconciler {
  private begun: number | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly reconciled: ReconciledEvents;
      readonly scan: LostScan;
    },
    private readonly fetcher: LookupFetcher,
    private readonly options: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
  ) {}

  /** Whether the platform can be asked about a suspect at all. Of approvals of other kinds there is no such detail. */
  canAsk({ lastType, entity }: Pick<Suspect, 'lastType' | 'entity'>): boolean {
    return lastType.startsWith('corehr.process') && entity.startsWith('process:');
  }

  /** Asks about one, and stores what is missing, unless it is only to be told (`dryRun`). */
  async run(
    suspect: Suspect,
    catalogue: Catalogue,
    { dryRun }: { readonly dryRun: boolean },
  ): Promise<Reconciled> {
    const { entity } = suspect;
    const now = this.options.clock.now();
    const state = await this.stores.scan.stateOf(entity);
    const siblings = state ? await this.siblingsOf(state) : [];
    const [sibling] = siblings;
    if (!state || !sibling)
      return await this.end(suspect, dryRun, failed(entity, 'its events cannot be read any more'));
    const appId = sibling.origin.slice(sibling.origin.indexOf(':') + 1);
    const planned = questionOf(entity);
    const { fetched } = await this.fetcher.fetch(planned, appId, now);
    this.options.metrics.lookups.inc({ kind: 'feishu-process', outcome: fetched.kind });
    if (fetched.kind !== 'answer') return await this.end(suspect, dryRun, refusedBy(entity, fetched));
    const detail = readProcessDetail(fetched.value);
    const { missing, vague } = missingEvents(state, detail, {
      catalogue,
      processTypes: await this.processTypes(now),
      from: await this.listeningSince(),
      until: now - GRACE_MS,
    });
    const events = missing.flatMap((one) => {
      const event = syntheticEvent(one, siblings, catalogue);
      return event?.rootEntity === entity ? [{ event, one }] : [];
    });
    const stored = dryRun ? [] : await this.store(events.map(({ event }) => event));
    const made = events.map(({ event, one }, index) => ({
      eventId: event.eventId,
      eventType: event.eventType,
      task: one.task?.id ?? null,
      status: one.status,
      createTime: new Date(one.at).toISOString(),
      id: stored[index] ?? null,
    }));
    const isNew = dryRun ? made.length > 0 : made.some(({ id }) => id !== null);
    const open = vague > 0 ? `${vague} statuses without a time or a meaning` : unlisted(suspect, detail);
    return await this.end(suspect, dryRun, {
      entity,
      outcome: isNew ? 'healed' : open === '' ? 'agrees' : 'not-listed',
      detail: open,
      made,
      pauseMs: null,
    });
  }

  /** Answers the stored id of each; null: it was there already. */
  private async store(events: readonly IncomingEvent[]): Promise<(string | null)[]> {
    if (events.length === 0) return [];
    const { clock, log, metrics } = this.options;
    await this.stores.reconciled.announce(
      this.dataSource.manager,
      events.map(({ origin, eventId, rootEntity }) => ({ origin, eventId, entity: rootEntity ?? '' })),
      clock.now(),
    );
    return await Promise.all(
      events.map(async (event) => {
        const { id } = await this.stores.events.store(event);
        if (id === null) return null;
        const { eventType, eventId, rootEntity } = event;
        metrics.reconciled.inc();
        log.warn(
          { event: 'event.reconciled', id, eventId, eventType, entity: rootEntity },
          'an event was lost on its way, and is made up for by what the platform knows',
        );
        return id;
      }),
    );
  }

  private async end(suspect: Suspect, dryRun: boolean, result: Reconciled): Promise<Reconciled> {
    const { entity, outcome, detail } = result;
    if (dryRun || result.pauseMs !== null) return result;
    await this.dataSource.query(
      `insert into radar_asked as a (entity, asked_at, times, about, outcome, detail) values ($1, $2, 1, $3, $4, $5)
       on conflict (entity) do update set asked_at = excluded.asked_at, about = excluded.about,
              times = case when a.about = excluded.about then a.times + 1 else 1 end,
              outcome = excluded.outcome, detail = excluded.detail`,
      [
        entity,
        new Date(this.options.clock.now()),
        aboutOf(suspect),
        outcome,
        detail.replaceAll('\u0000', ''),
      ],
    );
    return result;
  }

  private async siblingsOf({ tasks, nodes, process, tally }: RootState): Promise<StoredEvent[]> {
    const latest = [...Object.values(tasks), ...(process ? [process] : []), ...Object.values(nodes)].map(
      (one) => one.latest,
    );
    const ids = [...new Set([...(tally.last ? [tally.last.id] : []), ...latest])].slice(0, MOST_SIBLINGS);
    const events = await this.stores.events.findMany(ids);
    return events.filter(({ origin }) => origin.startsWith('feishu:'));
  }

  /** Which events about processes themselves come in at all: what nobody subscribed to is not made up. */
  private async processTypes(now: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ what: string }[]>(
      'select distinct what from radar_hours where what = any($1::text[]) and hour >= $2',
      [PROCESS_TYPES.map((type) => `type:${type}`), new Date(now - RECENT_MS)],
    );
    return rows.map(({ what }) => what.slice('type:'.length));
  }

  /** When the first event came in, or what was imported happened (ms): what was before that was never lost. */
  private async listeningSince(): Promise<number> {
    if (this.begun === null) {
      const [row] = await this.dataSource.query<{ id: string; createTime: Date | null }[]>(
        'select id, create_time as "createTime" from events order by id limit 1',
      );
      if (!row) return 0;
      this.begun = Math.min(receivedAtOf(row.id), row.createTime?.getTime() ?? Infinity);
    }
    return this.begun;
  }
}

function questionOf(entity: string): PlannedLookup {
  const id = entity.slice('process:'.length);
  const document = LOOKUP_DOCUMENT.parse({ type: 'feishu-process', id });
  return {
    name: 'reconcile',
    document,
    request: { kind: 'feishu-process', app: null, id, task: null, userIdType: 'open_id' },
    key: `reconcile ${id}`,
  };
}

function failed(entity: string, detail: string): Reconciled {
  return { entity, outcome: 'failed', detail, made: [], pauseMs: null };
}

function refusedBy(entity: string, fetched: Exclude<Fetched, { kind: 'answer' }>): Reconciled {
  const detail = `${fetched.code}: ${fetched.detail}`;
  const pauseMs = fetched.kind === 'later' ? (fetched.afterMs ?? 60_000) : null;
  return { ...failed(entity, detail), pauseMs };
}

/** What the signs are about and the platform does not name; a detail may lag behind. Empty: nothing. */
function unlisted({ signs }: Suspect, { tasks, status }: ProcessDetail): string {
  const known = new Set(tasks.map(({ id }) => `task:${id}`));
  const left = signs.filter(({ of }) => of.startsWith('task:') && !known.has(of)).map(({ of }) => of);
  if (status === null && tasks.length === 0) return 'the answer names no task and no status';
  return left.length === 0 ? '' : `the platform does not name ${left.slice(0, 5).join(', ')}`;
}
