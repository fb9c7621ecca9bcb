import { createHash } from 'node:crypto';
import type { Catalogue } from '../../events/catalogue.js';

/**
 * The version of a rule set: a hash over its files and the catalogue that ships with the product. Rule tests and the
 * editors' schema decide nothing and are left out.
 */
export function ruleSetHash(files: ReadonlyMap<string, string>, builtIn: Catalogue): string {
  const sorted = [...files]
    .filter(([file]) => !file.endsWith('.cases.json') && file !== 'schema.json')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([sorted, builtIn.version]))
    .digest('hex');
}
