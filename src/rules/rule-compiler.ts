import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../config/log.js';
import type { Catalogue } from '../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from './calendar/shipped-calendars.js';
import { type CheckedFiles, checkFiles } from './check/check-files.js';
import type { CheckOrder, FromCheckWorker, ToCheckWorker } from './check/check-worker.js';
import { ruleSetHash } from './check/rule-set-hash.js';
import type { Finding } from './finding.js';
import { buildRuleSet, type RuleSet } from './rule-set.js';

/** What a folder of rule files holds: file (relative, with `/`) → text. */
export type RuleFiles = ReadonlyMap<string, string>;

/** What the check of a folder found, before anything is compiled. */
export interface CheckedFolder {
  /** Content hash over the files, the catalogue and the work calendars. */
  readonly hash: string;
  readonly checked: CheckedFiles;
}

export interface CompiledFiles {
  readonly findings: readonly Finding[];
  /** Null when a finding is an error: a rule set is live as a whole or not at all. */
  readonly ruleSet: RuleSet | null;
}

/** Checks and compiles rule files, in slices. The same files always give the same rule set. */
export async function compileRuleSet(
  files: RuleFiles,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
): Promise<CompiledFiles> {
  const { hash, checked } = await checkRuleFiles(files, builtIn, shipped);
  const { findings } = checked;
  const sound = !findings.some(({ severity }) => severity === 'error');
  return { findings, ruleSet: sound ? await buildRuleSet(hash, checked, builtIn, shipped) : null };
}

const WORKER = join(import.meta.dirname, 'check', 'check-worker.js');
const FILES_PER_MESSAGE = 200;
const TIME_LIMIT_MS = 120_000;
const MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

/**
 * Checks rule files in a thread of its own: however they are written, the service goes on answering. `part`: they are some of a
 * folder's, and rules may stand in others.
 */
export async function checkRuleFiles(
  files: RuleFiles,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
  part = false,
): Promise<CheckedFolder> {
  // Sources that are run without being built have no file that a thread could be started from.
  if (!existsSync(WORKER)) {
    const checked = checkFiles(files, builtIn, undefined, shipped, () => part);
    return { hash: ruleSetHash(files, builtIn, shipped), checked };
  }
  const worker = new Worker(WORKER, { resourceLimits: MEMORY });
  let limit: NodeJS.Timeout | undefined;
  try {
    return await new Promise<CheckedFolder>((resolve, reject) => {
      const rules: CheckedFiles['rules'][number][] = [];
      limit = setTimeout(() => {
        reject(new Error(`it took more than ${TIME_LIMIT_MS / 1000} s`));
      }, TIME_LIMIT_MS);
      worker.on('error', reject);
      worker.on('exit', () => {
        reject(new Error('the checking thread ended early'));
      });
      worker.on('message', (message: FromCheckWorker) => {
        if ('rules' in message) {
          rules.push(...message.rules);
          // Not at once: all that has arrived by now is handled in one turn of the event loop.
          setImmediate(() => {
            worker.postMessage({ next: true } satisfies ToCheckWorker);
          });
        } else resolve({ hash: message.hash, checked: { ...message.checked, rules } });
      });
      void send(worker, files, { check: builtIn.entries, shipped, part });
    });
  } catch (error) {
    return { hash: 'unchecked', checked: unchecked(messageOf(error)) };
  } finally {
    clearTimeout(limit);
    await worker.terminate();
  }
}

async function send(worker: Worker, files: RuleFiles, order: CheckOrder): Promise<void> {
  const all = [...files];
  for (let at = 0; at < all.length; at += FILES_PER_MESSAGE) {
    worker.postMessage({ files: all.slice(at, at + FILES_PER_MESSAGE) } satisfies ToCheckWorker);
    await new Promise(setImmediate);
  }
  worker.postMessage(order satisfies ToCheckWorker);
}

function unchecked(reason: string): CheckedFiles {
  const finding: Finding = {
    code: 'RULES_NOT_CHECKED',
    severity: 'error',
    file: '.',
    line: 1,
    column: 1,
    message: `the rule files could not be checked: ${reason}`,
    mend: 'Split very large files, and look for conditions that repeat themselves without end.',
  };
  return {
    findings: [finding],
    rules: [],
    conditions: {},
    catalogue: [],
    lookups: {},
    calendars: {},
    owners: null,
    targetLimits: [],
    ruleCount: 0,
  };
}
