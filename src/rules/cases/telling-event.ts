import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../events/own-member.js';
import { witnessOf } from '../analysis/witness-event.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { EventStep } from './case-document.js';
import type { CaseResult, FoundCase } from './case-result.js';
import type { CaseRunner } from './case-runner.js';
import type { Meaning } from './same-meaning.js';

/** Two versions of a rule set, to be run side by side. */
export interface BothRunners {
  readonly before: CaseRunner;
  readonly after: CaseRunner;
}

/**
 * The step of a case with which a rule and a changed one come to different ends, found by running both; as few fields as
 * do it. Null: none was found. A single event cannot tell every change.
 */
export async function tellingEvent(
  rule: Rule,
  meaning: Meaning,
  ruleSet: RuleSet,
  runners: BothRunners,
): Promise<EventStep | null> {
  if (meaning.kind !== 'other' || meaning.eventType === null) return null;
  const { eventType } = meaning;
  const event = eventOf(meaning.model, ruleSet, eventType);
  if (!event) return null;
  const type = isOnlyType(rule, eventType) ? {} : { type: eventType };
  const part = partOver(event, ruleSet.catalogue.find(eventType)?.sample ?? {});
  const steps: readonly EventStep[] = [...(part ? [{ event: part, ...type }] : []), { event }];
  for (const step of steps) if (await differs(rule.name, step, runners)) return step;
  return null;
}

async function differs(rule: string, step: EventStep, { before, after }: BothRunners): Promise<boolean> {
  const one: FoundCase = {
    file: '',
    line: 1,
    case: { name: '', steps: [step] },
    watched: [rule],
    timezone: null,
    calendar: null,
  };
  const [was, is] = [await before.run(one), await after.run(one)];
  if ([...was.failures, ...is.failures].some(({ kind }) => kind === 'broken')) return false;
  return !isDeepStrictEqual(outcomeOf(was), outcomeOf(is));
}

/** What a case can expect. */
function outcomeOf({ deliveries, judged }: CaseResult): unknown {
  return [deliveries, judged.map(({ rules }) => rules.map(({ verdict }) => verdict.verdict))];
}

/** Null: no sender could write it. */
function eventOf(
  model: Parameters<typeof witnessOf>[0],
  ruleSet: RuleSet,
  eventType: string,
): EventStep['event'] | null {
  try {
    return witnessOf(model, ruleSet, eventType).event;
  } catch {
    return null;
  }
}

/** The fields in which an event differs from the sample; null: it lacks one. */
function partOver(
  { event }: EventStep['event'],
  sample: Readonly<Record<string, unknown>>,
): EventStep['event'] | null {
  if (!isObject(event) || Object.keys(sample).some((name) => !Object.hasOwn(event, name))) return null;
  return Object.fromEntries(
    Object.entries(event).filter(([name, value]) => !isDeepStrictEqual(value, sample[name])),
  );
}

/** Whether a case need not say of which type its events are. */
function isOnlyType({ trigger, schedule }: Rule, eventType: string): boolean {
  return schedule === null && trigger.length === 1 && trigger[0] === eventType;
}
