import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the radar has found, and events that were made up for lost ones. */
const SQL = String.raw`
create table radar_findings (
  id uuid not null primary key,
  kind text not null check (kind in ('unread-value', 'unknown-value', 'silent-rule', 'failing-condition', 'lost-events')),
  -- What it is about; one finding of a kind stands for it at a time.
  subject text not null,
  -- The rules that it concerns.
  rules text[] not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  count integer not null,
  -- What there is to say of it, by its kind: src/rules/radar/finding.ts. It may hold values of events, so json.
  detail json not null,
  -- gone: it does not hold any more; dismissed: a person has seen it and it stays silent as long as it holds.
  state text not null check (state in ('open', 'gone', 'dismissed')),
  told_at timestamptz,
  ended_at timestamptz,
  ended_by text,
  reason text
);
create unique index radar_findings_standing on radar_findings (kind, subject) where state <> 'gone';
create index radar_findings_gone on radar_findings (ended_at) where state = 'gone';

-- One row: when the radar looked last, and at how much.
create table radar_progress (
  only_row boolean not null primary key default true check (only_row),
  computed_at timestamptz,
  looked integer not null default 0,
  -- Up to here the hours are counted.
  counted_until timestamptz
);
insert into radar_progress default values;

-- How often a rule asked for something ('rule:<name>') and how many events of a type came in ('type:<type>'), by the hour.
create table radar_hours (
  what text not null,
  hour timestamptz not null,
  count integer not null,
  primary key (what, hour)
) with (fillfactor = 80);
create index radar_hours_hour on radar_hours (hour);

-- What the platform was asked about root entities, so that nobody asks the same again and again.
create table radar_asked (
  entity text not null primary key,
  asked_at timestamptz not null,
  -- In a row, about the same.
  times integer not null,
  -- Fingerprint of what was known of the entity: its last event, and the signs of a loss.
  about text not null,
  outcome text not null check (outcome in ('healed', 'agrees', 'not-listed', 'failed')),
  detail text not null
);
create index radar_asked_at on radar_asked (asked_at);

-- Events that were made up for lost ones. The events that they stand for may come all the same.
create table reconciled_events (
  origin text not null,
  event_id text not null,
  entity text not null,
  -- The key of the event because of which things are sent, when it is not the synthetic one itself: the genuine event
  -- was decided before it.
  cause text,
  -- The sender's id of the genuine event, once it has come.
  genuine text,
  created_at timestamptz not null,
  primary key (origin, event_id)
);
create index reconciled_events_entity on reconciled_events (entity);
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
