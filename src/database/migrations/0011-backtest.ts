import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Back-tests that the service runs, and what came of them. */
const SQL = String.raw`
create table backtests (
  id uuid not null primary key,
  created_at timestamptz not null,
  created_by text not null,
  -- What was asked for, with the hashes of the rule sets: src/console/backtest-runs.ts. It may hold a rule file, so json.
  asked json not null,
  state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  -- Events that were taken in, and how many there are; null: nobody knows.
  done integer not null default 0,
  total integer,
  -- What lists show of the report. Both hold what stands in events, so json; the report is gone when somebody's data is.
  summary json,
  report json,
  code text,
  reason text,
  started_at timestamptz,
  ended_at timestamptz,
  -- Whoever has taken it runs it; what it has not ended by then, it never will.
  lease_until timestamptz,
  leased_by uuid
);
create index backtests_open on backtests (lease_until) where state in ('queued', 'running');

-- Before a step of an escalation the platform said that nobody is waited for any more.
create index timers_not_pending on timers (event_id) where code = 'NOT_PENDING';
`;

export class Backtest1804000000011 implements MigrationInterface {
  name = 'Backtest1804000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
