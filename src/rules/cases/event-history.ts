import type { Catalogue } from '../../events/catalogue.js';
import { quietUntil } from '../calendar/work-calendar.js';
import type { LookupAnswers } from '../lookup-document.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { StepDocument } from './case-document.js';
import { durationText, momentText } from './case-time.js';
import {
  laterMoments,
  liveOf,
  type RecordedEvaluation,
  type RecordedEvent,
  type RecordedMoment,
} from './recorded-event.js';
import { contentOf, type Detail, type EventContent, fieldIn, recordedStep } from './recorded-step.js';
import type { StandIns } from './stand-ins.js';

/** What was stored of an event and of those of its root entity. */
export interface EventHistory {
  /** Stored id of the event that a case is made of. */
  readonly about: string;
  /** With it; in any order. Those without a live evaluation are left out. */
  readonly events: readonly RecordedEvent[];
  /** So many events of the root entity cannot be told any more. */
  readonly gone: number;
}

/**
 * Which times the virtual clock shows: `seconds`, those at which the events happened, without their milliseconds; `created`,
 * with them; `decided`, those at which they were decided.
 */
export type ClockKind = 'seconds' | 'created' | 'decided';

interface ToldEvent {
  readonly recorded: RecordedEvent;
  readonly live: RecordedEvaluation;
  readonly content: EventContent;
}

type Happening =
  | { readonly kind: 'event'; readonly told: ToldEvent; readonly at: number }
  | { readonly kind: 'wake'; readonly moment: RecordedMoment; readonly at: number };

/** The steps of a case, and which of them is the event that it is made of. */
export interface TimelineSteps {
  readonly now: string;
  readonly startedAt: number;
  readonly steps: readonly StepDocument[];
  readonly about: number;
}

/** What happened around one event, in the order in which it was decided. */
export class Timeline {
  readonly about: ToldEvent;
  /** Up to the last thing that was decided of the event. */
  readonly events: readonly ToldEvent[];
  /** Milliseconds since 1970, by the clock of the decisions. */
  readonly end: number;
  readonly timezone: string;
  private readonly wakes: readonly RecordedMoment[];
  private readonly catalogues: readonly [Catalogue, ...Catalogue[]];
  private readonly onlyType: string | null;

  /**
   * `today`: the catalogue as it is now, for what has become personal since.
   *
   * @throws RangeError when the event has no live evaluation
   */
  constructor(
    history: EventHistory,
    private readonly ruleSet: RuleSet,
    private readonly watched: readonly Rule[],
    today: Catalogue,
  ) {
    const { catalogue } = ruleSet;
    const all = history.events
      .flatMap((recorded) => {
        const live = liveOf(recorded);
        return live ? { recorded, live, content: contentOf(recorded.event) } : [];
      })
      .sort((a, b) => byDecision(a, b, catalogue));
    const at = all.findIndex(({ recorded }) => recorded.event.id === history.about);
    const about = all[at];
    if (!about) throw new RangeError('the event was never decided');
    this.about = about;
    this.timezone = about.live.inputs.timezone;
    this.catalogues = [catalogue, today];
    const rules = new Set(watched.map(({ name }) => name));
    this.wakes = [...laterMoments(about.recorded, rules), ...this.releases(about.recorded)].sort(
      (a, b) => a.at - b.at,
    );
    this.end = Math.max(about.live.inputs.now, ...this.wakes.map((wake) => wake.at));
    this.events = all.filter(({ live }, index) => index <= at || live.inputs.now <= this.end);
    const types = new Set(watched.flatMap(({ trigger }) => trigger));
    const [only = null] = types;
    this.onlyType = types.size === 1 && only !== null && !only.includes('*') ? only : null;
  }

  /** When what a rule sent at a time (ms) goes out: at once, or at the end of its quiet hours. */
  goesOut(name: string, at: number): number {
    const rule = this.watched.find((one) => one.name === name);
    const { quietHours } = rule ?? {};
    if (!rule || quietHours?.then !== 'defer') return at;
    const { inputs } = this.about.live;
    const calendar = quietHours.calendar ?? rule.calendar ?? inputs.calendar ?? null;
    return (
      quietUntil(at, quietHours, {
        calendar: calendar === null ? null : (this.ruleSet.calendars.get(calendar) ?? null),
        timezone: quietHours.timezone ?? rule.timezone ?? inputs.timezone,
      }) ?? at
    );
  }

