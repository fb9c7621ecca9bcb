import { parentPort } from 'node:worker_threads';
import { Catalogue, type CatalogueEntry } from '../../events/catalogue.js';
import { type CheckedFiles, type CheckedRule, checkFiles } from './check-files.js';
import { ruleSetHash } from './rule-set-hash.js';

/** Files come in parts, so that neither side is held up by one great message; then the order to check. */
export type ToCheckWorker =
  { readonly files: readonly (readonly [string, string])[] } | { readonly check: readonly CatalogueEntry[] };

/** The sound rules in parts, then everything else. */
export type FromCheckWorker =
  | { readonly rules: readonly CheckedRule[] }
  | { readonly checked: Omit<CheckedFiles, 'rules'>; readonly hash: string };

const RULES_PER_MESSAGE = 50;
const files = new Map<string, string>();

parentPort?.on('message', (message: ToCheckWorker) => {
  if ('files' in message) {
    for (const [file, text] of message.files) files.set(file, text);
    return;
  }
  const builtIn = new Catalogue(message.check);
  const { rules, ...checked } = checkFiles(files, builtIn);
  for (let at = 0; at < rules.length; at += RULES_PER_MESSAGE)
    parentPort?.postMessage({ rules: rules.slice(at, at + RULES_PER_MESSAGE) } satisfies FromCheckWorker);
  const hash = ruleSetHash(files, builtIn);
  parentPort?.postMessage({ checked, hash } satisfies FromCheckWorker);
});
