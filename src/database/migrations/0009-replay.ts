import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Replays of stored events by a filter, and recalls of what a rule has sent. */
const SQL = String.raw`
`;

export class Replay1802000000009 implements MigrationInterface {
  name = 'Replay1802000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
