import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { WebhookSource } from '../../config/sources.js';
import type { EventStore } from '../../events/event-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { EventFilter, EventList } from '../read/event-list.js';
import { StoredRecordedEvents } from '../read/recorded-events.js';
import { exportedLine } from './exported-line.js';
import { recordedLine } from './recorded-line.js';

/** Events that are read together. */
const AT_ONCE = 500;
const LINE_END = Buffer.from('\n');

/** Events as a stream of lines. It walks along the ids and holds no snapshot, however long its reader takes. */
export class EventExport {
  private readonly sources: ReadonlyMap<string, WebhookSource>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: EventList,
    private readonly events: EventStore,
    webhookSources: readonly WebhookSource[],
    private readonly audit: AuditLog,
  ) {
    this.sources = new Map(webhookSources.map((source) => [source.name, source]));
  }

  /**
   * The oldest first, many lines at once; `recorded`: with what is recorded of their decisions, in the order of these.
   * `filters`: the names of what is asked for; values may name a person.
   */
  async *lines(
    actor: Actor,
    filter: EventFilter,
    filters: readonly string[],
    { recorded = false }: { readonly recorded?: boolean } = {},
  ): AsyncGenerator<Buffer> {
    let begun = false;
    for await (const lines of recorded ? this.recorded(filter) : this.plain(filter)) {
      // Not before: what is refused for its filter is no export.
      if (!begun) await this.tellOf(actor, recorded ? [...filters, 'recorded'] : filters);
      begun = true;
      if (lines.length > 0) yield Buffer.concat(lines.flatMap((line) => [line, LINE_END]));
    }
  }

  /** At least once. */
  private async *plain(filter: EventFilter): AsyncGenerator<readonly Buffer[]> {
    let after: string | null = null;
    do {
      const { found, end }: { found: string[]; end: string | null } = await this.rows.stretch(
        filter,
        after,
        AT_ONCE,
      );
      const events = await this.events.findMany(found, this.dataSource.manager);
      yield events
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap((event) => exportedLine(event, this.sources.get(event.origin)) ?? []);
      after = end;
    } while (after !== null);
  }

  /** At least once. */
  private async *recorded(filter: EventFilter): AsyncGenerator<readonly Buffer[]> {
    const stored = new StoredRecordedEvents(this.dataSource, {
      stretches: (after, size) => this.rows.stretch(filter, after, size),
    });
    for await (const some of stored.read())
      yield some.flatMap((one) => recordedLine(one, this.sources.get(one.event.origin)) ?? []);
    yield [];
  }

  private async tellOf(actor: Actor, filters: readonly string[]): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      await this.audit.record(tx, actor, {
        action: 'events.export',
        subject: 'events',
        detail: { filters },
      });
    });
  }
}
