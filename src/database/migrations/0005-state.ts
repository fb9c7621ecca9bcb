import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is known of approvals, and what has a due time: the state of root entities, timers, schedules, digests, and
 * what keeps a matched rule from sending (once-per, throttle, silences).
 */
const SQL = String.raw`
-- One row for each root entity, written by the transaction that decides its events. The state is the pure core's own
-- text (src/rules/state): it may hold ids that anybody typed, so json. What it says of tasks is their tally; the tasks
-- themselves are rows of their own, so that an event costs the same however many others there are.
create table entity_states (
  entity text not null primary key,
  -- {process, nodes, tally}
  state json not null,
  -- Since when the root entity is in a terminal status; null: it is open, or not known to have ended.
  ended_at timestamptz,
  updated_at timestamptz not null,
  -- The day of it, UTC: an index on the time itself would be written anew with each event.
  touched_on date not null
) with (fillfactor = 70);
create table entity_tasks (
  entity text not null,
  task text not null,
  state json not null,
  open boolean not null,
  primary key (entity, task)
) with (fillfactor = 70);
create index entity_states_ended on entity_states (ended_at) where ended_at is not null;
create index entity_states_open on entity_states (entity) where ended_at is null;
create index entity_states_touched on entity_states (touched_on);

-- Ladders of escalations. One row from arming to its end.
create table timers (
  id uuid not null primary key,
  rule text not null,
  per text not null check (per in ('task', 'node', 'process')),
  -- Which task, node or process: 'task:123', within the root entity.
  subject text not null,
  entity text not null,
  lane smallint not null,
  -- 'asking': before the step that is due, the platform has to be asked whether the task is still pending, or for a
  -- look-up; 'fetching': it is being asked. 'finished': all steps are sent, and nothing has cancelled it yet, so that it
  -- is not armed again.
  state text not null check (state in ('armed', 'asking', 'fetching', 'finished', 'cancelled')),
  -- The event that armed it: its stored id, its key, and its create time, from which the steps count.
  event_id uuid not null,
  cause text not null,
  base_time timestamptz not null,
  -- The tasks that satisfied the conditions when they were seen last, and the stored event that said so:
  -- {"task:1": "<id>"}; of a ladder per task, itself alone.
  holders json not null,
  -- Names of the steps that were sent.
  sent text[] not null default '{}',
  -- Name of the next step, and when it is due.
  step text,
  due_at timestamptz not null,
  -- Fingerprint of the steps and their calendar: another rule set with another one has the due time computed anew.
  plan text not null,
  -- What was answered to the questions of the next step: {"confirm"?, "lookups"?}.
  answers json,
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by uuid,
  -- Why it was cancelled, or what went wrong last.
  code text,
  reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null
) with (fillfactor = 70);
create unique index timers_standing on timers (entity, rule, subject) where state in ('armed', 'asking', 'fetching', 'finished');
create index timers_due on timers (lane, due_at) where state = 'armed';
create index timers_due_at on timers (due_at, id) where state = 'armed';
create index timers_asking on timers (due_at) where state = 'asking';
create index timers_leased on timers (lease_until) where state = 'fetching';
create index timers_ended on timers (updated_at) where state in ('finished', 'cancelled');
create index timers_entity on timers (entity);

-- Verdicts "unknown" that a later event of the root entity may settle until a time; after it, a person's matter.
create table unsettled (
  event_id uuid not null,
  rule text not null,
  entity text not null,
  missing text[] not null,
  -- Whose later events may bring what is missing: 'task:1', 'node:2', 'process'.
  scopes text[] not null,
  -- Where the event stands: {place, at, late}, as the pure core has it.
  situation json not null,
  until timestamptz not null,
  created_at timestamptz not null,
  primary key (event_id, rule)
);
create index unsettled_entity on unsettled (entity);
create index unsettled_until on unsettled (until);

-- A rule with oncePer has fired for this task, node or process of a root entity.
create table once_keys (
  entity text not null,
  subject text not null,
  rule text not null,
  event_id uuid not null,
  created_at timestamptz not null,
  primary key (entity, subject, rule)
);

-- When a throttled rule fired last, by its key: at most as many times as it may.
create table throttles (
  rule text not null,
  key text not null,
  hits timestamptz[] not null,
  updated_at timestamptz not null,
  primary key (rule, key)
) with (fillfactor = 70);
create index throttles_updated on throttles (updated_at);

create table silences (
  id uuid not null primary key,
  -- Plain JSON: {rule?, action?, owner?, conditions?}.
  matcher json not null,
  author text not null,
  reason text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  created_at timestamptz not null,
  ended_by text,
  -- When the notice before its end was given.
  noticed_at timestamptz
);
create index silences_ends on silences (ends_at);

-- Rules with a schedule: when each is due next.
create table schedules (
  rule text not null primary key,
  -- Fingerprint of the trigger.
  plan text not null,
  due_at timestamptz not null,
  last_at timestamptz,
  last_event uuid
);

-- Messages that gather items until they are due. The id is that of the delivery it becomes, which is deferred meanwhile.
create table digests (
  id uuid not null primary key,
  rule text not null,
  action text not null,
  key text not null,
  state text not null check (state in ('open', 'closed')),
  due_at timestamptz not null,
  opened_at timestamptz not null
);
create unique index digests_open on digests (rule, action, key) where state = 'open';
create index digests_due on digests (due_at) where state = 'open';
create table digest_items (
  digest_id uuid not null,
  number bigint generated always as identity,
  -- As the action key of a delivery: the same item is never in two digests.
  item_key text not null unique,
  event_id uuid not null,
  -- What its templates read of the item: {event, task, node, process, lookup}.
  item json not null,
  primary key (digest_id, number)
);

-- The facts of the state, by which the look-ups are planned.
alter table lookups add column facts json;

-- The work calendars that shipped with the product when the set was stored; null: those of today.
alter table rule_sets add column calendars json;

-- What a deferred delivery waits for; null: it is not deferred.
alter table action_keys add column deferred_for text check (deferred_for in ('quiet-hours', 'digest', 'order'));
create index action_keys_deferred on action_keys (due_at) where state = 'deferred';
`;

export class State1798000000005 implements MigrationInterface {
  name = 'State1798000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
