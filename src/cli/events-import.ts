import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebhookSource } from '../config/sources.js';
import { messageOf } from '../config/log.js';
import { printable } from '../config/terminal-text.js';
import { isDataError } from '../database/database.errors.js';
import type { IncomingEvent } from '../events/event.js';
import type { EventStore, Received } from '../events/event-store.js';
import { GroupCommit } from '../queue/group-commit.js';
import { BodyReader } from './body-reader.js';
import { declaredSource } from './declared-source.js';
import { type ImportCounts, SavedImport } from './import-position.js';
import { type Installation, withInstallation } from './installation.js';
import { type Line, LineFile } from './line-file.js';
import { type Progress, progressOn } from './progress.js';
import { refuse } from './refuse.js';

export interface ImportOptions {
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
/** Lines that are stored together. */
const AT_ONCE = 400;
const TRIES = 5;
const TRY_AGAIN_MS = 1000;
const ASIDE = 'stored by an import with --only-store: nothing is decided of it';

/**
 * `aftersign events import`: each line of a file becomes an event, unless its key is there already. Exit code 1 when
 * lines were rejected, or not all could be stored; the same command then goes on.
 */
export async function importEvents(file: string, options: ImportOptions): Promise<number> {
  const found = await stat(file).catch((error: unknown) => messageOf(error));
  if (typeof found === 'string') return refuse('EVENT_UNREADABLE', `${file} cannot be read: ${found}`);
  if (!found.isFile()) return refuse('EVENT_UNREADABLE', `${file} is no regular file`);
  return await withInstallation(async (installation) => {
    const { source: name } = options;
    const source = name === undefined ? null : declaredSource(installation.settings, name);
    if (typeof source === 'string') return refuse('SOURCE_UNKNOWN', source);
    await installation.catalogue.refresh();
    return await new Import(file, source, options, installation).run();
  });
}

class Import {
  private readonly lines: LineFile;
  private readonly saved: SavedImport;
  private readonly reader: BodyReader;
  private readonly store: (event: IncomingEvent) => Promise<Received>;
  private readonly progress: Progress;
  private counts: ImportCounts = { lines: 0, stored: 0, duplicates: 0, rejected: 0 };
  private stopping = false;

  constructor(
    private readonly file: string,
    source: WebhookSource | null,
    private readonly options: ImportOptions,
    { settings, events, catalogue, builtIn }: Installation,
  ) {
    const { app, onlyStore } = options;
    const { feishuApps, webhookSources } = settings;
    const appIds = feishuApps.flatMap(({ appId }) => appId ?? []);
    this.lines = new LineFile(file, LONGEST_LINE);
    this.saved = new SavedImport(settings.DATA_DIR, file, [source?.name, app, onlyStore]);
    this.reader = new BodyReader(
      {
        source,
        cloudEvents: webhookSources.filter(({ format }) => format.kind === 'cloudevents'),
        apps: feishuApps,
        onlyApp: app ?? null,
        defaultApp: app ?? (appIds.length === 1 ? (appIds[0] ?? null) : null),
        kind: 'reconcile',
      },
      catalogue,
      builtIn,
    );
    this.store = storing(events, onlyStore);
    this.progress = progressOn(process.stderr, { doing: 'importing', done: 'imported', what: 'lines' });
  }

  async run(): Promise<number> {
    const stop = (): void => {
      this.stopping = true;
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
    const total = await this.lines.count();
    this.announce(total, await this.goOn());
    let trouble: string | null = null;
    let batch: Line[] = [];
    for await (const line of this.lines.lines()) {
      batch.push(line);
      if (batch.length < AT_ONCE) continue;
      trouble = await this.take(batch, total);
      batch = [];
      if (trouble !== null || this.stopping) break;
    }
    trouble ??= await this.take(batch, total);
    this.progress.end();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
    return await this.conclude(total, trouble);
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
    const read = batch.map(({ number, bytes }) => ({
      number,
      event: bytes === null ? `it is longer than ${LONGEST_LINE} bytes` : this.reader.read(bytes),
    }));
    const counts = { ...this.counts, lines: this.counts.lines + batch.length };
    const reject = (number: number, reason: string): void => {
      counts.rejected += 1;
      this.progress.say(`line ${number}: ${printable(reason)}`);
    };
    let left: { readonly number: number; readonly event: IncomingEvent }[] = [];
    for (const { number, event } of read) {
      if (typeof event === 'string') reject(number, event);
      else left.push({ number, event });
    }
    let last: unknown = null;
    for (let time = 0; left.length > 0; time += 1) {
      if (time >= TRIES) return messageOf(last);
      if (time > 0) await delay(TRY_AGAIN_MS);
      const outcomes = await Promise.allSettled(left.map(({ event }) => this.store(event)));
      const again: typeof left = [];
      for (const [index, outcome] of outcomes.entries()) {
        const one = left[index];
        if (one === undefined) continue;
        if (outcome.status === 'fulfilled')
          counts[outcome.value.outcome === 'stored' ? 'stored' : 'duplicates'] += 1;
        else if (isDataError(outcome.reason))
          reject(one.number, `the database refuses it: ${messageOf(outcome.reason)}`);
        else {
          last = outcome.reason;
          again.push(one);
        }
      }
      left = again;
    }
    this.counts = counts;
    await this.saved.write({ position: this.lines.position, counts });
    this.progress.step(counts.lines, total);
    return null;
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

/** The door that events take: to be decided like any others, or to be stored alone. */
function storing(events: EventStore, onlyStore: boolean): (event: IncomingEvent) => Promise<Received> {
  if (!onlyStore) return (event) => events.store(event);
  const commits = new GroupCommit<IncomingEvent, Received>((batch) => events.storeAside(batch, ASIDE), {
    batch: 200,
    concurrency: 2,
    backlog: 2 * AT_ONCE,
    patience: 10_000,
  });
  return (event) => commits.add(event);
}
