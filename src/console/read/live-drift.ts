import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { type DriftRow, foldDrift, misfitsOf, type Misfit } from '../../events/drift.js';
import { ownFieldsOf } from '../../events/event-facts.js';
import type { StoredEvent } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { latestEvents } from './latest-events.js';

/** So many of the last events are looked at. */
const EVENTS = 500;
const MOST_ROWS = 20;
const FRESH_MS = 60_000;
/** Of events, between which others have their turn. */
const SLICE = 50;

/** How the last events do not fit the live catalogue: looked at once in a minute, and when the catalogue is another. */
export class LiveDrift {
  private last: {
    readonly rows: readonly DriftRow[];
    readonly at: number;
    readonly version: string;
  } | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: LiveCatalogue,
    private readonly clock: Clock,
  ) {}

  async rows(): Promise<readonly DriftRow[]> {
    const at = this.clock.now();
    const { version } = this.catalogue.current;
    if (this.last?.version === version && at - this.last.at < FRESH_MS) return this.last.rows;
    const rows = await this.look();
    this.last = { rows, at, version };
    return rows;
  }

  private async look(): Promise<DriftRow[]> {
    const catalogue = this.catalogue.current;
    const seen: { id: string; eventType: string; misfits: readonly Misfit[] }[] = [];
    for (const event of await latestEvents(this.dataSource, EVENTS)) {
      const { id, eventType, origin } = event;
      const fields = fieldsOf(event);
      if (fields)
        seen.push({ id, eventType, misfits: misfitsOf(catalogue.find(eventType), { origin, fields }) });
      if (seen.length % SLICE === 0) await new Promise(setImmediate);
    }
    return foldDrift(seen, MOST_ROWS);
  }
}

/** Null: the bytes are no event. */
function fieldsOf(event: StoredEvent): ReadonlyMap<string, unknown> | null {
  try {
    return ownFieldsOf(event);
  } catch {
    return null;
  }
}
