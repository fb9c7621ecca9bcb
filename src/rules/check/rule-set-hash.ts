import { createHash } from 'node:crypto';
import type { Catalogue } from '../../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars, versionOf } from '../calendar/shipped-calendars.js';
import { LOOKUP_FIELDS_VERSION } from '../lookup-fields.js';
import { kindOf } from './file-kind.js';

const FILES_PER_SLICE = 200;

/**
 * The version of a rule set: a hash over its files, and the catalogue and the work calendars that ship with the product;
 * with look-ups, also over what is known of their answers. Rule tests and the editors' schema decide nothing and are left out.
 */
export function ruleSetHash(
  files: ReadonlyMap<string, string>,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
): string {
  const hash = createHash('sha256');
  for (const piece of piecesOf(files, builtIn, shipped)) hash.update(piece);
  return hash.digest('hex');
}

/** The same, with turns for others in between. */
export async function ruleSetHashInSlices(
  files: ReadonlyMap<string, string>,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
): Promise<string> {
  const hash = createHash('sha256');
  let count = 0;
  for (const piece of piecesOf(files, builtIn, shipped)) {
    hash.update(piece);
    if ((count += 1) % FILES_PER_SLICE === 0) await new Promise(setImmediate);
  }
  return hash.digest('hex');
}

/** Together they are the JSON of `[[[file, text], …], version, …]`, the files sorted by name. */
function* piecesOf(
  files: ReadonlyMap<string, string>,
  builtIn: Catalogue,
  shipped: CalendarDocuments,
): Generator<string> {
  const sorted = [...files]
    .filter(([file]) => !file.endsWith('.cases.json') && file !== 'schema.json')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  yield '[[';
  for (const [at, entry] of sorted.entries()) yield `${at === 0 ? '' : ','}${JSON.stringify(entry)}`;
  const lookups = sorted.some(([file]) => kindOf(file) === 'lookups') ? [LOOKUP_FIELDS_VERSION] : [];
  const versions = [builtIn.version, versionOf(shipped), ...lookups];
  yield `],${versions.map((version) => JSON.stringify(version)).join()}]`;
}
