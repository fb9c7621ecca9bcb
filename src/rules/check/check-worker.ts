import { parentPort } from 'node:worker_threads';
import { Catalogue, type CatalogueEntry } from '../../events/catalogue.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import { type CheckedFiles, type CheckedRule, checkFiles } from './check-files.js';
import { ruleSetHash } from './rule-set-hash.js';

/** What the files are checked against: the event types and the work calendars of the product. */
export interface CheckOrder {
  readonly check: readonly CatalogueEntry[];
  readonly shipped: CalendarDocuments;
  /** The files are some of a folder's: rules may stand in others. */
  readonly part: boolean;
}

/** Files come in parts, then the order to check; what is found is fetched in parts too, so that neither side stalls. */
export type ToCheckWorker =
  { readonly files: readonly (readonly [string, string])[] } | CheckOrder | { readonly next: true };

/** Some of the sound rules; when all have been fetched, everything else. */
export type FromCheckWorker =
  | { readonly rules: readonly CheckedRule[] }
  | { readonly checked: Omit<CheckedFiles, 'rules'>; readonly hash: string };

const RULES_PER_MESSAGE = 50;
const files = new Map<string, string>();
let rules: readonly CheckedRule[] = [];
let rest: FromCheckWorker | null = null;
let fetched = 0;

function answer(message: ToCheckWorker): FromCheckWorker | null {
  if ('files' in message) {
    for (const [file, text] of message.files) files.set(file, text);
    return null;
  }
  if ('check' in message) {
    const builtIn = new Catalogue(message.check);
    const { rules: sound, ...checked } = checkFiles(
      files,
      builtIn,
      undefined,
      message.shipped,
      () => message.part,
    );
    rules = sound;
    rest = { checked, hash: ruleSetHash(files, builtIn, message.shipped) };
  }
  if (fetched >= rules.length) return rest;
  fetched += RULES_PER_MESSAGE;
  return { rules: rules.slice(fetched - RULES_PER_MESSAGE, fetched) };
}

parentPort?.on('message', (message: ToCheckWorker) => {
  const found = answer(message);
  if (found) parentPort?.postMessage(found);
});
