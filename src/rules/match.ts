import type { Action } from '../action/action.js';
import type { NewDelivery } from '../action/delivery-store.js';
import { RenderError } from '../action/render-template.js';
import { messageOf } from '../config/log.js';
import type { Facts } from './compiled-conditions.js';
import type { DecisionInputs, Subject } from './decide.js';
import type { DigestItemContent, Match } from './firing.js';
import { subjectAt } from './ladder.js';
import { answeredValue } from './lookup-facts.js';
import { orderKeyOf, type RuleAction, withheld, type WithheldAction } from './rule-action.js';
import type { Rule, RuleSet } from './rule-set.js';
import type { EventPlace } from './state/root-state.js';
import { SHADOW_FAILED } from './shadow.js';
import { actionScope } from './template-scope.js';

/** What a step of a ladder sends, and why. */
export interface MatchedStep {
  readonly name: string;
  readonly actions: readonly RuleAction[];
  /** The key of the event that armed the ladder, and the step. */
  readonly cause: string;
}

/**
 * What a matched rule asks for: its actions, or those of a step, rendered; of a rule with a digest, what its templates
 * will read of it; without those that their own conditions leave out. `facts`: all that conditions read, those of the
 * clock too. `place`: whom the event is about; null: no state is kept for it.
 */
export async function matchOf(
  ruleSet: RuleSet,
  rule: Rule,
  subject: Subject,
  inputs: DecisionInputs,
  place: EventPlace | null,
  facts: Facts,
  step: MatchedStep | null = null,
): Promise<Match> {
  const { actions, left } = await asked(step?.actions ?? rule.actions, facts, inputs);
  const cause = step?.cause ?? inputs.cause ?? subject.key;
  const { entity } = subject;
  // A step is for one task that somebody left lying: it is not put together with others.
  const gathers = rule.digest !== null && step === null;
  const scope = actionScope(rule, ruleSet, subject, inputs);
  return {
    rule,
    step: step?.name ?? null,
    entity,
    cause,
    subject: rule.oncePer === 'event' || !place ? null : subjectAt(rule.oncePer, place),
    facts,
    deliveries: gathers
      ? []
      : actions.map((action) => ({
          ...render(rule, action, { entity, cause }, scope),
          ...orderOf(rule, action, entity, place),
        })),
    items: gathers
      ? actions.map(({ name, kind }) => ({
          action: name,
          kind,
          item: itemOf(rule, subject, inputs),
        }))
      : [],
    withheld: left,
  };
}

async function asked(
  all: readonly RuleAction[],
  facts: Facts,
  inputs: DecisionInputs,
): Promise<{ readonly actions: readonly RuleAction[]; readonly left: readonly WithheldAction[] }> {
  if (all.every(({ when }) => when === null)) return { actions: all, left: [] };
  const actions: RuleAction[] = [];
  const left: WithheldAction[] = [];
  for (const action of all) {
    const one = await withheld(action, facts, inputs);
    if (one) left.push(one);
    else actions.push(action);
  }
  return { actions, left };
}

function orderOf(
  rule: Rule,
  { name, order }: RuleAction,
  entity: string,
  place: EventPlace | null,
): Pick<NewDelivery, 'orderKey'> {
  if (order === null) return {};
  const about = place && subjectAt(order, place);
  return { orderKey: orderKeyOf(rule.name, name, entity, about ?? entity) };
}

function render(
  rule: Rule,
  action: Action,
  { entity, cause }: Pick<NewDelivery, 'entity' | 'cause'>,
  scope: Parameters<Action['render']>[0],
): NewDelivery {
  const base = { rule: rule.name, action: action.name, kind: action.kind, entity, cause, generation: 0 };
  try {
    return { ...base, ...action.render(scope), state: 'pending', code: null, reason: null };
  } catch (error) {
    // Whatever is wrong with a rule in shadow mode, live ones send.
    const foreseen = error instanceof RenderError;
    if (!foreseen && rule.mode === 'live') throw error;
    return {
      ...base,
      target: `${action.kind}:`,
      request: null,
      state: 'dead',
      code: foreseen ? error.code : SHADOW_FAILED,
      reason: foreseen ? error.message : messageOf(error),
    };
  }
}

/** Of the look-ups those that the rule itself reads: what others have asked for changes no message of it. */
function itemOf(
  { lookups }: Rule,
  { facts }: Subject,
  { state = {}, lookups: answers }: DecisionInputs,
): DigestItemContent {
  const of = (root: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(state)
        .filter(([name]) => name.startsWith(`${root}.`))
        .map(([name, value]) => [name.slice(root.length + 1), value]),
    );
  const names = new Set([...(lookups?.conditions ?? []), ...(lookups?.templates ?? [])]);
  const answered = [...names].sort().flatMap((name): [string, unknown][] => {
    const value = answeredValue(answers, name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    event: Object.fromEntries(facts),
    task: of('task'),
    node: of('node'),
    process: of('process'),
    lookup: Object.fromEntries(answered),
  };
}
