import type { StoredEvent } from '../../events/event-store.js';
import { type Change, compareDeliveries } from './compared-deliveries.js';
import type { JudgedEvent, JudgedRule } from './judged-event.js';
import { shortLeaf } from './short-leaf.js';
import { noStandings, standingOf, type Standings } from './standings.js';
import type { ToldEvent, ToldRule, TrialAnswer, TriedRule, TriedVerdict } from './trial.js';

/** Of one event so many rules are told, of a rule so many leaves, of a trial so many rules. */
const MOST_RULES_OF_EVENT = 20;
const MOST_LEAVES = 5;
const MOST_RULES = 200;
/** In characters of JSON: what is told of single events. */
const MOST_TOLD = 4 * 1024 * 1024;

/** Counts what a trial finds, and tells of each event as long as there is room. */
export class TrialTally {
  private readonly counts = new Map<string, { readonly now: Standings; readonly before: Standings }>();
  private readonly deliveries = { same: 0, added: 0, removed: 0, changed: 0 };
  private readonly events: ToldEvent[] = [];
  private looked = 0;
  private left = 0;
  private told = 0;
  private untold = 0;
  private from: Date | null = null;
  private until: Date | null = null;

  constructor(private readonly rules: readonly { readonly name: string; readonly change: Change }[]) {
    for (const { name } of rules) this.counts.set(name, { now: noStandings(), before: noStandings() });
  }

  leave(count: number): void {
    this.left += count;
  }

  /** The latest event first. */
  add(event: StoredEvent, now: JudgedEvent, before: JudgedEvent): void {
    this.looked += 1;
    this.until ??= event.receivedAt;
    this.from = event.receivedAt;
    for (const one of now.rules) this.count('now', one);
    for (const one of before.rules) this.count('before', one);
    const deliveries = compareDeliveries(now.matches, before.matches);
    for (const { change } of deliveries) this.deliveries[change] += 1;
    if (this.told >= MOST_TOLD) {
      this.untold += 1;
      return;
    }
    const told = tellEvent(event, now, before, deliveries);
    this.told += JSON.stringify(told).length;
    if (this.told < MOST_TOLD || this.events.length === 0) this.events.push(told);
    else this.untold += 1;
  }

  answer(outcome: Pick<TrialAnswer, 'ruleSet' | 'ok' | 'findings'>): TrialAnswer {
    const { deliveries, looked, left, untold, events } = this;
    return {
      ...outcome,
      rules: this.ruleTable(),
      deliveries,
      looked,
      left,
      untold,
      from: this.from?.toISOString() ?? null,
      until: this.until?.toISOString() ?? null,
      events,
    };
  }

  private count(side: 'now' | 'before', judged: JudgedRule): void {
    const counts = this.counts.get(judged.rule);
    if (counts) counts[side][standingOf(judged)] += 1;
  }

  /** Those that have changed first; within these in the order of the rule set. */
  private ruleTable(): TriedRule[] {
    const all = this.rules.map(({ name, change }): TriedRule => ({
      name,
      change,
      ...(this.counts.get(name) ?? { now: noStandings(), before: noStandings() }),
    }));
    const isOther = ({ change, now, before }: TriedRule): boolean =>
      change !== 'same' || JSON.stringify(now) !== JSON.stringify(before);
    return [...all.filter(isOther), ...all.filter((one) => !isOther(one))].slice(0, MOST_RULES);
  }
}

function tellEvent(
  { id, eventId, eventType, receivedAt, rootEntity }: StoredEvent,
  now: JudgedEvent,
  before: JudgedEvent,
  deliveries: ToldEvent['deliveries'],
): ToldEvent {
  const earlier = new Map(before.rules.map((one) => [one.rule, one]));
  const names = new Set(now.rules.map(({ rule }) => rule));
  const pairs: Pair[] = [
    ...now.rules.map((one) => ({ rule: one.rule, now: one, before: earlier.get(one.rule) ?? null })),
    ...before.rules.flatMap((one) => (names.has(one.rule) ? [] : { rule: one.rule, now: null, before: one })),
  ];
  const rules = pairs.sort((a, b) => weightOf(a) - weightOf(b)).slice(0, MOST_RULES_OF_EVENT);
  return {
    id,
    eventId,
    eventType,
    receivedAt: receivedAt.toISOString(),
    rootEntity,
    rules: rules.map(tellRule),
    moreRules: pairs.length - rules.length,
    deliveries,
    timers: now.timers.map(({ rule, subject, next }) => ({
      rule,
      subject,
      step: next.step.name,
      dueAt: new Date(next.dueAt).toISOString(),
    })),
  };
}

interface Pair {
  readonly rule: string;
  readonly now: JudgedRule | null;
  readonly before: JudgedRule | null;
}

const verdictOf = (judged: JudgedRule | null): TriedVerdict => judged?.verdict.verdict ?? 'not listening';

/** What has changed tells most, then what matched, nearly matched, or could not be told. */
function weightOf({ now, before }: Pair): number {
  if (verdictOf(now) !== verdictOf(before)) return 0;
  const standing = now ? standingOf(now) : 'notMatched';
  return ['matched', 'nearMiss', 'error', 'unknown', 'notMatched', 'skipped'].indexOf(standing) + 1;
}

function tellRule({ rule, now, before }: Pair): ToldRule {
  return {
    rule,
    now: verdictOf(now),
    before: verdictOf(before),
    nearMiss: now?.nearMiss ?? false,
    failing: now?.failing().slice(0, MOST_LEAVES).map(shortLeaf) ?? [],
    missing: now?.missing ?? [],
    error: now?.verdict.verdict === 'error' ? now.verdict.error : null,
  };
}
