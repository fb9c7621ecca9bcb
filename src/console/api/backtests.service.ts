import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { AuditLog } from '../access/audit-log.js';
import { maskReport } from './backtest-mask.js';
import type { AskedBacktest, BacktestRows, StoredBacktest } from './backtest-rows.js';
import type { BacktestRunner } from './backtest-runner.js';
import type {
  BacktestDetail,
  BacktestQuery,
  BacktestReportAnswer,
  BacktestRow,
  NewBacktest,
} from './backtests.schema.js';
import { noneLive } from './live-rule.js';
import { isUuid, type Page, pageOf, readCursor } from './page.js';
import { readsPersonal } from './personal.js';
import { refusalOf } from './rule-set-refusal.js';
import { isoOf } from './schema-parts.js';

const DAY_MS = 86_400_000;
const WINDOW_DAYS = 30;
/** That wait or run, of all instances. */
const MOST_OPEN = 20;

/** Back-tests over stored events, one at a time in a process. Nothing is sent. */
export class BacktestsService implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: BacktestRows,
    private readonly runner: BacktestRunner,
    private readonly stores: {
      readonly ruleSets: RuleSetStore;
      readonly catalogue: LiveCatalogue;
      readonly clock: Clock;
      readonly audit: AuditLog;
    },
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.runner.close();
  }

  /** @throws Refusal 404 RULE_SET_UNKNOWN; 400 REQUEST_INVALID; 429 BUSY */
  async start(actor: Actor, body: NewBacktest): Promise<BacktestRow> {
    const asked = await this.asked(body);
    const { audit, clock } = this.stores;
    await this.rows.interrupt(clock.now());
    const id = await this.dataSource.transaction(async (tx) => {
      if ((await this.rows.open(tx)) >= MOST_OPEN)
        throw new Refusal(429, 'BUSY', 'Many back-tests wait already: try again when some have ended.', {
          headers: { 'retry-after': '60' },
        });
      const added = await this.rows.add(tx, actor.name, asked, clock.now());
      const { before, after, edit, since, until } = asked;
      await audit.record(tx, actor, {
        action: 'backtest.start',
        subject: `backtest:${added}`,
        detail: { before, after, ...(edit ? { path: edit.path } : {}), since, until },
      });
      return added;
    });
    this.runner.wake();
    return rowOf(await this.get(id));
  }

  /** The newest first. */
  async list(_actor: Actor, { limit, cursor }: BacktestQuery): Promise<Page<BacktestRow>> {
    const after = readCursor(cursor);
    await this.rows.interrupt(this.stores.clock.now());
    return pageOf((await this.rows.list(limit + 1, after)).map(rowOf), limit);
  }

  /** @throws Refusal 404 BACKTEST_UNKNOWN */
  async find(actor: Actor, id: string): Promise<BacktestDetail> {
    await this.rows.interrupt(this.stores.clock.now());
    const row = await this.get(id);
    const { kept, asked } = row;
    const masked = !readsPersonal(actor);
    const report = kept && masked ? maskReport(kept.report, this.stores.catalogue.current) : kept?.report;
    return {
      ...rowOf(row),
      text: asked.edit?.text ?? null,
      report: (report ?? null) as BacktestReportAnswer | null,
      examplesLeft: kept?.examplesLeft ?? 0,
      masked,
    };
  }

  /** @throws Refusal 404 BACKTEST_UNKNOWN; 409 BACKTEST_ENDED */
  async cancel(actor: Actor, id: string): Promise<BacktestRow> {
    const { audit, clock } = this.stores;
    await this.get(id);
    await this.dataSource.transaction(async (tx) => {
      const end = { state: 'cancelled', code: 'CANCELLED_BY_PERSON', reason: `by ${actor.name}` } as const;
      if (!(await this.rows.end(tx, id, end, clock.now())))
        throw new Refusal(409, 'BACKTEST_ENDED', 'This back-test has ended already.');
      await audit.record(tx, actor, { action: 'backtest.cancel', subject: `backtest:${id}` });
    });
    this.runner.stop(id);
    return rowOf(await this.get(id));
  }

  private async asked({ after, before, since, until, type, warmUp }: NewBacktest): Promise<AskedBacktest> {
    const now = this.stores.clock.now();
    const end = until === undefined ? now : Date.parse(until);
    const begin = since === undefined ? end - WINDOW_DAYS * DAY_MS : Date.parse(since);
    if (begin >= end) {
      const errors = [{ path: 'since', message: 'must be before "until"' }];
      throw new Refusal(400, 'REQUEST_INVALID', 'The request does not fit: see "errors".', { errors });
    }
    try {
      return {
        before: await this.hashOf(before),
        after: await this.hashOf('ruleSet' in after ? after.ruleSet : 'live'),
        edit: 'path' in after ? { path: after.path, text: after.text } : null,
        since: new Date(begin).toISOString(),
        until: new Date(end).toISOString(),
        type,
        warmUp: warmUp ?? null,
      };
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private async hashOf(name: string): Promise<string> {
    const { ruleSets } = this.stores;
    if (name !== 'live') return await ruleSets.hashOf(name);
    const live = await ruleSets.liveHash();
    if (live === null) throw noneLive();
    return live;
  }

  private async get(id: string) {
    const row = isUuid(id) ? await this.rows.find(id) : null;
    if (!row)
      throw new Refusal(404, 'BACKTEST_UNKNOWN', `there is no back-test with the id "${id.slice(0, 200)}"`);
    return row;
  }
}

function rowOf(row: StoredBacktest): BacktestRow {
  const { id, createdAt, createdBy, state, asked, done, total, code, reason, startedAt, endedAt, summary } =
    row;
  return {
    id,
    createdAt: isoOf(createdAt),
    createdBy,
    state,
    before: asked.before,
    after: { ruleSet: asked.after, path: asked.edit?.path ?? null },
    since: asked.since,
    until: asked.until,
    type: [...asked.type],
    done,
    total,
    startedAt: isoOf(startedAt),
    endedAt: isoOf(endedAt),
    code,
    reason,
    summary,
  };
}