  /** Notes what is personal in all that a case tells. */
  teach(standIns: StandIns): void {
    for (const { content } of this.events)
      for (const [name, value] of Object.entries(content.fields))
        standIns.learn(value, { field: fieldIn(this.catalogues, content.eventType, name) });
    for (const { live } of this.events) this.eachAnswer(live.inputs.lookups ?? {}, standIns);
    for (const { lookups } of this.wakes) this.eachAnswer(lookups, standIns);
  }

  private eachAnswer(lookups: LookupAnswers, standIns: StandIns): void {
    for (const [name, answer] of Object.entries(lookups))
      if ('value' in answer) standIns.learn(answer.value, this.placeOfAnswer(name));
  }

  private placeOfAnswer(name: string) {
    return { field: this.ruleSet.lookups.get(name)?.shape.field ?? null, strangers: true };
  }

  /** `standIns` null: with what really stood there. */
  steps(clock: ClockKind, detail: Detail, standIns: StandIns | null): TimelineSteps {
    const happenings = this.happenings(clock);
    const startedAt = happenings[0]?.at ?? 0;
    const steps: StepDocument[] = [];
    let now = startedAt;
    let since = startedAt;
    let known = '{}';
    let about = 0;
    for (const one of happenings) {
      const lookups = one.kind === 'event' ? (one.told.live.inputs.lookups ?? {}) : one.moment.lookups;
      const answers = this.answersIn(lookups, standIns);
      const text = JSON.stringify(answers);
      if (text !== known && text !== '{}') {
        steps.push({ lookup: answers });
        known = text;
      }
      if (one.at > now) {
        // Of several things that are waited for one after the other, nobody need see the first.
        const before = 'advance' in (steps.at(-1) ?? {}) && steps.pop() ? since : now;
        steps.push({ advance: durationText(one.at - before) ?? momentText(one.at, this.timezone) });
        since = before;
        now = one.at;
      }
      if (one.kind === 'wake') continue;
      if (one.told === this.about) about = steps.length;
      const { onlyType, catalogues } = this;
      const { createTime } = one.told.content;
      const at = clock === 'seconds' && createTime !== null ? wholeSeconds(createTime) : null;
      steps.push(recordedStep(one.told.content, { detail, now, at, catalogues, standIns, onlyType }));
    }
    return { now: momentText(startedAt, this.timezone), startedAt, steps, about };
  }

  private happenings(clock: ClockKind): Happening[] {
    const events = this.events.map((told) => ({ kind: 'event' as const, told, at: told.live.inputs.now }));
    const wakes = this.wakes.map((moment) => ({ kind: 'wake' as const, moment, at: moment.at }));
    return [...events, ...wakes]
      .sort((a, b) => a.at - b.at || (a.kind === b.kind ? 0 : a.kind === 'event' ? -1 : 1))
      .map((one) => {
        if (clock === 'decided') return one;
        // Time that passes for what is due is told in minutes: the instant is due before it was seen to be.
        if (one.kind === 'wake') return { ...one, at: Math.ceil(one.at / 60_000) * 60_000 };
        const { createTime } = one.told.content;
        if (createTime === null) return { ...one, at: wholeSeconds(one.at) };
        return { ...one, at: clock === 'seconds' ? wholeSeconds(createTime) : createTime };
      });
  }

  private answersIn(lookups: LookupAnswers, standIns: StandIns | null): Record<string, unknown> {
    const names = Object.keys(lookups).sort();
    return Object.fromEntries(
      names.map((name) => {
        const answer = lookups[name];
        if (!answer || !('value' in answer)) return [name, null];
        return [name, standIns ? standIns.replace(answer.value, this.placeOfAnswer(name)) : answer.value];
      }),
    );
  }

  /** When what the event's rules sent goes out at the end of quiet hours. */
  private releases({ deliveries }: RecordedEvent): RecordedMoment[] {
    return deliveries.flatMap(({ rule, createdAt }) => {
      const at = createdAt.getTime();
      const until = this.goesOut(rule, at);
      return until === at ? [] : { at: until, lookups: {} };
    });
  }
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** By when they were decided; those of one moment in the order of their entity. */
function byDecision(a: ToldEvent, b: ToldEvent, catalogue: Catalogue): number {
  const rank = ({ content }: ToldEvent): number =>
    catalogue.statusRankOf(content.eventType, new Map(Object.entries(content.fields)));
  const time = ({ recorded: { event } }: ToldEvent): number =>
    (event.createTime ?? event.receivedAt).getTime();
  const id = ({ recorded }: ToldEvent): string => recorded.event.eventId;
  return (
    a.live.inputs.now - b.live.inputs.now ||
    time(a) - time(b) ||
    rank(a) - rank(b) ||
    (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0)
  );
}
