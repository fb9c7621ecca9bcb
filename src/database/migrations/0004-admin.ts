import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the admin API needs: people, their tokens and sessions, the audit log, and the ways to find events and
 * deliveries among millions.
 */
const SQL = String.raw`
-- Backfills may take longer than the limit of ordinary statements.
set local statement_timeout = 0;

create table users (
  id uuid not null primary key,
  -- In lower case.
  name text not null unique,
  -- scrypt, with its own parameters and salt; null: signs in elsewhere only.
  password text,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  disabled boolean not null default false,
  must_change_password boolean not null default false,
  -- Issuer and subject at the OpenID provider; null: a local user.
  identity text unique,
  created_at timestamptz not null,
  last_login_at timestamptz
);

create table tokens (
  id uuid not null primary key,
  user_id uuid not null references users (id) on delete cascade,
  name text not null,
  -- SHA-256 of the token, which is 256 random bits.
  hash bytea not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index tokens_user on tokens (user_id);

create table sessions (
  hash bytea not null primary key,
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);

-- Sign-ins that are on their way to the OpenID provider and back.
create table login_flows (
  hash bytea not null primary key,
  verifier text not null,
  nonce text not null,
  expires_at timestamptz not null
);

-- Wrong passwords, by name and by address, for all instances.
create table login_failures (
  key text not null primary key,
  failures integer not null,
  last_at timestamptz not null,
  blocked_until timestamptz not null
);

create table audit_log (
  id uuid not null primary key,
  at timestamptz not null,
  actor text not null,
  -- How the actor was known: a session, a token, a command on this machine; nobody: a failed login.
  means text not null check (means in ('session', 'token', 'command', 'none')),
  role text,
  address text,
  action text not null,
  subject text not null,
  detail json not null
);
create index audit_log_actor on audit_log (actor, id);
create index audit_log_action on audit_log (action, id);
create index audit_log_subject on audit_log (subject, id);

-- When a person's data was removed: raw is empty then, content and transport are null.
alter table events add column erased_at timestamptz;

-- What events are found by. Written behind the ack path by whoever indexes; an array of terms, because any number of
-- filters is then one look into one index. What is written but not merged into the index is read through by every
-- search: little of it.
create table event_search (
  id uuid not null primary key,
  terms text[] not null
) partition by range (id);
create index event_search_terms on event_search using gin (terms) with (gin_pending_list_limit = 1024);
-- Events that were indexed before they were decided: their terms still lack how they ended.
create table event_search_open (
  id uuid not null primary key
);
-- How far the events are indexed; one row.
create table event_search_progress (
  only_row boolean not null primary key default true check (only_row),
  through uuid not null
);
insert into event_search_progress (through) values ('00000000-0000-0000-0000-000000000000');

alter table evaluations
  add column matched integer not null default 0,
  add column unknown integer not null default 0,
  add column errors integer not null default 0;
-- As text, as this program writes it: a verdict may hold U+0000, at which the functions for json give up.
update evaluations set matched = regexp_count(verdicts::text, '"verdict":"matched"'),
  unknown = regexp_count(verdicts::text, '"verdict":"unknown"'),
  errors = regexp_count(verdicts::text, '"verdict":"error"');
create index evaluations_unknown on evaluations (event_id) where unknown > 0;
create index evaluations_errors on evaluations (event_id) where errors > 0;
create index evaluations_occasion on evaluations (occasion, event_id) where occasion <> 'live';
create index evaluations_decided on evaluations (decided_at);

create index event_keys_unsettled on event_keys (state, id) where state <> 'decided';

-- What deliveries are chosen by, in any combination. Few different values: such an index is a tenth of one for each.
create index deliveries_terms on deliveries using gin ((array[rule, action, kind, target, occasion])) with (gin_pending_list_limit = 1024);
create index deliveries_entity on deliveries (entity, id);

alter table action_keys
  -- A redrive begins the retry schedule anew: when it was, and the attempts that were made before it.
  add column redriven_at timestamptz,
  add column attempts_before integer not null default 0,
  -- As in deliveries, so that what stands still can be counted and found without them.
  add column rule text not null default '',
  add column action text not null default '',
  add column target text not null default '';
update action_keys k set rule = d.rule, action = d.action, target = d.target from deliveries d where d.id = k.id;
create index action_keys_state on action_keys (state, id) include (rule, action, target)
  where state in ('held', 'deferred', 'dead', 'cancelled');
create index action_keys_updated on action_keys (updated_at);

-- When a target was last reached, and when not, by the rules that send to it.
create table targets (
  target text not null,
  rule text not null,
  kind text not null,
  last_delivered_at timestamptz,
  last_failed_at timestamptz,
  -- Of the last failure.
  last_code text,
  primary key (target, rule)
) with (fillfactor = 70);
insert into targets (target, rule, kind, last_delivered_at, last_failed_at, last_code)
select d.target, d.rule, d.kind, max(a.started_at) filter (where a.outcome = 'delivered'),
       max(a.started_at) filter (where a.outcome <> 'delivered'),
       (array_agg(a.code order by a.started_at desc) filter (where a.outcome <> 'delivered'))[1]
  from deliveries d join attempts a on a.delivery_id = d.id group by d.target, d.rule, d.kind
on conflict do nothing;

alter table rule_set_activations add column actor text;

create or replace function ensure_partitions(first_day date, last_day date) returns void language plpgsql as $$
declare
  parent text;
  child text;
  day date;
begin
  perform pg_advisory_xact_lock(4157001);
  foreach parent in array array['events', 'event_search', 'evaluations', 'deliveries', 'attempts'] loop
    day := first_day;
    while day <= last_day loop
      child := parent || '_' || to_char(day, 'YYYYMMDD');
      if to_regclass(child) is null then
        execute format('create table %I (like %I including all)', child, parent);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
          parent, child, uuid_of_day(day), uuid_of_day(day + 1));
      end if;
      day := day + 1;
    end loop;
  end loop;
end
$$;
select ensure_partitions(day, day)
  from (select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') as day
          from pg_inherits where inhparent = 'events'::regclass) as days;
`;

export class Admin1797000000004 implements MigrationInterface {
  name = 'Admin1797000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
