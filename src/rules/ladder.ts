import { addDuration } from './calendar/work-calendar.js';
import type { Outcome } from './compiled-conditions.js';
import type { RuleSet, Rule } from './rule-set.js';
import type { Escalation, EscalationStep } from './rule-timing.js';
import type { EventPlace, Level, RootState } from './state/root-state.js';
import { hasEnded } from './state/phases.js';

/** A ladder of steps that stands for a task, node or process: armed, or with all steps sent and not yet cancelled. */
export interface Ladder {
  readonly id: string;
  readonly rule: string;
  readonly per: Level;
  /** `task:123`, within the root entity. */
  readonly subject: string;
  /** The root entity. */
  readonly entity: string;
  readonly state: 'armed' | 'asking' | 'fetching' | 'finished';
  /** The event that armed it: stored id and key. */
  readonly eventId: string;
  readonly cause: string;
  /** Its create time, ms, from which the steps count. */
  readonly baseTime: number;
  /** Who satisfied the conditions when they were seen last (`task:123`), and the stored event that said so. */
  readonly holders: Readonly<Record<string, string>>;
  /** Names of the steps that were sent. */
  readonly sent: readonly string[];
}

/** Why a ladder ended before its last step. */
export type CancelCause =
  | 'CONDITIONS_FALSE'
  | 'CANCEL_ON'
  | 'PROCESS_ENDED'
  | 'RULE_GONE'
  | 'RULE_OFF'
  | 'NOT_PENDING'
  | 'KEYS_DISAGREE'
  | 'CALENDAR_MISSING'
  | 'FAILED'
  | 'CANCELLED_BY_PERSON';

/** What a decision does to ladders. */
export type LadderChange =
  | {
      readonly kind: 'arm';
      readonly rule: string;
      readonly per: Level;
      readonly subject: string;
      readonly baseTime: number;
      readonly holder: string;
      readonly next: NextStep;
      readonly plan: string;
    }
  | { readonly kind: 'hold'; readonly ladder: Ladder; readonly holders: Ladder['holders'] }
  | { readonly kind: 'cancel'; readonly ladder: Ladder; readonly cause: CancelCause };

