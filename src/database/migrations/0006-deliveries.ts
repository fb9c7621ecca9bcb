import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What keeps one target from delaying another, and effects from getting out of hand: a lane for each target with its
 * limits and its breaker, the order of deliveries about one entity, what the brakes count, and whom a notice is for.
 */
const SQL = String.raw`
-- Through which door a delivery leaves. All mail goes through one server and all messages of apps through one platform:
-- what is down then is that, and not the mailbox or the chat.
create function target_lane_of(target text) returns text language sql immutable parallel safe as $$
  select case when target like 'email:%' then 'email'
              when target like 'feishu-message:%' or target = 'http:feishu' then 'feishu'
              else target end
$$;

alter table action_keys
  add column target_lane text not null generated always as (target_lane_of(target)) stored,
  -- Deliveries with the same key go out one after the other, by their number; null: in no order.
  add column order_key text,
  add column order_number bigint,
  -- When it goes dead though it could not be tried: its target was not asked any more. Null: made before this was kept.
  add column give_up_at timestamptz;
update action_keys set give_up_at = coalesce(redriven_at, due_at) + interval '72 hours'
 where state in ('held', 'deferred', 'pending', 'delivering');
drop index action_keys_pending;
create index action_keys_pending on action_keys (target_lane, due_at) where state = 'pending';
create index action_keys_sending on action_keys (target_lane) where state = 'delivering';
-- There are never many that are being sent: the index by lane finds those whose lease has ended just as well.
drop index action_keys_leased;
create index action_keys_order on action_keys (order_key, order_number)
  where order_key is not null and state in ('held', 'deferred', 'pending', 'delivering');
create sequence delivery_order;

alter table attempts
  -- No answer came after the request was sent: whether the target did the work is not known.
  add column ambiguous boolean not null default false;
alter table targets add column target_lane text not null generated always as (target_lane_of(target)) stored;
create index targets_lane on targets (target_lane);

-- One row for each lane that a delivery was ever made for.
create table target_lanes (
  lane text not null primary key,
  breaker text not null default 'closed' check (breaker in ('closed', 'open')),
  -- Failures in a row.
  failures integer not null default 0,
  -- How often the breaker has opened without closing in between: each time it waits longer.
  openings integer not null default 0,
  -- While it is open: from when one delivery at a time may try. Null: it is closed.
  probe_at timestamptz,
  -- After it has closed: how many may be under way at once, twice as many after each success. Null: as the limits say.
  ramp integer,
  -- Of a rate limit: the theoretical time of the next delivery.
  rate_at timestamptz,
  -- Of the failures in a row: when the first was.
  down_since timestamptz,
  -- Since when somebody has been told that it fails; null: nobody has, or of its recovery too.
  failing_since timestamptz,
  -- Of the last failure.
  last_code text,
  updated_at timestamptz not null
) with (fillfactor = 70);
insert into target_lanes (lane, updated_at)
select distinct target_lane, now() from action_keys on conflict do nothing;

-- What rules/targets.json of the live rule set says; the lane '*' stands for all others.
create table target_limits (
  lane text not null primary key,
  concurrency integer,
  rate_max integer,
  rate_per_ms bigint
);

-- Deliveries that the brakes have let through, counted by slices of time. scope: rule:<name>, or * for all together.
create table brake_counts (
  scope text not null,
  -- Begin of the slice, milliseconds since 1970.
  slice bigint not null,
  -- Of the scope *: who counts, so that nobody waits for another.
  shard text not null,
  count integer not null,
  -- From when on it counts no more.
  expires_at timestamptz not null,
  primary key (scope, slice, shard)
) with (fillfactor = 70);

-- What somebody has to be told.
create table notices (
  id uuid not null primary key,
  kind text not null,
  subject text not null,
  -- Whose owners are told; empty: whoever is named for all else.
  rules text[] not null,
  detail json not null,
  state text not null check (state in ('open', 'told', 'nobody')),
  created_at timestamptz not null
);
create index notices_open on notices (id) where state = 'open';
create index notices_subject on notices (kind, subject, created_at);

-- How many actions the matches of an evaluation asked for, by rule: {"rule": n}. Null: none, or made before this was kept.
alter table evaluations add column asked json;
`;

export class Deliveries1799000000006 implements MigrationInterface {
  name = 'Deliveries1799000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
