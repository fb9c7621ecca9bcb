import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import type { Imported } from '../console/api/events.schema.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { type ImportCounts, SavedImport } from './import-position.js';
import { type Line, LineFile } from './line-file.js';
import { type Progress, progressOn } from './progress.js';
import { refuse } from './refuse.js';

export interface ImportOptions extends AdminPlace {
  /** The declared source whose bodies the lines are. */
  readonly source?: string | undefined;
  /** The Feishu app whose events are taken. */
  readonly app?: string | undefined;
  /** Nothing is decided of the events. */
  readonly onlyStore: boolean;
  /** Not from where an interrupted import of the file was. */
  readonly fromStart: boolean;
  readonly json: boolean;
}

/** As large as a push may be. */
const LONGEST_LINE = 1024 * 1024;
/** Lines that are stored together, and their bytes. */
const AT_ONCE = 400;
const BYTES_AT_ONCE = 1024 * 1024;
const TRIES = 5;
const TRY_AGAIN_MS = 1000;
const NO_LINES = Buffer.from('\n');

/**
 * `aftersign events import`: each line of a file becomes an event, unless its key is there already. Exit code 1 when
 * lines were rejected, or not all could be stored; the same command then goes on.
 */
export async function importEvents(file: string, options: ImportOptions): Promise<number> {
  const found = await stat(file).catch((error: unknown) => messageOf(error));
  if (typeof found === 'string') return refuse('EVENT_UNREADABLE', `${file} cannot be read: ${found}`);
  if (!found.isFile()) return refuse('EVENT_UNREADABLE', `${file} is no regular file`);
  return await withAdmin(options, async ({ events }) => await new Import(file, options, events).run());
}

type SentLine = Line & { readonly bytes: Buffer };

class Import {
  private readonly lines: LineFile;
  private readonly saved: SavedImport;
  private readonly progress: Progress;
  private counts: ImportCounts = { lines: 0, stored: 0, duplicates: 0, rejected: 0 };
  private stopping = false;

  constructor(
    private readonly file: string,
    private readonly options: ImportOptions,
    private readonly events: Admin['events'],
  ) {
    const { source, app, onlyStore, server } = options;
    const place = server === undefined ? [] : [`${server.origin}${server.path}`];
    this.lines = new LineFile(file, LONGEST_LINE);
    // Where the settings have it, when there are any.
    const dataDir = resolve(process.env['DATA_DIR'] || '.aftersign');
    this.saved = new SavedImport(dataDir, file, [source, app, onlyStore, ...place]);
    this.progress = progressOn(process.stderr, { doing: 'importing', done: 'imported', what: 'lines' });
  }

