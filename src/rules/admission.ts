import { actionKeyOf, type NewDelivery } from '../action/delivery-store.js';
import { Brake, type BrakeCount, type BrakeGates, type BrakeHold } from './brake.js';
import { quietUntil, type WorkCalendar } from './calendar/work-calendar.js';
import type { DigestItem } from './digest-store.js';
import type { DecisionInputs } from './decide.js';
import type { BatchEvaluation } from './decision-batch.js';
import type { Evaluation, Suppression } from './evaluation-store.js';
import type { Firing } from './firing.js';
import { factAt } from './lookup-facts.js';
import type { Rule, RuleSet } from './rule-set.js';
import { gateNameOf } from './shadow.js';
import type { CompiledSilence, SilenceSubject } from './silence.js';

/** What the gates know. Recorded in what comes out of them: each cause names what it was. */
export interface Gates {
  /** Action keys that exist. */
  readonly sent: ReadonlySet<string>;
  /** By `onceKeyOf`: the rule has fired for it. */
  readonly once: ReadonlySet<string>;
  readonly silences: readonly CompiledSilence[];
  /** By `throttleKeyOf`: when it fired within its period, ms, the earliest first. */
  readonly throttles: ReadonlyMap<string, readonly number[]>;
  /** What the brakes have let through. */
  readonly brakes: BrakeGates;
}

export interface AdmissionContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of rules that name none. */
  readonly timezone: string;
  readonly calendar: string | null;
  readonly calendars: ReadonlyMap<string, WorkCalendar>;
}

export interface AdmittedDelivery {
  readonly delivery: NewDelivery;
  readonly eventId: string;
  readonly occasion: string;
  /** Deferred by quiet hours until then, in ms; null: it may go at once. */
  readonly dueAt: number | null;
}

/** What a rule in shadow mode would send. */
export interface ShadowDelivery extends AdmittedDelivery {
  /** The rule that it is compared with; null: none. */
  readonly shadowOf: string | null;
}

/** A cause, and the evaluation that it belongs to. */
export interface AdmittedSuppression {
  readonly eventId: string;
  readonly occasion: string;
  readonly suppression: Suppression;
}

/** How many actions a firing asked for, and the evaluation that it belongs to. */
export interface AskedActions {
  readonly eventId: string;
  readonly occasion: string;
  readonly rule: string;
  readonly count: number;
}

export interface Admission {
  /** One for each firing. Their sum is that of the deliveries and the suppressions. */
  readonly asked: readonly AskedActions[];
  readonly deliveries: readonly AdmittedDelivery[];
  /** Of rules in shadow mode, beside the items of their digests: to be recorded. Each has a suppression too. */
  readonly shadows: readonly ShadowDelivery[];
  readonly items: readonly DigestItem[];
  readonly suppressions: readonly AdmittedSuppression[];
  readonly once: readonly OnceKey[];
  /** What was admitted through each throttle: to be added to its hits. */
  readonly hits: readonly ThrottleHit[];
  /** What the brakes have let through, and what they hold. */
  readonly counts: readonly BrakeCount[];
  readonly holds: readonly BrakeHold[];
}

export interface OnceKey {
  readonly entity: string;
  readonly subject: string;
  readonly rule: string;
  readonly eventId: string;
}

export interface ThrottleHit {
  readonly rule: string;
  readonly key: string;
  readonly at: number;
  /** How many are kept, and for how long (ms). */
  readonly max: number;
  readonly perMs: number;
}

/**
 * From what matched to what is sent, in this order and each with exactly one cause: when, already-sent, once-per, silence,
 * throttle, quiet hours that drop; then the brakes, which hold for a person, and quiet hours and the digest, which put
 * off. Firings are admitted in their order: an earlier one uses
 * up what a later one of the same batch then finds used up. A rule in shadow mode goes through gates of its own; what
 * they would let through has the cause shadow. Pure.
 */
export function admit(firings: readonly Firing[], gates: Gates, context: AdmissionContext): Admission {
  return new Admitter(gates, context).admit(firings);
}

class Admitter {
  private readonly asked: AskedActions[] = [];
  private readonly deliveries: AdmittedDelivery[] = [];
  private readonly shadows: ShadowDelivery[] = [];
  private readonly items: DigestItem[] = [];
  private readonly suppressions: AdmittedSuppression[] = [];
  private readonly onceKeys: OnceKey[] = [];
  private readonly hits: ThrottleHit[] = [];
  private readonly sent: Set<string>;
  private readonly once: Set<string>;
  private readonly throttles = new Map<string, number[]>();
  private readonly brake: Brake;

  constructor(
    private readonly gates: Gates,
    private readonly context: AdmissionContext,
  ) {
    this.sent = new Set(gates.sent);
    this.once = new Set(gates.once);
    this.brake = new Brake(gates.brakes);
  }

  admit(firings: readonly Firing[]): Admission {
    for (const firing of firings) this.admitOne(firing);
    const { asked, deliveries, shadows, items, suppressions, onceKeys: once, hits } = this;
    const { counts, holds } = this.brake;
    return { asked, deliveries, shadows, items, suppressions, once, hits, counts, holds };
  }