export interface NextStep {
  readonly step: EscalationStep;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

/** The last one that a Date can hold: what is due later is never due. */
const LAST_MOMENT = 8.64e15;

/** What is defaulted by the installation. */
export interface TimeDefaults {
  readonly timezone: string;
  /** Name of the work calendar; null: none. */
  readonly calendar: string | null;
}

/**
 * The next step of a ladder by the rule as it is now: of those that were not sent, the one that is due first. Null:
 * all are sent.
 *
 * @throws CalendarMissingError when working time is counted and there is no calendar
 */
export function nextStep(
  rule: Rule,
  escalation: Escalation,
  of: Pick<Ladder, 'baseTime' | 'sent'>,
  ruleSet: Pick<RuleSet, 'calendars'>,
  defaults: TimeDefaults,
): NextStep | null {
  const name = escalation.calendar ?? rule.calendar ?? defaults.calendar;
  const calendar = name === null ? null : (ruleSet.calendars.get(name) ?? null);
  const timezone = escalation.timezone ?? rule.timezone ?? defaults.timezone;
  let next: NextStep | null = null;
  for (const step of escalation.steps) {
    if (of.sent.includes(step.name)) continue;
    const dueAt = Math.min(addDuration(of.baseTime, step.after, { calendar, timezone }), LAST_MOMENT);
    if (next === null || dueAt < next.dueAt) next = { step, dueAt };
  }
  return next;
}

/** An event that is not late, as the ladders of its root entity see it. */
export interface LadderEvent {
  /** Stored id. */
  readonly id: string;
  readonly place: EventPlace;
  /** With this event in it. */
  readonly state: RootState;
  /** Create time, ms. */
  readonly orderTime: number;
  /** How the conditions of a rule came out; null: the rule does not listen to it, or is off. */
  readonly outcomeOf: (rule: Rule) => Outcome | null;
  /** Whether `cancelOn` holds, read from where the ladder stands. */
  readonly cancels: (escalation: Escalation, rule: Rule, place: EventPlace) => boolean;
}

/**
 * What an event does to the ladders that stand: cancelled by the end of the process, by `cancelOn`, or when nobody is
 * left who satisfies the conditions. "Unknown" changes nothing. Pure.
 */
export function laddersAfter(
  standing: readonly Ladder[],
  ruleOf: (name: string) => Rule | undefined,
  event: LadderEvent,
): LadderChange[] {
  const ended = hasEnded(event.state);
  return standing.flatMap((ladder): LadderChange | [] => {
    const cancel = (cause: CancelCause): LadderChange => ({ kind: 'cancel', ladder, cause });
    if (ended) return cancel('PROCESS_ENDED');
    const rule = ruleOf(ladder.rule);
    if (!rule?.escalation) return [];
    const place = placeOfLadder(ladder, event);
    if (!place) return [];
    if (rule.escalation.cancelOn && event.cancels(rule.escalation, rule, place)) return cancel('CANCEL_ON');
    const holder = holderOf(ladder.per, event.place);
    if (holder === null) return [];
    const outcome = event.outcomeOf(rule);
    if (outcome === null || outcome === 'unknown') return [];
    if (outcome === 'yes')
      return { kind: 'hold', ladder, holders: { ...ladder.holders, [holder]: event.id } };
    if (!Object.hasOwn(ladder.holders, holder)) return [];
    const holders = Object.fromEntries(Object.entries(ladder.holders).filter(([name]) => name !== holder));
    return Object.keys(holders).length === 0 ? cancel('CONDITIONS_FALSE') : { kind: 'hold', ladder, holders };
  });
}

/**
 * The ladder that a match arms; null: none, because the process has ended or the event names no such entity.
 *
 * @throws CalendarMissingError
 */
export function armedBy(
  rule: Rule,
  escalation: Escalation,
  { place, state, orderTime }: Pick<LadderEvent, 'place' | 'state' | 'orderTime'>,
  ruleSet: Pick<RuleSet, 'calendars'>,
  defaults: TimeDefaults,
): Extract<LadderChange, { kind: 'arm' }> | null {
  const { per, plan } = escalation;
  const subject = subjectAt(per, place);
  const holder = holderOf(per, place);
  if (subject === null || holder === null || hasEnded(state)) return null;
  const next = nextStep(rule, escalation, { baseTime: orderTime, sent: [] }, ruleSet, defaults);
  return next && { kind: 'arm', rule: rule.name, per, subject, baseTime: orderTime, holder, next, plan };
}

/** `task:123` of an event, by kind; null: the event names none. */
export function subjectAt(level: Level, place: EventPlace): string | null {
  const id = place[level];
  return id === null ? null : `${level}:${id}`;
}

/** The most particular entity of an event that a ladder counts: the task itself, or what it says nothing finer of. */
function holderOf(per: Level, place: EventPlace): string | null {
  const task = subjectAt('task', place);
  if (per === 'task' || task !== null) return task;
  return subjectAt('node', place) ?? (per === 'process' ? subjectAt('process', place) : null);
}

/** Where the ladder stands, when the event is about it or about what it belongs to or consists of; null: it is not. */
function placeOfLadder({ per, subject }: Ladder, { place, state }: LadderEvent): EventPlace | null {
  const id = subject.slice(per.length + 1);
  if (per === 'process') return place;
  if (per === 'node') {
    const about = place.node === id || (place.node === null && place.task === null);
    return about ? { ...place, node: id } : null;
  }
  const node = (Object.hasOwn(state.tasks, id) ? state.tasks[id]?.node : null) ?? null;
  const about =
    place.task === id ||
    (place.task === null && (place.node === null || (node !== null && place.node === node)));
  return about ? { ...place, task: id, node: place.node ?? node } : null;
}