  async run(): Promise<number> {
    const stop = (): void => {
      this.stopping = true;
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
    try {
      const total = await this.lines.count();
      // Whether a source or a right is missing is told all the same.
      if (total === 0) await this.send(NO_LINES);
      this.announce(total, await this.goOn());
      return await this.conclude(total, await this.takeAll(total));
    } finally {
      this.progress.end();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
    }
  }

  /** Answers what is wrong when not all can be stored. */
  private async takeAll(total: number): Promise<string | null> {
    let batch: Line[] = [];
    let bytes = 0;
    for await (const line of this.lines.lines()) {
      batch.push(line);
      bytes += line.bytes?.length ?? 0;
      if (batch.length < AT_ONCE && bytes < BYTES_AT_ONCE) continue;
      const trouble = await this.take(batch, total);
      if (trouble !== null || this.stopping) return trouble;
      batch = [];
      bytes = 0;
    }
    return await this.take(batch, total);
  }

  /** The line after which an interrupted import goes on; 0: it begins. */
  private async goOn(): Promise<number> {
    const state = this.options.fromStart ? null : await this.saved.read();
    if (state === null) return 0;
    if (await this.lines.goTo(state.position)) {
      this.counts = state.counts;
      return state.position.line;
    }
    this.progress.say(
      `${this.file} is not what it was when its import stopped at line ${state.position.line}: it begins again, and nothing is stored twice.`,
    );
    return 0;
  }

  private announce(total: number, after: number): void {
    const lines = `${total} ${total === 1 ? 'line' : 'lines'}`;
    const from = after === 0 ? '' : `, going on after line ${after}`;
    this.progress.say(
      this.options.onlyStore
        ? `${this.file}: ${lines}${from}. The events are stored alone: no rule decides them and nothing is sent.`
        : `${this.file}: ${lines}${from}. The live rule set decides the events like any others, and their actions go out; --only-store would only store them.`,
    );
  }

  /** Stores lines; then the import is behind them. Answers what is wrong when they cannot be stored. */
  private async take(batch: readonly Line[], total: number): Promise<string | null> {
    if (batch.length === 0) return null;
    const bodies: { readonly lines: readonly SentLine[]; readonly answer: Imported }[] = [];
    for (const lines of bodiesOf(batch)) {
      const answer = await this.stored(lines);
      if (typeof answer === 'string') return answer;
      bodies.push({ lines, answer });
    }
    const counts = { ...this.counts, lines: this.counts.lines + batch.length };
    const reasons = new Map<number, string>();
    for (const { number, bytes } of batch)
      if (bytes === null) reasons.set(number, `it is longer than ${LONGEST_LINE} bytes`);
    for (const { lines, answer } of bodies) {
      for (const { line, outcome, reason = '' } of answer.lines) {
        if (outcome === 'rejected') reasons.set(lines[line - 1]?.number ?? 0, reason);
        else counts[outcome === 'stored' ? 'stored' : 'duplicates'] += 1;
      }
    }
    counts.rejected += reasons.size;
    for (const [number, reason] of [...reasons].sort(([a], [b]) => a - b))
      this.progress.say(`line ${number}: ${printable(reason)}`);
    this.counts = counts;
    await this.saved.write({ position: this.lines.position, counts });
    this.progress.step(counts.lines, total);
    return null;
  }

  /** What became of lines; a sentence when, try after try, they could not be stored. */
  private async stored(lines: readonly SentLine[]): Promise<Imported | string> {
    const body = Buffer.concat(lines.flatMap(({ bytes }, at) => (at === 0 ? [bytes] : [NO_LINES, bytes])));
    for (let time = 1; ; time += 1) {
      try {
        const answer = await this.send(body);
        if (answer.lines.length === lines.length) return answer;
        return `${answer.lines.length} of ${lines.length} lines were answered`;
      } catch (error) {
        // What is wrong with the request stays wrong.
        if (error instanceof Refusal && error.status < 500) throw error;
        if (time >= TRIES || this.stopping) return saidBy(error);
        await delay(TRY_AGAIN_MS);
      }
    }
  }

  private async send(lines: Buffer): Promise<Imported> {
    const { source, app, onlyStore } = this.options;
    return await this.events.import({ source, app, onlyStore }, lines);
  }

  private async conclude(total: number, trouble: string | null): Promise<number> {
    const { lines, stored, duplicates, rejected } = this.counts;
    const complete = trouble === null && lines >= total;
    if (complete) await this.saved.forget();
    process.stdout.write(
      this.options.json
        ? `${JSON.stringify({ lines, stored, duplicates, rejected, complete })}\n`
        : `${lines} of ${total} lines: ${stored} stored, ${duplicates} there already, ${rejected} rejected\n`,
    );
    if (!complete) {
      const why = trouble === null ? 'it was interrupted' : `the events cannot be stored: ${trouble}`;
      return refuse('IMPORT_STOPPED', `${why}. The same command goes on where it stopped.`);
    }
    return rejected > 0 ? 1 : 0;
  }
}

/** The lines that can be sent, as many together as one body takes. */
function bodiesOf(batch: readonly Line[]): SentLine[][] {
  const bodies: SentLine[][] = [];
  let room = 0;
  for (const { number, bytes } of batch) {
    if (bytes === null) continue;
    const body = bytes.length <= room ? bodies.at(-1) : undefined;
    room = (body ? room : BYTES_AT_ONCE) - bytes.length - 1;
    if (body) body.push({ number, bytes });
    else bodies.push([{ number, bytes }]);
  }
  return bodies;
}

function saidBy(error: unknown): string {
  return error instanceof Refusal ? `${error.code}: ${error.detail}` : messageOf(error);
}
