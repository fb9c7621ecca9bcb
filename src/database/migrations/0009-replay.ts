import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Replays of stored events by a filter, and recalls of what a rule has sent. */
const SQL = String.raw`
-- What a person has ordered: its selection is fixed, and a worker goes through it.
create table replays (
  id uuid not null primary key,
  kind text not null check (kind in ('replay', 'recall')),
  created_at timestamptz not null,
  created_by text not null,
  -- Why, as the person says it; null: nothing was said.
  purpose text,
  -- The rules that evaluate: those that were live when it was ordered.
  rule_set text not null,
  -- The one rule that is evaluated; of a recall, the rule that is recalled. Null: all.
  only_rule text,
  -- What was asked for, without anything personal: it is for people, and chooses nothing any more.
  filter json not null,
  state text not null check (state in ('pending', 'running', 'done', 'cancelled', 'failed')),
  due_at timestamptz not null,
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by uuid,
  -- Why it stands still or has ended so.
  code text,
  reason text,
  started_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz not null
);
create index replays_due on replays (due_at) where state = 'pending';
create index replays_leased on replays (lease_until) where state = 'running';

-- The selection, in the order of what happened. Those of one entity are done in one transaction.
create table replay_events (
  replay_id uuid not null references replays (id) on delete cascade,
  place integer not null,
  event_id uuid not null,
  -- The root entity, or the event itself.
  entity text not null,
  -- Of a recall: whether what the rule asks for is sent; else the event is only looked at, for the steps that it armed.
  sends boolean not null default true,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'skipped', 'failed')),
  -- How often its entity was begun.
  tries integer not null default 0,
  -- Why it was skipped, or what went wrong.
  code text,
  reason text,
  -- What came of it: {"sent": 1, "already-sent": 2}; null: nothing yet.
  counts json,
  primary key (replay_id, place)
);
create index replay_events_waiting on replay_events (replay_id, place) where state = 'waiting';
create index replay_events_entity on replay_events (replay_id, entity, place) where state = 'waiting';
create index replay_events_event on replay_events (event_id);

-- Deliveries that a recall has chosen, and what became of each.
create table recall_deliveries (
  recall_id uuid not null references replays (id) on delete cascade,
  delivery_id uuid not null,
  entity text not null,
  -- By which it was decided; null: its evaluation is not there any more.
  rule_set text,
  -- Null: nothing yet. 'person': it has an effect that nothing takes back.
  outcome text check (outcome in ('cancelled', 'kept', 'undone', 'person', 'gone')),
  code text,
  -- The delivery that takes it back, and the one that goes in its place.
  undo_id uuid,
  new_id uuid,
  primary key (recall_id, delivery_id)
);
create index recall_deliveries_entity on recall_deliveries (recall_id, entity);
create index recall_deliveries_delivery on recall_deliveries (delivery_id);
create index recall_deliveries_undo on recall_deliveries (undo_id) where undo_id is not null;
create index recall_deliveries_new on recall_deliveries (new_id) where new_id is not null;
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
