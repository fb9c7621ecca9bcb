import { matchesPattern } from '../events/catalogue.js';
import { type CompiledConditions, compileConditions, type Facts } from './compiled-conditions.js';
import type { ConditionDocument } from './condition-document.js';
import { buildTree } from './condition-tree.js';
import { ConditionError, type TimeFormat } from './operators.js';

/** What a silence is about: every part that is given must fit. One without parts fits nothing. Plain JSON. */
export interface SilenceMatcher {
  /** A rule's name, or a pattern like `payroll-*`. */
  readonly rule?: string;
  readonly action?: string;
  readonly owner?: string;
  /** Without named conditions: those come and go with rule sets, and a silence does not. */
  readonly conditions?: ConditionDocument;
}

/** Somebody does not want some deliveries for a time. Times in milliseconds since 1970. */
export interface Silence {
  readonly id: string;
  readonly matcher: SilenceMatcher;
  /** In force from then on … */
  readonly startsAt: number;
  /** … and until just before then. */
  readonly endsAt: number;
  readonly author: string;
  readonly reason: string;
}

/** One delivery that is about to be made. */
export interface SilenceSubject {
  readonly rule: string;
  /** Of the rule. */
  readonly owner: string | null;
  readonly action: string;
  /** Of the event, its state and the look-ups. */
  readonly facts: Facts;
}

/** How an event type writes the times of a place. */
export type EventTimeFormat = (eventType: string, fact: string, path: readonly string[] | null) => TimeFormat;

/** Whether a silence is about a rule by its name and owner; one that names neither is about none in particular. */
export function concerns(
  { rule, owner }: SilenceMatcher,
  { name, owner: owned }: { readonly name: string; readonly owner: string | null },
): boolean {
  if (rule === undefined && owner === undefined) return false;
  return (rule === undefined || matchesPattern(rule, name)) && (owner === undefined || owner === owned);
}

/** Event types come from outside: so many are kept. */
const MOST_TYPES = 200;

/** A silence that can be asked. Pure. */
export class CompiledSilence {
  /** By event type, which says how times are written. */
  private readonly conditions = new Map<string, CompiledConditions>();

  constructor(
    readonly silence: Silence,
    private readonly formatOf: EventTimeFormat = () => 'date-time',
  ) {}

  get id(): string {
    return this.silence.id;
  }

  /**
   * Whether it keeps a delivery back at `now` (ms). When its conditions cannot be decided, because a fact is missing or
   * of the wrong kind, it does not: what nobody surely meant to silence is sent.
   */
  silences({ rule, owner, action, facts }: SilenceSubject, now: number): boolean {
    const { matcher, startsAt, endsAt } = this.silence;
    if (now < startsAt || now >= endsAt) return false;
    if (Object.values(matcher).every((part) => part === undefined)) return false;
    return (
      (matcher.rule === undefined || matchesPattern(matcher.rule, rule)) &&
      (matcher.action === undefined || matcher.action === action) &&
      (matcher.owner === undefined || matcher.owner === owner) &&
      (matcher.conditions === undefined || this.holds(matcher.conditions, facts, now))
    );
  }

  private holds(document: ConditionDocument, facts: Facts, now: number): boolean {
    try {
      return this.compiledFor(document, facts.get('event_type')).evaluate(facts, { now }) === 'yes';
    } catch (error) {
      if (error instanceof ConditionError) return false;
      throw error;
    }
  }

  private compiledFor(document: ConditionDocument, type: unknown): CompiledConditions {
    const eventType = typeof type === 'string' ? type : '';
    const known = this.conditions.get(eventType);
    if (known) return known;
    const tree = buildTree(document, new Map(), (fact, path) => this.formatOf(eventType, fact, path));
    const compiled = compileConditions(tree);
    if (this.conditions.size >= MOST_TYPES) this.conditions.clear();
    this.conditions.set(eventType, compiled);
    return compiled;
  }
}
