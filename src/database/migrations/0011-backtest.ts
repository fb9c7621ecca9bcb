import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Back-tests that the service runs, and what came of them. */
const SQL = String.raw`
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
