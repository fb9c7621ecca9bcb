import type { DataSource } from 'typeorm';
import { EventList } from '../../src/console/read/event-list.js';
import { recordedWithin } from '../../src/console/read/recorded-events.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import type { RecordedEvent } from '../../src/rules/backtest/recorded-event.js';

/** What a service has recorded of its events between two times (ms), in the order of their decisions. */
export async function recordedOf(
  dataSource: DataSource,
  from: number,
  until: number,
): Promise<readonly RecordedEvent[]> {
  const list = new EventList(dataSource, new LiveCatalogue(dataSource, loadBuiltInCatalogue()));
  const recorded: RecordedEvent[] = [];
  for await (const some of recordedWithin(dataSource, list, { from, until }).read()) recorded.push(...some);
  return recorded;
}
