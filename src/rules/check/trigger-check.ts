import { cronProblem } from '../cron.js';
import type { ScheduleDocument } from '../rule-document.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { hasLevel } from '../state/levels.js';
import { type Level, LEVELS } from '../state/root-state.js';
import { listOf } from './fact-check.js';
import type { FileReport } from './file-report.js';
import type { JsonNode } from './json-text.js';
import { checkKeys } from './object-keys.js';
import { type KnownEvents, readTrigger, type RuleEvents } from './rule-events.js';
import { member, RuleValues } from './rule-values.js';

/** What a rule listens to. */
export interface TriggerForm {
  readonly types: readonly string[];
  /** The events that its conditions, keys and templates read. */
  readonly events: RuleEvents;
  /** It is a schedule, though it may be a broken one. */
  readonly scheduled: boolean;
  /** Null: it is no schedule, or a broken one. */
  readonly schedule: ScheduleDocument | null;
  /** That a schedule names, a broken one too. */
  readonly calendar: string | undefined;
}

/** Event types and patterns, or a schedule. */
export function readTriggerForm(node: JsonNode, known: KnownEvents, report: FileReport): TriggerForm {
  if (node.type === 'object') return readSchedule(node, known, report);
  const types = readTrigger(node, known, report);
  return { types, events: known.of(types), scheduled: false, schedule: null, calendar: undefined };
}

function readSchedule(node: JsonNode, known: KnownEvents, report: FileReport): TriggerForm {
  const errorsBefore = report.errorCount;
  const members = checkKeys(
    node,
    {
      prefix: 'RULE',
      known: ['schedule', 'over', 'calendar', 'timezone'],
      required: ['schedule', 'over'],
    },
    report,
  );
  const values = new RuleValues(members, report, known.calendars);
  const schedule = readCron(values, report);
  const over = values.choice('over', LEVELS);
  const calendar = values.calendar();
  const timezone = values.timezone();
  const events = over === undefined ? known.of([]) : known.ofLevel(over);
  const overAt = values.at('over');
  if (over !== undefined && overAt && events.entries.length === 0) {
    report.error(
      overAt,
      'ENTITY_IN_NO_TYPE',
      `no known event type tells the status of a ${over}`,
      'Describe one in catalogue/<name>.event.json, with "rootEntity", "entities" and "status".',
    );
  }
  const sound = schedule !== undefined && over !== undefined && report.errorCount === errorsBefore;
  return {
    types: [SCHEDULE_TYPE],
    events,
    scheduled: true,
    calendar,
    schedule: sound
      ? { schedule, over, ...member('calendar', calendar), ...member('timezone', timezone) }
      : null,
  };
}

function readCron(values: RuleValues, report: FileReport): string | undefined {
  const text = values.text('schedule', 200);
  const node = values.at('schedule');
  const problem = text === undefined ? null : cronProblem(text);
  if (node && problem !== null) {
    report.error(
      node,
      'SCHEDULE_INVALID',
      `"schedule" is no cron expression: ${problem}`,
      'Write minute, hour, day of month, month and day of week, like "0 9 * * 1-5".',
    );
  }
  return text;
}

/** Whether the event types say which task, node or process they are about, where a key of the rule counts by it. */
export function checkLevel(
  key: string,
  level: Level,
  at: JsonNode,
  { types, events, scheduled, schedule }: TriggerForm,
  report: FileReport,
): void {
  if (scheduled) {
    if (!schedule || LEVELS.indexOf(level) >= LEVELS.indexOf(schedule.over)) return;
    report.error(
      at,
      'ENTITY_IN_NO_TYPE',
      `a schedule over each ${schedule.over} does not say which ${level} a turn is about`,
      `Use "${schedule.over}", or write "over": "${level}".`,
    );
    return;
  }
  const without = events.entries.filter((entry) => !hasLevel(entry, level));
  const names = listOf(without.map(({ eventType }) => eventType));
  const pattern = types.some((type) => type.includes('*'));
  if (events.entries.length > 0 && without.length === events.entries.length) {
    const message = `${without.length > 1 ? `none of ${names} says` : `${names} does not say`} which ${level} it is about`;
    // Others may come of which that is not known.
    if (events.open || pattern) report.warning(at, 'ENTITY_IN_NO_TYPE', message, mendOfLevel(events));
    else report.error(at, 'ENTITY_IN_NO_TYPE', message, mendOfLevel(events));
  } else if (without.length > 0 && !pattern) {
    report.warning(
      at,
      'ENTITY_NOT_IN_ALL_TYPES',
      `${names}: events that do not say which ${level} they are about, so that there "${key}" does nothing`,
      'Write a rule for each event type, or use what all of them have.',
    );
  } else if (events.open && types.length > 0) {
    report.warning(
      at,
      'ENTITY_NOT_IN_ALL_TYPES',
      `an event type that is not in the catalogue does not say which ${level} it is about: there "${key}" does nothing`,
      'Describe it in catalogue/<name>.event.json, with "rootEntity" and "entities".',
    );
  }
}

function mendOfLevel({ entries }: RuleEvents): string {
  const known = LEVELS.filter((level) => entries.some((entry) => hasLevel(entry, level)));
  return known.length > 0
    ? `Use ${known.map((level) => `"${level}"`).join(' or ')}, or listen to other event types.`
    : 'Listen to other event types, or say in their catalogue files which entities they name.';
}
