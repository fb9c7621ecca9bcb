import type { IncomingEvent } from '../events/event.js';
import type { WorkCalendar } from './calendar/work-calendar.js';
import { DAY_MS, zoneClock } from './calendar/zone-clock.js';
import { nextDue } from './cron.js';
import type { Rule, RuleSet } from './rule-set.js';
import { type Schedule, SCHEDULE_TYPE } from './rule-timing.js';
import type { EntityState, EventPlace, Level, RootState } from './state/root-state.js';
import { phaseOf } from './state/phases.js';

/** Whose ids those of turns are. No declared source is named so: none of their senders can take a turn's place. */
export const SCHEDULE_ORIGIN = 'aftersign:schedule';

/** Turns that fall on days off, one after the other, after which no more are looked for. */
const MOST_DAYS_OFF = 400;

/** When a rule has its turns, by the time zone of an installation for rules that name none. */
export interface Timetable {
  readonly schedule: Schedule;
  readonly timezone: string;
  readonly calendar: WorkCalendar | null;
  /** Fingerprint: another one means other times. */
  readonly plan: string;
}

/** Null: the rule has no schedule, or is switched off. */
export function timetableOf(
  { schedule, timezone, enabled }: Rule,
  { calendars }: Pick<RuleSet, 'calendars'>,
  defaultTimezone: string,
): Timetable | null {
  if (!schedule || !enabled) return null;
  const zone = schedule.timezone ?? timezone ?? defaultTimezone;
  return {
    schedule,
    timezone: zone,
    calendar: schedule.calendar === null ? null : (calendars.get(schedule.calendar) ?? null),
    plan: `${schedule.plan} ${zone}`,
  };
}

/** The first turn after a moment (ms), in ms; days that are no workdays have none. Null: there is none any more. */
export function nextTurn({ schedule, timezone, calendar }: Timetable, after: number): number | null {
  const clock = zoneClock(timezone);
  let from = after;
  for (let tries = 0; tries <= MOST_DAYS_OFF; tries += 1) {
    const due = nextDue(schedule.cron, timezone, from);
    if (due === null || !calendar) return due;
    const day = Math.floor(clock.wallOf(due) / DAY_MS);
    if (calendar.works(day)) return due;
    from = clock.instantOf((day + 1) * DAY_MS) - 1;
  }
  return null;
}

/** The event that a turn is in the ledger. The same turn always has the same key. */
export function turnEvent(rule: string, due: number, over: Level): IncomingEvent {
  const time = new Date(due).toISOString();
  return {
    origin: SCHEDULE_ORIGIN,
    eventId: `${rule}@${time}`,
    eventType: SCHEDULE_TYPE,
    source: 'schedule',
    createTime: due,
    statusRank: 0,
    rootEntity: null,
    raw: Buffer.from(JSON.stringify({ rule, due: time, over })),
    content: null,
    transport: { format: 'json', fields: [] },
  };
}

/** A task, node or root entity that somebody waits for. */
export interface OpenEntity {
  readonly place: EventPlace;
  /** The stored event whose fields are read, and its type; null: none is known. */
  readonly latest: { readonly id: string; readonly eventType: string } | null;
}

/** Those of a root entity that are open. `entity`: `process:123`; it has not ended, and all its open tasks are read. */
export function openEntities(entity: string, state: RootState, over: Level): OpenEntity[] {
  const process = entity.slice(entity.indexOf(':') + 1);
  if (over === 'process') {
    const place = placeOf({ process, node: null, task: null }, over, state.process);
    // Of whom no event tells the status: the last one of anything that belongs to it.
    return [{ place, latest: state.process ? latestOf(state.process) : state.tally.last }];
  }
  const entities = over === 'task' ? state.tasks : state.nodes;
  // By their ids: which of them comes first also tells which digest it is.
  const sorted = Object.entries(entities).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([id, one]): OpenEntity | [] => {
    if (phaseOf(one) !== 'open') return [];
    const ids = over === 'task' ? { process, node: one.node, task: id } : { process, node: id, task: null };
    return { place: placeOf(ids, over, one), latest: latestOf(one) };
  });
}

function placeOf(
  ids: Pick<EventPlace, 'process' | 'node' | 'task'>,
  tells: Level,
  of: EntityState | null,
): EventPlace {
  const last = of?.seen.at(-1);
  return { ...ids, tells, status: last?.[3] ?? null, phase: last?.[4] ?? 'unknown' };
}

const latestOf = ({ latest, latestType }: EntityState): OpenEntity['latest'] => ({
  id: latest,
  eventType: latestType,
});
