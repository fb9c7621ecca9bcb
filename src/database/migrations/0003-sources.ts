import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Events of other systems, whose parts may stand beside the body, and events that wait for a look-up.
 */
const SQL = `
-- What came beside the body and is needed to read it; null: a Feishu envelope.
alter table events add column transport json;

-- 'waiting': for a look-up, its own or that of an earlier event of its root entity. The row in lookups says which.
alter table event_keys drop constraint event_keys_state_check,
  add constraint event_keys_state_check check (state in ('undecided', 'waiting', 'decided', 'quarantined'));

-- Events between ack and decision that need an answer from outside, and events behind them. A row goes with the
-- decision of its event; the answers are then a part of the evaluation.
create table lookups (
  id uuid not null primary key,
  state text not null check (state in ('pending', 'fetching', 'answered', 'behind')),
  -- Which service is asked next: each has its own limit, and one that is slow holds up no other.
  service text not null,
  entity text,
  order_time bigint not null,
  status_rank smallint not null,
  -- Compared as the program compares it.
  event_id text collate "C" not null,
  answers json not null,
  created_at timestamptz not null,
  due_at timestamptz not null,
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by uuid,
  code text,
  reason text,
  updated_at timestamptz not null
) with (fillfactor = 70);
create index lookups_due on lookups (due_at) where state = 'pending';
create index lookups_leased on lookups (lease_until) where state = 'fetching';
create index lookups_entity on lookups (entity, order_time, status_rank, event_id);
`;

export class Sources1796000000003 implements MigrationInterface {
  name = 'Sources1796000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
