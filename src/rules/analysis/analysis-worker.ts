import { parentPort } from 'node:worker_threads';
import { Catalogue, type CatalogueEntry } from '../../events/catalogue.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import type { Finding } from '../finding.js';
import type { Analysis } from './analyse.js';
import { analyseHere } from './analyse-here.js';

/** What the files are read with: the event types and the work calendars of the product. */
export interface AnalysisOrder {
  readonly analyse: readonly CatalogueEntry[];
  readonly shipped: CalendarDocuments;
}

/** Files come in parts, then the order; what was found is fetched in parts too, so that neither side stalls. */
export type ToAnalysisWorker =
  { readonly files: readonly (readonly [string, string])[] } | AnalysisOrder | { readonly next: true };

/** How far it is; some of the findings; when all have been fetched, everything else; or why there is nothing. */
export type FromAnalysisWorker =
  | { readonly done: number; readonly of: number }
  | { readonly findings: readonly Finding[] }
  | { readonly questions: Analysis['questions'] }
  | { readonly failed: string };

const FINDINGS_PER_MESSAGE = 100;
/** Progress is told so often at most, in rules. */
const RULES_PER_STEP = 50;

const files = new Map<string, string>();
let analysis: Analysis | null = null;
let fetched = 0;

function post(message: FromAnalysisWorker): void {
  parentPort?.postMessage(message);
}

function postNext(): void {
  if (!analysis) return;
  const findings = analysis.findings.slice(fetched, fetched + FINDINGS_PER_MESSAGE);
  fetched += findings.length;
  post(findings.length > 0 ? { findings } : { questions: analysis.questions });
}

async function run({ analyse: entries, shipped }: AnalysisOrder): Promise<void> {
  let told = 0;
  analysis = await analyseHere(files, new Catalogue(entries), shipped, (done, of) => {
    if (done < told + RULES_PER_STEP && done !== of) return;
    told = done;
    post({ done, of });
  });
  postNext();
}

parentPort?.on('message', (message: ToAnalysisWorker) => {
  if ('files' in message) {
    for (const [file, text] of message.files) files.set(file, text);
  } else if ('next' in message) postNext();
  else {
    run(message).catch((error: unknown) => {
      post({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    });
  }
});
