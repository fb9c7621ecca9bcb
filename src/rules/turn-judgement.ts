import { messageOf } from '../config/log.js';
import { type DecisionInputs, factsFor, factsOfRule, judgeFacts, type Subject } from './decide.js';
import { LIVE } from './decision-batch.js';
import type { Firing } from './firing.js';
import { subjectAt } from './ladder.js';
import { matchOf } from './match.js';
import type { Rule, RuleSet } from './rule-set.js';
import type { OpenEntity } from './schedule-turn.js';
import type { Level, RootState } from './state/root-state.js';
import { stateFacts } from './state/state-facts.js';
import type { TurnFindings } from './turn-findings.js';

/** One turn of a rule with a schedule. */
export interface Turn {
  readonly rule: Rule;
  readonly over: Level;
  readonly ruleSet: RuleSet;
  /** The turn's own event: its stored id and its key. */
  readonly eventId: string;
  readonly key: string;
  readonly inputs: DecisionInputs;
}

/** An open task, node or root entity, and what is known of what it belongs to. */
export type OpenOne = OpenEntity & { readonly entity: string; readonly state: RootState };

/** The same as a decision reads it. */
export type OpenSubject = OpenOne & { readonly subject: Subject };

/** What an open entity is to a decision. `known`: of its last event, as far as that is there still. */
export function turnSubject(
  { over, key }: Pick<Turn, 'over' | 'key'>,
  { entity, place, latest }: OpenOne,
  known: Pick<Subject, 'appId' | 'facts'> | null,
): Subject {
  return {
    key: `${key}#${subjectAt(over, place) ?? ''}`,
    eventType: latest?.eventType ?? '',
    entity,
    appId: known?.appId ?? null,
    facts: known?.facts ?? new Map(),
  };
}

/** What a turn asks for, before the gates, over some of the open entities. Pure; what was found is noted in `findings`. */
export async function turnFirings(
  { rule, ruleSet, inputs: shared, eventId }: Turn,
  open: readonly OpenSubject[],
  findings: TurnFindings,
): Promise<Firing[]> {
  const firings: Firing[] = [];
  for (const { subject, place, state } of open) {
    const inputs = { ...shared, state: stateFacts(state, place, null, shared.now, false) };
    const facts = factsFor(ruleSet, subject.facts, inputs);
    const verdict = await judgeFacts(ruleSet, rule, facts, inputs);
    findings.judged(verdict);
    if (verdict.verdict !== 'matched') continue;
    try {
      const known = factsOfRule(ruleSet, rule, facts, inputs);
      const match = await matchOf(ruleSet, rule, subject, inputs, place, known);
      firings.push({ ...match, eventId, occasion: LIVE });
    } catch (error) {
      // Whatever one entity does, the others have their turn.
      findings.spoilt(messageOf(error));
    }
  }
  return firings;
}
