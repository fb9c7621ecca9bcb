import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A rule set is recomputed with the catalogue of its day, and all instances read events by the catalogue that the
 * active rule set came with. The key of events also finds one by the sender's id alone, as a person has it.
 */
const SQL = `
-- The product's own event types when the set was made; null: a set of before this column.
alter table rule_sets add column catalogue json;

alter table event_keys drop constraint event_keys_pkey, add primary key (event_id, origin);

create table catalogues (
  version text not null primary key,
  entries json not null,
  activated_at timestamptz not null
);
`;

export class Catalogue1795500000002 implements MigrationInterface {
  name = 'Catalogue1795500000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
