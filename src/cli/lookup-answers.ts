import { readFile } from 'node:fs/promises';
import { parseLossless } from '../events/lossless-json.js';
import { isObject } from '../events/own-member.js';
import type { DecisionInputs, Subject } from '../rules/decide.js';
import { answerAll } from '../rules/given-answers.js';
import type { LookupAnswers } from '../rules/lookup-document.js';
import { planLookups } from '../rules/lookup-plan.js';
import type { RuleSet } from '../rules/rule-set.js';

/** What a person says that look-ups answer, by their names. */
export type GivenAnswers = ReadonlyMap<string, unknown>;

/** Reads a file `{"process": {…}, "user": {…}}`. No file: no answers. Answers a sentence when it cannot be used. */
export async function readLookupFile(
  file: string | undefined,
  { lookups }: RuleSet,
): Promise<GivenAnswers | string> {
  if (file === undefined) return new Map();
  let body: unknown;
  try {
    body = parseLossless((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isObject(body)) return `${file} must hold an object with the answers by the names of the look-ups`;
  const unknown = Object.keys(body).find((name) => !lookups.has(name));
  if (unknown === undefined) return new Map(Object.entries(body));
  const names = [...lookups.keys()].join(', ');
  return `${file} answers "${unknown}", and the look-ups are ${names || 'none'}`;
}

/**
 * The answers of the look-ups that an event needs: the given ones first, then those in `inputs` if they answer what
 * would be asked now. Nobody is asked: what is left has failed, and says so.
 */
export function answersFor(
  ruleSet: RuleSet,
  subject: Subject,
  inputs: DecisionInputs,
  given: GivenAnswers,
): LookupAnswers {
  const recorded = Object.entries(inputs.lookups ?? {}).filter(([name]) => !given.has(name));
  const { now } = inputs;
  return answerAll(
    (lookups) => planLookups(ruleSet, subject, { ...inputs, lookups }),
    Object.fromEntries(recorded),
    {
      now,
      give: (name, request) => {
        if (given.has(name)) return { request, value: given.get(name), fetchedAt: now };
        if (request === '') return null;
        const detail = 'nobody is asked here: give its answer in a file with --lookups';
        return { request, failed: { code: 'LOOKUP_NOT_ASKED', detail }, fetchedAt: now };
      },
    },
  );
}
