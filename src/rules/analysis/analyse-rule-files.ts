import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Catalogue } from '../../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from '../calendar/shipped-calendars.js';
import type { Finding } from '../finding.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Analysis, AnalysisOptions } from './analyse.js';
import { analyseHere } from './analyse-here.js';
import type { AnalysisOrder, FromAnalysisWorker, ToAnalysisWorker } from './analysis-worker.js';

const WORKER = join(import.meta.dirname, 'analysis-worker.js');
const FILES_PER_MESSAGE = 200;
const MEMORY = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };

/**
 * Analyses rule files in a thread of its own, whose end `signal` can bring about. Files with errors have nothing to
 * be asked of.
 *
 * @throws Error when the thread fails, and the signal's reason when it was ended
 */
export async function analyseRuleFiles(
  files: RuleFiles,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
  progress?: AnalysisOptions['progress'],
  signal?: AbortSignal,
): Promise<Analysis> {
  signal?.throwIfAborted();
  // Sources that are run without being built have no file that a thread could be started from.
  if (!existsSync(WORKER)) return await analyseHere(files, builtIn, shipped, progress);
  const worker = new Worker(WORKER, { resourceLimits: MEMORY });
  try {
    return await new Promise<Analysis>((resolve, reject) => {
      const findings: Finding[] = [];
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        reject(new Error('the analysing thread ended early'));
      });
      worker.on('message', (message: FromAnalysisWorker) => {
        if ('done' in message) progress?.(message.done, message.of);
        else if ('failed' in message) reject(new Error(message.failed));
        else if ('questions' in message) resolve({ findings, questions: message.questions });
        else {
          findings.push(...message.findings);
          worker.postMessage({ next: true } satisfies ToAnalysisWorker);
        }
      });
      void send(worker, files, { analyse: builtIn.entries, shipped });
    });
  } finally {
    await worker.terminate();
  }
}

async function send(worker: Worker, files: RuleFiles, order: AnalysisOrder): Promise<void> {
  const all = [...files];
  for (let at = 0; at < all.length; at += FILES_PER_MESSAGE) {
    worker.postMessage({ files: all.slice(at, at + FILES_PER_MESSAGE) } satisfies ToAnalysisWorker);
    await new Promise(setImmediate);
  }
  worker.postMessage(order satisfies ToAnalysisWorker);
}
