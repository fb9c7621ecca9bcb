import type { ActionDocument } from '../../action/action-document.js';
import { isObject } from '../../events/own-member.js';
import { pathsIn } from '../compiled-lookup.js';
import type { Rule } from '../rule-set.js';
import { actionsOf, type PlacedAction } from './placed-action.js';

/** An action with what it sends, to whom, as a text: equal ones send the same for the same event. */
export interface PrintedAction extends PlacedAction {
  readonly content: string;
  /** With what it asks before, and the order in which it goes out. */
  readonly whole: string;
}

/** What a rule sends, and how often and when, as texts that can be compared. */
export interface RulePrint {
  readonly actions: readonly PrintedAction[];
  /** All that its actions send, sorted. */
  readonly sends: string;
  readonly gates: string;
  /**
   * Whether what it sends for one event depends on what it has sent for others, so that a rule that matches more may
   * send less: by `oncePer`, a throttle, a brake or a digest; or later, by an escalation.
   */
  readonly counts: boolean;
}

/** Keys of an action that say nothing of what is sent, nor to whom. */
const ASIDE = new Set(['name', 'when', 'order', 'undo', 'retry', 'timeout', 'success']);

export function printOf(rule: Rule): RulePrint {
  const actions = actionsOf(rule).map((placed): PrintedAction => {
    const content = contentOf(placed, rule);
    const { when, order } = placed.document;
    return { ...placed, content, whole: canonical([content, when ?? null, order ?? 'none']) };
  });
  const sends = actions.map(({ whole }) => whole).sort();
  const { oncePer, throttle, budget, digest, escalation } = rule;
  const counts = oncePer !== 'event' || Boolean(throttle ?? budget ?? digest ?? escalation);
  return { actions, sends: canonical(sends), gates: gatesOf(rule), counts };
}

/** Whether all that the one sends the other sends too. */
export function sendsWithin(one: RulePrint, other: RulePrint): boolean {
  const sent = new Set(other.actions.map(({ whole }) => whole));
  return one.actions.every(({ whole }) => sent.has(whole));
}

function contentOf({ document, step }: PlacedAction, rule: Rule): string {
  const content = Object.entries(document).filter(([key]) => !ASIDE.has(key));
  const { escalate } = rule.document;
  return canonical([
    Object.fromEntries(content),
    // What is said of the rule itself is another text in each rule.
    readsRule(document) ? rule.name : null,
    step && escalate ? [step.after, escalate.per, escalate.calendar ?? null] : null,
  ]);
}

function readsRule(document: ActionDocument): boolean {
  return pathsIn({ ...document, when: undefined }).some(([root]) => root === 'rule');
}

/** Everything that says how often and when what a rule asks for goes out. */
function gatesOf({ document }: Rule): string {
  const { oncePer, settle, throttle, budget, digest, quietHours, effective } = document;
  const { calendar, timezone, schedule, escalate, owner } = document;
  const byOwner = digest?.key === 'owner' || throttle?.key === 'owner' ? owner : undefined;
  const ladder = escalate && {
    ...escalate,
    steps: escalate.steps.map(({ name, after }) => [name ?? after, after]),
  };
  return canonical([
    oncePer ?? 'event',
    settle,
    throttle,
    budget,
    digest,
    quietHours,
    effective,
    calendar,
    timezone,
    schedule,
    ladder,
    byOwner,
  ]);
}

/** JSON that is the same for values that differ in the order of their keys alone. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    isObject(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one,
  );
}
