import type { DataSource } from 'typeorm';
import type { Catalogue, CatalogueEntry } from '../../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from '../calendar/shipped-calendars.js';
import type { RuleSet } from '../rule-set.js';
import { RuleSetError } from '../rules.errors.js';
import type { StoredRuleFiles } from './stored-rule-files.js';

/**
 * The files of a stored rule set, unread: there may be ten thousand of them.
 *
 * @throws RuleSetError when it is not stored
 */
export async function storedRuleFiles(
  dataSource: DataSource,
  hash: string,
  builtIn: Catalogue,
): Promise<StoredRuleFiles> {
  const [row] = await dataSource.query<
    {
      files: string;
      catalogue: readonly CatalogueEntry[] | null;
      calendars: CalendarDocuments | null;
    }[]
  >('select files::text as files, catalogue, calendars from rule_sets where hash = $1', [hash]);
  if (!row) throw new RuleSetError('RULE_SET_UNKNOWN', `The rule set ${hash.slice(0, 12)} is not stored.`);
  return {
    hash,
    files: row.files,
    catalogue: row.catalogue ?? builtIn.entries,
    calendars: row.calendars ?? loadShippedCalendars(),
  };
}

/** Where each rule of a set stands, by its name. */
export function filesByRule({ rules }: RuleSet): Readonly<Record<string, string>> {
  return Object.fromEntries(rules.map(({ name, file }) => [name, file]));
}
