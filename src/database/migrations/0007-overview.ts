import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the overview of the console counts: attempts by when they began, whatever day their delivery was made.
 *
 * Rows of attempts are written one after the other when they end, so a few blocks hold those of a minute: a BRIN index
 * knows which, and costs the sending next to nothing.
 */
const SQL = String.raw`
-- Building it reads what is stored, which may take longer than the limit of ordinary statements.
set local statement_timeout = 0;
create index attempts_started on attempts using brin (started_at) with (pages_per_range = 16, autosummarize = on);
`;

export class Overview1800000000007 implements MigrationInterface {
  name = 'Overview1800000000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