  private admitOne(firing: Firing): void {
    this.asked.push(...askedOf(firing));
    for (const { action, by } of firing.withheld) this.suppress(firing, [action], { cause: 'when', by });
    const fresh = this.notSent(firing);
    if (fresh.length === 0) return;
    const { rule, eventId } = firing;
    const onceKey = onceKeyOf(firing);
    if (onceKey !== null && this.once.has(onceKey)) {
      this.suppress(firing, fresh, { cause: 'once-per', by: firing.subject });
      return;
    }
    const open = this.notSilenced(firing, fresh);
    if (open.length === 0) return;
    const { throttle } = rule;
    if (throttle) {
      const key = throttleKeyOf(firing);
      const hits = this.hitsOf(key);
      if (hits.length >= throttle.max) {
        this.suppress(firing, open, { cause: 'throttle', by: keyOf(rule, throttle.key, firing) });
        return;
      }
      hits.push(this.context.now);
      this.hits.push({
        rule: gateNameOf(rule),
        key: keyOf(rule, throttle.key, firing),
        at: this.context.now,
        max: throttle.max,
        perMs: throttle.perMs,
      });
    }
    const quiet = this.quiet(rule);
    if (quiet !== null && rule.quietHours?.then === 'drop') {
      this.suppress(firing, open, { cause: 'quiet-hours', by: new Date(quiet).toISOString() });
      return;
    }
    // Only what really goes out counts as having fired.
    if (onceKey !== null && firing.subject !== null) {
      this.once.add(onceKey);
      this.onceKeys.push({ entity: firing.entity, subject: firing.subject, rule: gateNameOf(rule), eventId });
    }
    this.send(firing, open, rule.quietHours?.then === 'defer' ? quiet : null);
  }

  /** The names of the actions that are not in the ledger of effects yet. */
  private notSent(firing: Firing): string[] {
    const fresh: string[] = [];
    for (const delivery of firing.deliveries) {
      const key = actionKeyOf(delivery);
      if (this.sent.has(key)) this.suppress(firing, [delivery.action], { cause: 'already-sent', by: null });
      else {
        this.sent.add(key);
        fresh.push(delivery.action);
      }
    }
    for (const { action } of firing.items) {
      const key = itemKeyOf(firing, action);
      if (this.sent.has(key)) this.suppress(firing, [action], { cause: 'already-sent', by: null });
      else {
        this.sent.add(key);
        fresh.push(action);
      }
    }
    return fresh;
  }

  private notSilenced(firing: Firing, actions: readonly string[]): string[] {
    const { rule, facts } = firing;
    return actions.filter((action) => {
      const about: SilenceSubject = { rule: rule.name, owner: rule.owner, action, facts };
      // What is silenced for the rule that one is to take the place of is silenced for it too.
      const twin =
        rule.mode === 'shadow' && rule.shadowOf !== null ? { ...about, rule: rule.shadowOf } : about;
      const { now } = this.context;
      const silence = this.gates.silences.find((one) => one.silences(about, now) || one.silences(twin, now));
      if (silence) this.suppress(firing, [action], { cause: 'silence', by: silence.id });
      return !silence;
    });
  }

  private hitsOf(key: string): number[] {
    let hits = this.throttles.get(key);
    if (!hits) this.throttles.set(key, (hits = [...(this.gates.throttles.get(key) ?? [])]));
    return hits;
  }

  private quiet({ quietHours, calendar, timezone }: Rule): number | null {
    if (!quietHours || quietHours.then === 'send') return null;
    const { now, calendars } = this.context;
    const name = quietHours.calendar ?? calendar ?? this.context.calendar;
    return quietUntil(now, quietHours, {
      calendar: name === null ? null : (calendars.get(name) ?? null),
      timezone: quietHours.timezone ?? timezone ?? this.context.timezone,
    });
  }

  private send(firing: Firing, actions: readonly string[], dueAt: number | null): void {
    const { rule, eventId, occasion, entity, cause } = firing;
    for (const delivery of firing.deliveries) {
      if (!actions.includes(delivery.action)) continue;
      // What could not even be rendered waits for nothing, and what is held for no hour but a person.
      const held = delivery.state === 'pending' ? this.brake.hold(rule) : null;
      const admitted: AdmittedDelivery = {
        delivery: held ? { ...delivery, ...held, state: 'held' } : delivery,
        eventId,
        occasion,
        dueAt: delivery.state === 'dead' || held ? null : dueAt,
      };
      if (rule.mode === 'live') this.deliveries.push(admitted);
      else {
        this.shadows.push({ ...admitted, shadowOf: rule.shadowOf });
        this.suppress(firing, [delivery.action], { cause: 'shadow', by: null });
      }
    }
    const { digest } = rule;
    if (!digest) return;
    for (const { action, kind, item } of firing.items) {
      if (!actions.includes(action)) continue;
      const key = keyOf(rule, digest.key, firing);
      const { now } = this.context;
      this.items.push({
        rule: gateNameOf(rule),
        ...(rule.mode === 'shadow' ? { shadowOf: rule.shadowOf } : {}),
        action,
        kind,
        key,
        dueAt: Math.max(now + (digest.windowMs ?? 0), dueAt ?? 0),
        eventId,
        occasion,
        entity,
        cause,
        item,
      });
      if (rule.mode === 'live') this.suppress(firing, [action], { cause: 'digest', by: key });
      else this.suppress(firing, [action], { cause: 'shadow', by: null });
    }
  }

