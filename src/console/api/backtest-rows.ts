import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { BacktestReport } from '../../rules/backtest/backtest-report.js';
import type { BACKTEST_STATES, BacktestSummary } from './backtests.schema.js';

/** What was asked for, as it is kept; times as ISO 8601. */
export interface AskedBacktest {
  /** Hashes of stored rule sets. */
  readonly before: string;
  readonly after: string;
  readonly edit: { readonly path: string; readonly text: string | null } | null;
  readonly since: string;
  readonly until: string;
  readonly type: readonly string[];
  /** Seconds; null: as the rule sets want it. */
  readonly warmUp: number | null;
}

export interface StoredBacktest {
  readonly id: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly asked: AskedBacktest;
  readonly state: (typeof BACKTEST_STATES)[number];
  readonly done: number;
  readonly total: number | null;
  readonly summary: BacktestSummary | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

/** A report as it is kept: without some examples when it would be too large. */
export interface KeptReport {
  readonly report: BacktestReport;
  readonly examplesLeft: number;
}

/** How a run ended without a report. */
export interface EndedBadly {
  readonly state: 'failed' | 'cancelled';
  readonly code: string;
  readonly reason: string;
}

const COLUMNS = `id, created_at as "createdAt", created_by as "createdBy", asked, state, done, total, summary, code, reason,
                 started_at as "startedAt", ended_at as "endedAt"`;
const OPEN = `('queued', 'running')`;
/** An instance that does not prolong it for so long is taken for dead. */
const LEASE_S = 60;
/** So many are kept. */
const MOST_KEPT = 200;

export const INTERRUPTED = {
  state: 'failed',
  code: 'BACKTEST_INTERRUPTED',
  reason: 'the process that ran it has ended: start it again',
} as const satisfies EndedBadly;

/** Back-tests as rows. Whoever has added one runs it, as long as its lease holds. */
export class BacktestRows {
  constructor(
    private readonly dataSource: DataSource,
    readonly instance: string,
  ) {}

  async add(tx: EntityManager, createdBy: string, asked: AskedBacktest, now: number): Promise<string> {
    const id = uuidv7({ msecs: now });
    await tx.query(
      `insert into backtests (id, created_at, created_by, asked, state, lease_until, leased_by)
       values ($1, $2, $3, $4::json, 'queued', clock_timestamp() + make_interval(secs => $5), $6)`,
      [id, new Date(now), createdBy, JSON.stringify(asked), LEASE_S, this.instance],
    );
    await tx.query(
      `delete from backtests where state not in ${OPEN}
          and id < (select id from backtests order by id desc offset $1 limit 1)`,
      [MOST_KEPT],
    );
    return id;
  }

  /** How many wait or run. */
  async open(tx: EntityManager): Promise<number> {
    const [row] = await tx.query<[{ count: number }]>(
      `select count(*)::int as count from backtests where state in ${OPEN}`,
    );
    return row.count;
  }

  /** The newest first: up to `limit` after an id. */
  async list(limit: number, after: string | null): Promise<StoredBacktest[]> {
    return await this.dataSource.query(
      `select ${COLUMNS} from backtests where $2::uuid is null or id < $2::uuid order by id desc limit $1`,
      [limit, after],
    );
  }

  async find(id: string): Promise<(StoredBacktest & { readonly kept: KeptReport | null }) | null> {
    const [row] = await this.dataSource.query<(StoredBacktest & { kept: KeptReport | null })[]>(
      `select ${COLUMNS}, report as kept from backtests where id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** The one of this instance that waits longest begins; null: none does. `now` in ms. */
  async begin(now: number): Promise<StoredBacktest | null> {
    const [rows] = await this.dataSource.query<[StoredBacktest[], number]>(
      `update backtests set state = 'running', started_at = $2
        where id = (select id from backtests where state = 'queued' and leased_by = $1 order by id limit 1 for update)
        returning ${COLUMNS}`,
      [this.instance, new Date(now)],
    );
    return rows[0] ?? null;
  }

  /** Prolongs the lease of all that this instance has. */
  async extend(): Promise<void> {
    await this.dataSource.query(
      `update backtests set lease_until = clock_timestamp() + make_interval(secs => $2)
        where state in ${OPEN} and leased_by = $1`,
      [this.instance, LEASE_S],
    );
  }

  /** Answers whether it still runs: somebody may have cancelled it. */
  async progress(id: string, done: number, total: number | null): Promise<boolean> {
    const [, count] = await this.dataSource.query<[unknown, number]>(
      `update backtests set done = $3, total = $4 where id = $1 and state = 'running' and leased_by = $2`,
      [id, this.instance, done, total],
    );
    return count > 0;
  }

  /** Only what still runs has an end. `done`: events that were taken in. `now` in ms. */
  async finish(
    id: string,
    {
      kept,
      summary,
      done,
    }: { readonly kept: KeptReport; readonly summary: BacktestSummary; readonly done: number },
    now: number,
  ): Promise<void> {
    await this.dataSource.query(
      `update backtests set state = 'done', summary = $3::json, report = $4::json, done = $5, ended_at = $6,
              lease_until = null, leased_by = null
        where id = $1 and state = 'running' and leased_by = $2`,
      [id, this.instance, JSON.stringify(summary), JSON.stringify(kept), done, new Date(now)],
    );
  }

  /** Answers whether it had not ended yet. `now` in ms. */
  async end(
    tx: EntityManager,
    id: string,
    { state, code, reason }: EndedBadly,
    now: number,
  ): Promise<boolean> {
    const [, count] = await tx.query<[unknown, number]>(
      `update backtests set state = $2, code = $3, reason = $4, ended_at = $5, lease_until = null, leased_by = null
        where id = $1 and state in ${OPEN}`,
      [id, state, code, reason.slice(0, 2000).replaceAll('\u0000', ''), new Date(now)],
    );
    return count > 0;
  }

  /** Ends what belongs to a process that is gone; with `own`, to this one. `now` in ms. */
  async interrupt(now: number, { own = false }: { readonly own?: boolean } = {}): Promise<void> {
    const { state, code, reason } = INTERRUPTED;
    await this.dataSource.query(
      `update backtests set state = $1, code = $2, reason = $3, ended_at = $4, lease_until = null, leased_by = null
        where state in ${OPEN} and ${own ? 'leased_by = $5' : 'lease_until < clock_timestamp() and leased_by <> $5'}`,
      [state, code, reason, new Date(now), this.instance],
    );
  }
}
