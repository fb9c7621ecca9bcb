import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the radar has found, and events that were made up for lost ones. */
const SQL = String.raw`
`;

export class Radar1803000000010 implements MigrationInterface {
  name = 'Radar1803000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
