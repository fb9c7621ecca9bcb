import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What rules in shadow mode would have sent. */
const SQL = String.raw`
-- As deliveries are, and beside them: nothing here is ever claimed, sent or counted as sent.
create table shadow_deliveries (
  id uuid not null primary key,
  action_key text not null,
  -- The live rule that the rule named when it was decided, and the action key of that rule's delivery for the same
  -- reason; null: it named none.
  shadow_of text,
  twin_key text,
  event_id uuid not null,
  occasion text not null,
  rule text not null,
  action text not null,
  kind text not null,
  target text not null,
  entity text not null,
  cause text not null,
  generation integer not null,
  decided_at timestamptz not null,
  -- When it would go: later than decided where quiet hours defer it, or a digest gathers it.
  due_at timestamptz not null,
  -- 'pending': it would go; 'gathering': a digest that is not due yet; 'cancelled': a digest that came to nothing.
  state text not null check (state in ('pending', 'held', 'dead', 'gathering', 'cancelled')),
  code text,
  reason text,
  request json not null
) partition by range (id);
create index shadow_deliveries_rule on shadow_deliveries (rule, id);
create index shadow_deliveries_event on shadow_deliveries (event_id);

-- What makes them unique, and what finds them by what their twins have sent.
create table shadow_keys (
  key text not null primary key,
  id uuid not null,
  rule text not null,
  twin_key text
);
create index shadow_keys_twin on shadow_keys (twin_key, rule) include (id);

-- Which rule sets have which rules in shadow mode, and of which live rule: of deliveries that were decided by another set
-- none is missing.
create table shadow_rules (
  rule text not null,
  rule_set text not null,
  shadow_of text,
  primary key (rule, rule_set)
);

create or replace function ensure_partitions(first_day date, last_day date) returns void language plpgsql as $$
declare
  parent text;
  child text;
  day date;
begin
  perform pg_advisory_xact_lock(4157001);
  foreach parent in array array['events', 'event_search', 'evaluations', 'deliveries', 'attempts', 'shadow_deliveries'] loop
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

export class Shadow1801000000008 implements MigrationInterface {
  name = 'Shadow1801000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only: restore a backup to go back.'));
  }
}
