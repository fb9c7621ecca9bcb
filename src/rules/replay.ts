import { decide, type DecisionInputs, type Subject, type Verdict } from './decide.js';
import type { Match } from './firing.js';
import { planLookups } from './lookup-plan.js';
import type { RuleSet } from './rule-set.js';
import type { StateThen } from './state/state-then.js';

/** The occasions of replays begin with it; behind it stands an id of its own. */
export const REPLAY = 'replay:';

/** What today's rules say of a stored event, before the gates. */
export interface Replayed {
  readonly verdicts: readonly Verdict[];
  readonly matches: readonly Match[];
  /** To be recorded with the evaluation. */
  readonly inputs: DecisionInputs;
}

/**
 * Evaluates a stored event again, by what was recorded of it: its time, its answers, its state. Facts of the state that
 * nobody read then are those of `then`; null: it belongs to no root entity. A look-up that was never asked stays unknown. No
 * ladder is armed. `only`: one rule; null: all that listen. Pure, as `decide`.
 */
export async function replayed(
  ruleSet: RuleSet,
  subject: Subject,
  recorded: DecisionInputs,
  then: StateThen | null,
  only: string | null,
): Promise<Replayed> {
  const state = { ...(then?.facts ?? { 'event.late': false }), ...recorded.state };
  const { answers } = planLookups(ruleSet, subject, { ...recorded, state });
  const inputs: DecisionInputs = {
    ...recorded,
    state,
    // Without those to other questions than today's.
    ...(recorded.lookups || Object.keys(answers).length > 0 ? { lookups: answers } : {}),
    ...(only === null ? {} : { only }),
  };
  const decision = await decide(
    ruleSet,
    subject,
    inputs,
    then
      ? // As a late one, so that it arms nothing.
        { id: '', place: then.place, late: true, orderTime: then.orderTime, state: then.state, ladders: [] }
      : undefined,
  );
  return {
    verdicts: decision.verdicts.filter(({ rule }) => only === null || rule === only),
    matches: decision.matches.filter(({ rule }) => only === null || rule.name === only),
    inputs,
  };
}