  private suppress(
    { rule, step, eventId, occasion }: Firing,
    actions: readonly string[],
    { cause, by }: Pick<Suppression, 'cause'> & { readonly by: string | null },
  ): void {
    for (const action of actions) {
      const suppression = { rule: rule.name, action, ...(step === null ? {} : { step }), cause };
      this.suppressions.push({
        eventId,
        occasion,
        suppression: by === null ? suppression : { ...suppression, by },
      });
    }
  }
}

/**
 * The evaluations as the ledger keeps them: with what was asked for, the cause of each action that was not sent, and with the facts of the
 * state only where a rule or a silence has read them. `again`: deliveries that turned out to exist when they were
 * written.
 */
export function withSuppressions(
  { hash, stateReads }: Pick<RuleSet, 'hash' | 'stateReads'>,
  evaluations: readonly BatchEvaluation[],
  { asked, suppressions }: Pick<Admission, 'asked' | 'suppressions'>,
  again: readonly AdmittedDelivery[],
): Evaluation[] {
  const causes = new Map<string, Suppression[]>();
  const note = (eventId: string, occasion: string, suppression: Suppression): void => {
    const key = `${eventId} ${occasion}`;
    const known = causes.get(key);
    if (known) known.push(suppression);
    else causes.set(key, [suppression]);
  };
  for (const { eventId, occasion, suppression } of suppressions) note(eventId, occasion, suppression);
  for (const { delivery, eventId, occasion } of again)
    note(eventId, occasion, { rule: delivery.rule, action: delivery.action, cause: 'already-sent' });
  const sums = new Map<string, Map<string, number>>();
  for (const { eventId, occasion, rule, count } of asked) {
    const key = `${eventId} ${occasion}`;
    let sum = sums.get(key);
    if (!sum) sums.set(key, (sum = new Map<string, number>()));
    sum.set(rule, (sum.get(rule) ?? 0) + count);
  }
  return evaluations.map(({ eventId, occasion, verdicts, inputs }) => {
    const suppressed = causes.get(`${eventId} ${occasion}`) ?? [];
    const silenced = suppressed.some(({ cause }) => cause === 'silence');
    const sum = sums.get(`${eventId} ${occasion}`);
    return {
      eventId,
      occasion,
      ruleSet: hash,
      verdicts: [...verdicts, ...suppressed],
      inputs: silenced ? inputs : withState(inputs, stateReads),
      asked: sum ? Object.fromEntries(sum) : null,
    };
  });
}

/** Of the facts of the state those that somebody reads. */
function withState({ state = {}, ...inputs }: DecisionInputs, reads: ReadonlySet<string>): DecisionInputs {
  const read = Object.entries(state).filter(([name]) => reads.has(name));
  return read.length === 0 ? inputs : { ...inputs, state: Object.fromEntries(read) };
}

/** How many actions a firing asks for; none of one that asks for nothing. */
export function askedOf({ rule, eventId, occasion, deliveries, items, withheld }: Firing): AskedActions[] {
  const count = deliveries.length + items.length + withheld.length;
  return count > 0 ? [{ eventId, occasion, rule: rule.name, count }] : [];
}

/** A text that is the same for all firings of which a rule with `oncePer` may send one; null: it has none. */
export function onceKeyOf({ rule, step, entity, subject }: Firing): string | null {
  // A ladder is armed once and has its own steps: it is not what "once" is about.
  if (rule.oncePer === 'event' || subject === null || step !== null) return null;
  return JSON.stringify([entity, subject, gateNameOf(rule)]);
}

/** A text that is the same for all firings that share a throttle. */
export function throttleKeyOf(firing: Firing): string {
  const { rule } = firing;
  return JSON.stringify([gateNameOf(rule), keyOf(rule, rule.throttle?.key ?? null, firing)]);
}

/** What stands for an item of a digest as an action key does for a delivery. */
export function itemKeyOf(firing: Firing, action: string): string {
  const { rule, entity, cause } = firing;
  return actionKeyOf({ rule: gateNameOf(rule), action, entity, cause, generation: 0 });
}

const MAX_KEY = 500;

/** The value of a key that a rule names: a fact, or its owner. Empty when there is none. */
export function keyOf(rule: Rule, key: string | null, { facts }: Pick<Firing, 'facts'>): string {
  if (key === null) return '';
  const value = key === 'owner' ? rule.owner : factAt(facts, key);
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  // A key of an index; U+0000 no database takes in a text.
  return text.replaceAll('\u0000', '').slice(0, MAX_KEY);
}
