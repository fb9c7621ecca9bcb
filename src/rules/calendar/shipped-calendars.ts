import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CalendarDocument } from './calendar-document.js';
import { CALENDAR_DOCUMENT } from './calendar-schema.js';

/** Work calendars by name. Plain JSON. */
export type CalendarDocuments = Readonly<Record<string, CalendarDocument>>;

let shipped: CalendarDocuments | null = null;

/** The work calendars that ship with the product: `cn`, China's public holidays, and `weekdays`. Read once. */
export function loadShippedCalendars(): CalendarDocuments {
  if (shipped) return shipped;
  const folder = join(import.meta.dirname, 'shipped');
  const documents = readdirSync(folder)
    .sort()
    .map((name) => CALENDAR_DOCUMENT.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  shipped = Object.fromEntries(documents.map((document) => [document.name, document]));
  return shipped;
}

/** Content hash; a part of the rule set's version. */
export function versionOf(calendars: CalendarDocuments): string {
  const sorted = Object.entries(calendars).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
