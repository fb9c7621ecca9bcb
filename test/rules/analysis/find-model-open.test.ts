// Pure; the conditions themselves are asked, nothing is faked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import type { Answer, Goal } from '../../../src/rules/analysis/answer.js';
import { FactSpace } from '../../../src/rules/analysis/fact-space.js';
import { findModel } from '../../../src/rules/analysis/find-model.js';
import {
  type CompiledConditions,
  compileConditions,
  type Facts,
} from '../../../src/rules/compiled-conditions.js';
import type { ConditionDocument } from '../../../src/rules/condition-document.js';
import { buildTree } from '../../../src/rules/condition-tree.js';
import { ConditionError } from '../../../src/rules/operators.js';
import { applyChanges, findRepair } from '../../../src/rules/repair.js';
import { fieldOfFact } from '../../../src/rules/state/fact-fields.js';
import { facts, namedConditions, NOW, rootCondition } from '../../support/condition-generator.js';
import { shareOf } from '../../support/proof-share.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const catalogue = loadBuiltInCatalogue();
const known = {
  catalogue,
  lookups: new Map(),
  fieldOf: (type: string, fact: string) => fieldOfFact(catalogue, type, fact),
};
const open = new FactSpace(known, null);

function outcomeOf(conditions: CompiledConditions, given: Facts, now = NOW): string {
  try {
    return conditions.evaluate(given, { now });
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return 'error';
  }
}

function ask(conditions: CompiledConditions, want: Goal['want']): Answer {
  return findModel([{ tree: conditions.tree, want }], open, { steps: 100_000 });
}

/** Every operator on facts of which nothing is known, with values that owe nothing to the search. */
describe('of events of which nothing is known', () => {
  it('nothing that was seen is called impossible, and what is found is so', () => {
    const seen = { questions: 0, yes: 0, no: 0, undecided: 0, inexact: 0, missed: 0 };
    fc.assert(
      fc.property(
        rootCondition,
        namedConditions,
        fc.array(facts, { minLength: 12, maxLength: 12 }),
        (document: ConditionDocument, named, events) => {
          const tree = buildTree(document, new Map(Object.entries(named)), () => 'date-time');
          const conditions = compileConditions(tree);
          const [event] = events;
          const repair = event && findRepair(conditions, event, { now: NOW }, { budget: 2000 });
          const tried = [
            ...events,
            ...(repair?.kind === 'changes' ? [applyChanges(event ?? new Map(), repair.changes)] : []),
          ];
          const outcomes = tried.map((one) => outcomeOf(conditions, one));
          for (const want of ['yes', 'no', 'not yes'] as const) {
            const fits = (outcome: string): boolean =>
              want === 'not yes' ? outcome !== 'yes' : outcome === want;
            const answer = ask(conditions, want);
            const about = JSON.stringify([want, document, named, answer]);
            seen.questions += 1;
            seen[answer.answer] += 1;
            if (answer.answer === 'no') expect([outcomes.some(fits), about]).toEqual([false, about]);
            else if (answer.answer === 'undecided') {
              if (answer.reason === 'inexact') seen.inexact += 1;
              if (outcomes.some(fits)) seen.missed += 1;
            } else {
              const { model } = answer;
              const outcome = outcomeOf(conditions, model.facts, model.now);
              expect([fits(outcome), about]).toEqual([true, about]);
            }
          }
        },
      ),
      { seed, numRuns: shareOf(2500) },
    );
    process.stdout.write(`find-model, open: ${JSON.stringify(seen)}\n`);
    expect(seen.undecided / seen.questions).toBeLessThan(0.05);
    expect(seen.missed / seen.questions).toBeLessThan(0.01);
  }, 120_000);
});
