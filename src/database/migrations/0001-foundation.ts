import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Narrow, unpartitioned key tables carry uniqueness and the state of the queue; the wide tables are written once
 * and partitioned by day. Their ids are UUIDv7, so a day is a range of ids: the primary key stays one column,
 * and a look-up by id touches one partition (docs/adr/0002).
 *
 * Columns that may hold text of events are `json`, not `jsonb`: jsonb refuses `\u0000` and lone surrogates.
 */
const SQL = String.raw`
create table event_keys (
  origin text not null,
  event_id text not null,
  id uuid not null,
  lane smallint not null check (lane between 0 and 255),
  order_time bigint not null,
  status_rank smallint not null,
  state text not null default 'undecided' check (state in ('undecided', 'decided', 'quarantined')),
  reason text,
  crashes smallint not null default 0,
  duplicates integer not null default 0,
  primary key (origin, event_id)
) with (fillfactor = 80);
create unique index event_keys_id on event_keys (id);
create index event_keys_undecided on event_keys (lane, order_time, status_rank, event_id) where state = 'undecided';

create table events (
  id uuid not null primary key,
  received_at timestamptz not null,
  origin text not null,
  event_id text not null,
  event_type text not null,
  source text not null,
  create_time timestamptz,
  root_entity text,
  raw bytea not null,
  content bytea
) partition by range (id);

-- What an instance is deciding. The row goes with the transaction that decides; one that is left behind while
-- nobody holds its lanes says that the process died over these events.
create table decisions_begun (
  id uuid not null primary key,
  lanes smallint[] not null,
  event_ids uuid[] not null
);

create table rule_sets (
  hash text not null primary key,
  files json not null,
  created_at timestamptz not null
);

create table rule_set_activations (
  number bigint generated always as identity primary key,
  hash text not null references rule_sets (hash),
  activated_at timestamptz not null,
  reason text not null
);

create table evaluations (
  event_id uuid not null,
  occasion text not null,
  decided_at timestamptz not null,
  rule_set text not null,
  verdicts json not null,
  inputs json not null,
  primary key (event_id, occasion)
) partition by range (event_id);

create table action_keys (
  key text not null primary key,
  id uuid not null,
  state text not null check (state in ('held', 'deferred', 'pending', 'delivering', 'delivered', 'dead', 'cancelled')),
  due_at timestamptz not null,
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by uuid,
  code text,
  reason text,
  updated_at timestamptz not null
) with (fillfactor = 80);
create unique index action_keys_id on action_keys (id);
create index action_keys_pending on action_keys (due_at) where state = 'pending';
create index action_keys_leased on action_keys (lease_until) where state = 'delivering';

create table deliveries (
  id uuid not null primary key,
  action_key text not null,
  event_id uuid not null,
  occasion text not null,
  rule text not null,
  action text not null,
  kind text not null,
  target text not null,
  entity text not null,
  cause text not null,
  generation integer not null,
  created_at timestamptz not null,
  request json not null
) partition by range (id);
create index deliveries_event on deliveries (event_id);

create table attempts (
  delivery_id uuid not null,
  attempt integer not null,
  started_at timestamptz not null,
  duration_ms integer,
  outcome text not null check (outcome in ('delivered', 'retry', 'permanent', 'lost')),
  code text,
  detail text not null,
  status integer,
  answer text not null,
  instance uuid,
  primary key (delivery_id, attempt)
) partition by range (delivery_id);

-- The least UUIDv7 of a UTC day: the bounds of the day's partitions.
create function uuid_of_day(day date) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from day::timestamp at time zone 'UTC') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Creates what is missing. A new partition is made beside its parent and then attached: CREATE TABLE … PARTITION OF
-- would lock out readers and writers of the parent. The advisory lock keeps instances from colliding.
create function ensure_partitions(first_day date, last_day date) returns void language plpgsql as $$
declare
  parent text;
  child text;
  day date;
begin
  perform pg_advisory_xact_lock(4157001);
  foreach parent in array array['events', 'evaluations', 'deliveries', 'attempts'] loop
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
`;

export class Foundation1795000000001 implements MigrationInterface {
  name = 'Foundation1795000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
