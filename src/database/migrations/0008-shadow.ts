import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What rules in shadow mode would have sent. */
const SQL = String.raw`
`;

export class Shadow1801000000008 implements MigrationInterface {
  name = 'Shadow1801000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
