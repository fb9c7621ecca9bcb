import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Config } from '../../config/config.js';
import { messageOf } from '../../config/log.js';
import { Refusal } from '../../config/problem.js';
import { isDataError } from '../../database/database.errors.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { IncomingEvent } from '../../events/event.js';
import type { EventStore, Received } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { BodyReader } from '../../ingestion/body-reader.js';
import { declaredSource } from '../../ingestion/declared-source.js';
import type { AuditLog } from '../access/audit-log.js';
import type { Imported, ImportQuery } from './events.schema.js';
import { readRecordedLine } from './recorded-line.js';

/** What is said of an event that an import only stored, to whoever asks what became of it. */
export const ASIDE = 'stored by an import with --only-store: nothing is decided of it';

/** Events that are stored together. */
const AT_ONCE = 200;

type Outcome = Imported['lines'][number];

/** Brings lines in, each of which is the body of an event as it was sent. */
export class EventImport {
  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: Config,
    private readonly events: EventStore,
    private readonly catalogue: LiveCatalogue,
    private readonly builtIn: Catalogue,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Resolves after the commit of all lines that are events. What is stored already is a duplicate, so the same lines
   * may be brought again.
   *
   * @throws Refusal 400 SOURCE_UNKNOWN; 503 EVENT_NOT_STORED when some are not stored: bring them again
   */
  async take(actor: Actor, { source, app, onlyStore }: ImportQuery, lines: Buffer): Promise<Imported> {
    await this.catalogue.refresh();
    const read = this.read(linesOf(lines), source, app);
    const events = read.flatMap(({ event }) => (typeof event === 'string' ? [] : [event]));
    // Before anything is stored: nothing comes in that nobody answers for.
    await this.dataSource.transaction(async (tx) => {
      await this.audit.record(tx, actor, {
        action: 'events.import',
        subject: source === undefined ? 'events' : `source:${source}`,
        detail: {
          lines: read.length,
          events: events.length,
          onlyStore,
          ...(app === undefined ? {} : { app }),
        },
      });
    });
    const received = await this.store(events, onlyStore);
    return {
      lines: read.map(({ line, event }): Outcome => {
        const outcome = typeof event === 'string' ? event : (received.get(event) ?? '');
        return typeof outcome === 'string'
          ? { line, outcome: 'rejected', reason: outcome }
          : { line, outcome: outcome.outcome };
      }),
    };
  }

  /** Of a line that was exported as recorded, the event. */
  private read(
    lines: readonly { readonly line: number; readonly bytes: Buffer }[],
    source: string | undefined,
    app: string | undefined,
  ): { readonly line: number; readonly event: IncomingEvent | string }[] {
    const own = this.readerOf(source, app);
    const readers = new Map<string, BodyReader | string>();
    const readerFor = (declared: string): BodyReader | string => {
      const known = readers.get(declared);
      if (known !== undefined) return known;
      const found = declaredSource(this.settings, declared);
      const reader = typeof found === 'string' ? found : this.readerOf(declared, app);
      readers.set(declared, reader);
      return reader;
    };
    return lines.map(({ line, bytes }) => {
      const recorded = readRecordedLine(bytes);
      if (typeof recorded === 'string') return { line, event: recorded };
      if (recorded === null) return { line, event: own.read(bytes) };
      const { declared } = recorded.head;
      const reader = source === undefined && typeof declared === 'string' ? readerFor(declared) : own;
      return { line, event: typeof reader === 'string' ? reader : reader.read(recorded.event) };
    });
  }

  private readerOf(name: string | undefined, app: string | undefined): BodyReader {
    const { feishuApps, webhookSources } = this.settings;
    const source = name === undefined ? null : declaredSource(this.settings, name);
    if (typeof source === 'string') throw new Refusal(400, 'SOURCE_UNKNOWN', source);
    const appIds = feishuApps.flatMap(({ appId }) => appId ?? []);
    return new BodyReader(
      {
        source,
        cloudEvents: webhookSources.filter(({ format }) => format.kind === 'cloudevents'),
        apps: feishuApps,
        onlyApp: app ?? null,
        defaultApp: app ?? (appIds.length === 1 ? (appIds[0] ?? null) : null),
        kind: 'reconcile',
      },
      this.catalogue,
      this.builtIn,
    );
  }

  /** What became of each; a sentence when the database refuses it for what is in it. */
  private async store(
    events: readonly IncomingEvent[],
    onlyStore: boolean,
  ): Promise<ReadonlyMap<IncomingEvent, Received | string>> {
    const outcomes = new Map<IncomingEvent, Received | string>();
    // A few at a time: senders who wait for their answer come in by the same door.
    for (let at = 0; at < events.length; at += AT_ONCE) {
      const some = events.slice(at, at + AT_ONCE);
      const settled = onlyStore
        ? await this.storeAside(some)
        : await Promise.allSettled(some.map((event) => this.events.store(event)));
      some.forEach((event, index) => {
        const one = settled[index];
        if (one?.status === 'fulfilled') outcomes.set(event, one.value);
        else if (one?.status === 'rejected' && isDataError(one.reason))
          outcomes.set(event, `the database refuses it: ${messageOf(one.reason)}`);
        else throw notAllStored();
      });
    }
    return outcomes;
  }

  /** In one commit; each by itself when one of them spoils it for all. */
  private async storeAside(events: readonly IncomingEvent[]): Promise<PromiseSettledResult<Received>[]> {
    try {
      const received = await this.events.storeAside(events, ASIDE);
      return received.map((value) => ({ status: 'fulfilled', value }));
    } catch (reason) {
      const [only, ...others] = events;
      if (only === undefined || others.length === 0 || !isDataError(reason))
        return events.map(() => ({ status: 'rejected', reason }));
    }
    const each: PromiseSettledResult<Received>[] = [];
    for (const event of events) each.push(...(await this.storeAside([event])));
    return each;
  }
}

function notAllStored(): Refusal {
  return new Refusal(503, 'EVENT_NOT_STORED', 'Not all events could be stored: bring the same lines again.', {
    headers: { 'retry-after': '1' },
  });
}

/** The lines that are not blank, with their numbers from 1. */
function linesOf(text: Buffer): { readonly line: number; readonly bytes: Buffer }[] {
  const lines: { line: number; bytes: Buffer }[] = [];
  let begin = 0;
  for (let line = 1; begin <= text.length; line += 1) {
    const found = text.indexOf(0x0a, begin);
    const end = found < 0 ? text.length : found;
    const bytes = text.subarray(begin, end);
    if (bytes.some((byte) => byte > 0x20)) lines.push({ line, bytes });
    begin = end + 1;
  }
  return lines;
}
