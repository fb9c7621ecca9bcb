import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { messageOf } from '../../config/log.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { BacktestReport } from '../../rules/backtest/backtest-report.js';
import { BacktestError, runOrderedBacktest } from '../../rules/backtest/ordered-backtest.js';
import { RuleSetError } from '../../rules/rules.errors.js';
import { storedRuleFiles } from '../../rules/trial/read-rule-files.js';
import type { EventList } from '../read/event-list.js';
import { recordedWithin } from '../read/recorded-events.js';
import { type BacktestRows, type EndedBadly, type KeptReport, type StoredBacktest } from './backtest-rows.js';

const HEARTBEAT_MS = 15_000;
const PROGRESS_MS = 1000;
const EXAMPLES = 3;
/** Of a report as it is kept, in characters. */
const MOST_LENGTH = 8 * 1024 * 1024;

/** Somebody has ended it, or the process ends: what is to be written of that is written. */
class Stopped extends Error {}

/** Runs the back-tests of this process, one after the other, each in a thread of its own. */
export class BacktestRunner {
  private running: Promise<void> | null = null;
  private current: { readonly id: string; readonly stop: AbortController } | null = null;
  private ended = false;
  /** Something was added meanwhile. */
  private woken = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: BacktestRows,
    private readonly events: EventList,
    private readonly parts: {
      readonly clock: Clock;
      readonly builtIn: Catalogue;
      readonly timezone: string;
      readonly calendar: string | null;
    },
  ) {}

  /** Begins what waits, unless one runs. */
  wake(): void {
    if (this.ended) return;
    this.woken = true;
    this.running ??= this.runAll().finally(() => {
      this.running = null;
    });
  }

  /** Ends it at once when it runs here; where it runs elsewhere, that is noticed by the next progress. */
  stop(id: string): void {
    if (this.current?.id === id) this.current.stop.abort(new Stopped());
  }

  /** Whatever runs or waits here is given up, and says so. */
  async close(): Promise<void> {
    this.ended = true;
    this.current?.stop.abort(new Stopped());
    await this.running;
    await this.rows.interrupt(this.parts.clock.now(), { own: true }).catch(() => undefined);
  }

  private isEnded(): boolean {
    return this.ended;
  }

  private async runAll(): Promise<void> {
    const heartbeat = setInterval(() => void this.rows.extend().catch(() => undefined), HEARTBEAT_MS);
    heartbeat.unref();
    try {
      while (this.woken && !this.ended) {
        this.woken = false;
        for (;;) {
          const next = this.isEnded() ? null : await this.rows.begin(this.parts.clock.now());
          if (!next) break;
          await this.runOne(next);
        }
      }
    } catch {
      // The database is away: the lease ends what was begun.
    } finally {
      clearInterval(heartbeat);
    }
  }

  private async runOne(row: StoredBacktest): Promise<void> {
    const stop = new AbortController();
    this.current = { id: row.id, stop };
    try {
      const { report, done } = await this.report(row, stop);
      const { before, after, window, events, totals } = report;
      const summary = { before, after, window, events, totals };
      await this.rows.finish(row.id, { kept: kept(report), summary, done }, this.parts.clock.now());
    } catch (error) {
      if (!(error instanceof Stopped))
        await this.rows.end(this.dataSource.manager, row.id, endOf(error), this.parts.clock.now());
    } finally {
      this.current = null;
    }
  }

  private async report(
    { id, asked }: StoredBacktest,
    stop: AbortController,
  ): Promise<{ readonly report: BacktestReport; readonly done: number }> {
    const { builtIn, timezone, calendar } = this.parts;
    const [before, after] = [
      await storedRuleFiles(this.dataSource, asked.before, builtIn),
      await storedRuleFiles(this.dataSource, asked.after, builtIn),
    ];
    const { edit, since, until, type, warmUp } = asked;
    const [from, end] = [Date.parse(since), Date.parse(until)];
    let told = Number.NEGATIVE_INFINITY;
    let taken = 0;
    const report = await runOrderedBacktest(
      { before, after, edit, timezone, calendar, examples: EXAMPLES },
      {
        windowFor: (wanted) => ({
          from,
          until: end,
          warmUpFrom: from - (warmUp === null ? wanted : warmUp * 1000),
        }),
        eventsOf: ({ warmUpFrom }) =>
          recordedWithin(this.dataSource, this.events, { from: warmUpFrom, until: end, types: type }),
        progress: (done, total) => {
          taken = done;
          if (performance.now() - told < PROGRESS_MS) return;
          told = performance.now();
          void this.rows.progress(id, done, total).then(
            (isRunning) => {
              if (!isRunning) stop.abort(new Stopped());
            },
            () => undefined,
          );
        },
      },
      stop.signal,
    );
    return { report, done: taken };
  }
}

function endOf(error: unknown): EndedBadly {
  if (error instanceof BacktestError) return { state: 'failed', code: error.code, reason: error.message };
  if (error instanceof RuleSetError) return { state: 'failed', code: error.code, reason: error.message };
  return { state: 'failed', code: 'BACKTEST_FAILED', reason: messageOf(error).split('\n', 1)[0] ?? '' };
}

/** A report of no more than the most, the examples of the rules with the most changes first. */
export function kept(report: BacktestReport, most = MOST_LENGTH): KeptReport {
  let room =
    most - JSON.stringify({ ...report, rules: report.rules.map((one) => ({ ...one, examples: [] })) }).length;
  let examplesLeft = 0;
  const rules = report.rules.map((rule) => {
    const examples = rule.examples.filter((one) => (room -= JSON.stringify(one).length) >= 0);
    examplesLeft += rule.examples.length - examples.length;
    return { ...rule, examples };
  });
  return { report: { ...report, rules }, examplesLeft };
}
