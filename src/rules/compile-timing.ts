import { createHash } from 'node:crypto';
import type { ActionDocument } from '../action/action-document.js';
import { parseTemplate } from '../action/template.js';
import { parseDuration } from '../config/duration.js';
import type { CalendarDocument } from './calendar/calendar-document.js';
import type { WorkCalendar } from './calendar/work-calendar.js';
import { parseRuleDuration } from './calendar/work-duration.js';
import type { CompiledConditions } from './compiled-conditions.js';
import type { ConditionDocument } from './condition-document.js';
import { parseHours } from './quiet-hours.js';
import type { RuleAction } from './rule-action.js';
import type {
  DigestDocument,
  EscalateDocument,
  EscalationStepDocument,
  QuietHoursDocument,
  RuleDocument,
  ScheduleDocument,
  ThrottleDocument,
} from './rule-document.js';
import { RuleSetError } from './rules.errors.js';
import type {
  Digest,
  Escalation,
  EscalationStep,
  QuietHours,
  RuleTiming,
  Schedule,
  Throttle,
} from './rule-timing.js';

/** How long an "unknown" may be settled, of rules that do not say. */
const SETTLE_MS = 86_400_000;

/** What the parts of a rule are compiled with. */
export interface TimingTools {
  actions(documents: readonly ActionDocument[]): readonly RuleAction[];
  /** What `cancelOn` holds. */
  conditions(document: ConditionDocument): CompiledConditions;
  /** By name. */
  readonly calendars: ReadonlyMap<string, WorkCalendar>;
}

/**
 * What a sound rule says about state and time, compiled; but for the clock's facts, which its conditions read.
 *
 * @throws RuleSetError when a value cannot be read: the check would have said so
 */
export function compileTiming(
  document: RuleDocument,
  tools: TimingTools,
): Omit<RuleTiming, 'readsClock' | 'stateReads'> {
  const { throttle, budget, digest, quietHours, schedule, escalate } = document;
  const shared = placeOf(document);
  return {
    oncePer: document.oncePer ?? 'event',
    settleMs: document.settle === undefined ? SETTLE_MS : msOf(document.settle, document),
    throttle: throttle ? throttleOf(throttle, document) : null,
    budget: budget ? { max: budget.max, perMs: msOf(budget.per, document) } : null,
    digest: digest ? digestOf(digest, document) : null,
    quietHours: quietHours ? quietHoursOf(quietHours, document, shared) : null,
    schedule: schedule ? scheduleOf(schedule, document, shared, tools) : null,
    escalation: escalate ? escalationOf(escalate, document, shared, tools) : null,
    ...shared,
  };
}

function throttleOf({ max, per, key }: ThrottleDocument, rule: RuleDocument): Throttle {
  return { max, perMs: msOf(per, rule), key: key ?? null };
}

function digestOf({ window, key, item }: DigestDocument, rule: RuleDocument): Digest {
  return {
    windowMs: window === undefined ? null : msOf(window, rule),
    key: key ?? null,
    item: item === undefined ? null : parseTemplate(item),
  };
}

function quietHoursOf(
  { outside, then, ...own }: QuietHoursDocument,
  rule: RuleDocument,
  shared: Place,
): QuietHours {
  return {
    ...(parseHours(outside) ?? unreadable(rule, outside)),
    then,
    ...placed(own, shared),
  };
}

function scheduleOf(
  { schedule, over, ...own }: ScheduleDocument,
  rule: RuleDocument,
  shared: Place,
  { calendars }: TimingTools,
): Schedule {
  // A calendar of quiet hours alone does not take turns away.
  const calendar = own.calendar ?? rule.calendar ?? null;
  const { timezone } = placed(own, shared);
  const workdays = calendar === null ? null : contentOf(calendar, calendars);
  return {
    cron: schedule,
    over,
    calendar,
    timezone,
    plan: fingerprint([schedule, over, workdays, timezone]),
  };
}

function escalationOf(
  document: EscalateDocument,
  rule: RuleDocument,
  shared: Place,
  tools: TimingTools,
): Escalation {
  const { per, cancelOn, confirm } = document;
  const { calendar, timezone } = placed(document, shared);
  const steps = document.steps.map((step) => stepOf(step, rule, tools));
  const works = steps.some(({ after }) => after.kind !== 'time');
  // What the installation's default calendar is nobody knows here: with it any of them may count.
  const worked = calendar === null ? contentOfAll(tools.calendars) : contentOf(calendar, tools.calendars);
  const timed = document.steps.map(({ name, after }) => [name ?? after, after]);
  return {
    per,
    calendar,
    timezone,
    steps,
    cancelOn: cancelOn ? tools.conditions(cancelOn) : null,
    confirm: confirm ?? false,
    plan: fingerprint([per, timed, ...(works ? [worked, timezone] : [])]),
  };
}

function stepOf(
  { name, after, actions }: EscalationStepDocument,
  rule: RuleDocument,
  tools: TimingTools,
): EscalationStep {
  return {
    name: name ?? after,
    after: parseRuleDuration(after) ?? unreadable(rule, after),
    actions: tools.actions(actions),
  };
}

/** By whose calendar and clock something is counted; null: by the installation's. */
type Place = Pick<RuleTiming, 'calendar' | 'timezone'>;

/** Of a rule: its own, else what the first of its parts names that names one. */
function placeOf({ calendar, timezone, schedule, escalate, quietHours }: RuleDocument): Place {
  const parts = [schedule, escalate, quietHours];
  return {
    calendar: calendar ?? parts.find((part) => part?.calendar !== undefined)?.calendar ?? null,
    timezone: timezone ?? parts.find((part) => part?.timezone !== undefined)?.timezone ?? null,
  };
}

/** Of a part: its own, else the rule's. */
function placed(own: { readonly calendar?: string; readonly timezone?: string }, shared: Place): Place {
  return { calendar: own.calendar ?? shared.calendar, timezone: own.timezone ?? shared.timezone };
}

/** Calendars are long, and many rules name the same one. */
const PRINTS = new WeakMap<CalendarDocument, string>();

function contentOf(name: string, calendars: ReadonlyMap<string, WorkCalendar>): string {
  const document = calendars.get(name)?.document;
  if (!document) return name;
  const known = PRINTS.get(document);
  if (known !== undefined) return known;
  const print = fingerprint(document);
  PRINTS.set(document, print);
  return print;
}

function contentOfAll(calendars: ReadonlyMap<string, WorkCalendar>): readonly string[] {
  return [...calendars.keys()].sort().map((name) => contentOf(name, calendars));
}

function fingerprint(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}

function msOf(duration: string, rule: RuleDocument): number {
  return parseDuration(duration) ?? unreadable(rule, duration);
}

function unreadable({ name }: RuleDocument, text: string): never {
  throw new RuleSetError('RULE_SET_UNREADABLE', `rule "${name}": cannot read ${JSON.stringify(text)}`);
}
