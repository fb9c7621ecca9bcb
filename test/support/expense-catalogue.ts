import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Catalogue, CATALOGUE_ENTRY, loadBuiltInCatalogue } from '../../src/events/catalogue.js';

const FOLDER = join('test', 'fixtures', 'catalogue');

/** The catalogue that ships with the product, and two event types that have fields of every type. */
export function expenseCatalogue(): Catalogue {
  return loadBuiltInCatalogue().with(
    readdirSync(FOLDER).map((name) =>
      CATALOGUE_ENTRY.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))),
    ),
  );
}
