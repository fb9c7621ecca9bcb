import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { WebhookSource } from '../../config/sources.js';
import type { EventStore } from '../../events/event-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { EventFilter, EventList } from '../read/event-list.js';
import { exportedLine } from './exported-line.js';

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

  /** The oldest first, many lines at once. `filters`: the names of what is asked for; values may name a person. */
  async *lines(actor: Actor, filter: EventFilter, filters: readonly string[]): AsyncGenerator<Buffer> {
    let after: string | null = null;
    let begun = false;
    do {
      const { found, end }: { found: string[]; end: string | null } = await this.rows.stretch(
        filter,
        after,
        AT_ONCE,
      );
      // Not before: what is refused for its filter is no export.
      if (!begun) await this.tellOf(actor, filters);
      begun = true;
      const events = await this.events.findMany(found, this.dataSource.manager);
      const lines = events
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap((event) => {
          const line = exportedLine(event, this.sources.get(event.origin));
          return line === null ? [] : [line, LINE_END];
        });
      if (lines.length > 0) yield Buffer.concat(lines);
      after = end;
    } while (after !== null);
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
