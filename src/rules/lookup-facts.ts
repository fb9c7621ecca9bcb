import { own, ownAt } from '../events/own-member.js';
import type { Facts } from './compiled-conditions.js';
import type { LookupAnswer, LookupAnswers } from './lookup-document.js';
import { lookupFact, lookupPlaceOf } from './lookup-name.js';

/** What is recorded under a name; a name like `constructor` is one like any. */
export function answerOf(answers: LookupAnswers | undefined, name: string): LookupAnswer | undefined {
  return answers && (own(answers, name) as LookupAnswer | undefined);
}

/** What a look-up answered; undefined: it did not, or it failed. */
export function answeredValue(answers: LookupAnswers | undefined, name: string): unknown {
  const answer = answerOf(answers, name);
  return answer && 'value' in answer ? answer.value : undefined;
}

/**
 * The facts of an event with those of the look-ups beside them: each answer is the fact `lookup.<name>`, and a look-up
 * that failed or that nobody asked has none. What an event itself brings under such a name is never one.
 */
export function withLookups(
  facts: Facts,
  names: Iterable<string>,
  answers: LookupAnswers | undefined,
): Facts {
  const all = new Map(facts);
  for (const name of names) {
    const value = answeredValue(answers, name);
    if (value === undefined) all.delete(lookupFact(name));
    else all.set(lookupFact(name), value);
  }
  return all;
}

/** The value of a fact by the name that a rule file uses, also of a member of an answer. */
export function factAt(facts: Facts, fact: string): unknown {
  const place = lookupPlaceOf(fact);
  return place ? ownAt(facts.get(place.fact), place.members) : facts.get(fact);
}

/** Why there is no value at a template's path `lookup.<name>…`, as a part of a sentence. */
export function absenceOf(
  answers: LookupAnswers | undefined,
  [, name = '', ...rest]: readonly string[],
): string {
  const answer = answerOf(answers, name);
  if (!answer) return `the look-up "${name}" was not asked`;
  if ('failed' in answer)
    return `the look-up "${name}" failed: ${answer.failed.code}: ${answer.failed.detail}`;
  return `the answer of the look-up "${name}" has no "${rest.join('.')}"`;
}
