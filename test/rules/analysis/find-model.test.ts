// Pure; the conditions themselves are asked, nothing is faked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Answer, Goal } from '../../../src/rules/analysis/answer.js';
import { FactSpace, type FactSpaceOptions } from '../../../src/rules/analysis/fact-space.js';
import { findModel } from '../../../src/rules/analysis/find-model.js';
import {
  type CompiledConditions,
  compileConditions,
  type Facts,
} from '../../../src/rules/compiled-conditions.js';
import type { ConditionDocument, LeafDocument } from '../../../src/rules/condition-document.js';
import type { ConditionNode, LeafNode } from '../../../src/rules/condition-tree.js';
import { ConditionError } from '../../../src/rules/operators.js';
import {
  agingLeaf,
  anyLeaf,
  exactLeaf,
  joiningLeaf,
  reducedConditions,
} from '../../support/reduced-conditions.js';
import { shareOf } from '../../support/proof-share.js';
import {
  blocksOfWorld,
  isOfWorld,
  REDUCED_NOW,
  REDUCED_NOWS,
  REDUCED_TYPE,
  reducedKnown,
  reducedTree,
  sizeOfWorld,
  worldAt,
} from '../../support/reduced-world.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const BUDGET = 200_000;
/** Of larger worlds so many combinations are tried, from all over them. */
const MOST_TRIED = 4000;
/** Of larger worlds it is not looked for what is nearest. */
const MOST_COMPARED = 1200;

type Outcome = 'yes' | 'no' | 'unknown' | 'error';
type Want = Goal['want'];

function outcomeOf(conditions: CompiledConditions, facts: Facts, now = REDUCED_NOW): Outcome {
  try {
    return conditions.evaluate(facts, { now });
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return 'error';
  }
}

function isWanted(want: Want, outcome: Outcome): boolean {
  return want === 'not yes' ? outcome !== 'yes' : outcome === want;
}

function leavesOf(node: ConditionNode): readonly LeafNode[] {
  if (node.kind === 'leaf') return [node];
  return node.kind === 'not' ? leavesOf(node.child) : node.children.flatMap(leavesOf);
}

function readsOf(leaves: readonly LeafNode[]): ReadonlySet<string> {
  return new Set(leaves.flatMap(({ fact, other }) => [fact, ...(other ? [other.fact] : [])]));
}

/** The facts that leaves compare with null. */
function namedNull(leaves: readonly LeafNode[]): ReadonlySet<string> {
  return new Set(leaves.flatMap(({ value, fact }) => (value === null ? [fact] : [])));
}

function short(node: ConditionNode): unknown {
  if (node.kind === 'leaf')
    return [[node.fact, ...(node.path ?? [])].join('.'), node.operator, node.other?.fact ?? node.value];
  return node.kind === 'not' ? { not: short(node.child) } : { [node.kind]: node.children.map(short) };
}

/** How the answers came out. `partly`: the world was too large to be tried as a whole; `missed`: undecided, and there are such facts. */
interface Tally {
  yes: number;
  no: number;
  undecided: number;
  partly: number;
  missed: number;
  /** Of the models that could be compared: how many change no fact more than any other does. */
  compared: number;
  nearest: number;
}
const newTally = (): Tally => ({
  yes: 0,
  no: 0,
  undecided: 0,
  partly: 0,
  missed: 0,
  compared: 0,
  nearest: 0,
});

interface Question {
  readonly goals: readonly Goal[];
  readonly options?: FactSpaceOptions;
}

/** Asks, and tries everything: the answers must agree. */
function compare({ goals, options = {} }: Question, tally: Tally): Answer {
  const space = new FactSpace(reducedKnown, REDUCED_TYPE, options);
  const answer = findModel(goals, space, { steps: BUDGET });
  const leaves = goals.flatMap(({ tree }) => leavesOf(tree));
  const isLater = goals.some(({ moment }) => moment === 'later');
  const asked = goals.map(({ tree, want, moment = 'then' }) => ({
    want,
    moment,
    conditions: compileConditions(tree),
  }));
  const world = { reads: readsOf(leaves), named: namedNull(leaves), optional: options.optional ?? false };
  const about = JSON.stringify({
    goals: goals.map(({ want, tree, moment }) => [want, moment, short(tree)]),
    ...(answer.answer === 'yes'
      ? { facts: [...answer.model.facts], later: isLater && [...answer.model.later] }
      : answer),
  });
  const meets = (then: Facts, later: Facts, now = REDUCED_NOW): boolean =>
    asked.every(({ want, moment, conditions }) =>
      isWanted(want, outcomeOf(conditions, moment === 'then' ? then : later, now)),
    );
  tally[answer.answer] += 1;
  if (answer.answer === 'yes') {
    const { facts, later, now } = answer.model;
    expect([meets(facts, later, now), about]).toEqual([true, about]);
    expect([isOfWorld(facts, world), about]).toEqual([null, about]);
    expect([isOfWorld(later, world), about]).toEqual([null, about]);
    for (const fact of world.reads)
      if (options.stable?.(fact)) expect([later.get(fact), about]).toEqual([facts.get(fact), about]);
  }
  const nows = leaves.some(({ operator }) => /(?:older|newer)Than/.test(operator))
    ? REDUCED_NOWS
    : [REDUCED_NOW];
  const isShared = (fact: string): boolean => !isLater || options.stable?.(fact) === true;
  // The facts of a task's status go together, and of those the status alone may be shared.
  const shared = new Set([...world.reads].filter((fact) => isShared(fact) && (!isLater || !isState(fact))));
  const once = blocksOfWorld({ ...world, reads: shared });
  const twice = blocksOfWorld({
    ...world,
    reads: new Set([...world.reads].filter((fact) => !shared.has(fact))),
  });
  const [few, many] = [sizeOfWorld(once), sizeOfWorld(twice)];
  const size = few * many * (isLater ? many : 1);
  const step = size > MOST_TRIED ? size / MOST_TRIED : 1;
  const shows = (at: number, now = REDUCED_NOW): boolean => {
    const same = worldAt(once, at % few);
    const then = new Map([...same, ...worldAt(twice, Math.floor(at / few) % many)]);
    const later = isLater ? new Map([...same, ...worldAt(twice, Math.floor(at / few / many))]) : then;
    if (isLater && isShared('status') && then.get('status') !== later.get('status')) return false;
    return meets(then, later, now);
  };
  const found = (): boolean => {
    for (let at = 0; at < size; at += step) if (nows.some((now) => shows(Math.floor(at), now))) return true;
    return false;
  };
  if (step > 1) tally.partly += 1;
  if (answer.answer === 'no') expect([found(), about]).toEqual([false, about]);
  else if (answer.answer === 'undecided') tally.missed += found() ? 1 : 0;
  else if (!isLater && size <= MOST_COMPARED) countNearest(answer.model.facts);
  return answer;

  function countNearest(model: Facts): void {
    const changes = (facts: Facts): number =>
      [...world.reads].filter((fact) => JSON.stringify(facts.get(fact)) !== JSON.stringify(space.usual(fact)))
        .length;
    let least = Infinity;
    for (let at = 0; at < size; at += 1) if (shows(at)) least = Math.min(least, changes(worldAt(once, at)));
    tally.compared += 1;
    if (changes(model) <= least) tally.nearest += 1;
  }
}

function isState(fact: string): boolean {
  return fact === 'status' || fact.startsWith('task.');
}

const want = fc.constantFrom<Want>('yes', 'no', 'not yes');
const wants = fc.constantFrom<readonly [Want, Want]>(
  ['yes', 'not yes'],
  ['yes', 'yes'],
  ['yes', 'no'],
  ['not yes', 'no'],
);

function single(name: string, leaf: fc.Arbitrary<LeafDocument>, runs: number, options = {}): Tally {
  const tally = newTally();
  fc.assert(
    fc.property(reducedConditions(leaf), want, (document, wanted) => {
      compare({ goals: [{ tree: reducedTree(document), want: wanted }], options }, tally);
    }),
    { seed, numRuns: shareOf(runs) },
  );
  return shown(name, tally);
}

function paired(
  name: string,
  leaf: fc.Arbitrary<LeafDocument>,
  runs: number,
  later?: (fact: string) => boolean,
): Tally {
  const tally = newTally();
  fc.assert(
    fc.property(reducedConditions(leaf), reducedConditions(leaf), wants, (one, other, [a, b]) => {
      const second = { tree: reducedTree(other), want: b };
      const goals: readonly Goal[] = [
        { tree: reducedTree(one), want: a },
        later ? { ...second, moment: 'later' } : second,
      ];
      compare({ goals, options: later ? { stable: later } : {} }, tally);
    }),
    { seed, numRuns: shareOf(runs) },
  );
  return shown(name, tally);
}

function shown(name: string, tally: Tally): Tally {
  process.stdout.write(`find-model, ${name}: ${JSON.stringify(tally)}\n`);
  return tally;
}

describe('answers agree with trying everything', () => {
  it('always decided where all values are known, and near the sample', () => {
    const tally = single('exact', exactLeaf, 4000);
    expect(tally.undecided).toBe(0);
    expect(tally.no).toBeGreaterThan(shareOf(100));
    expect(tally.nearest / tally.compared).toBeGreaterThan(0.98);
  }, 120_000);

  it('with times that are counted from now', () => {
    const tally = single('aging', agingLeaf, 1500);
    expect(tally.undecided).toBe(0);
  }, 120_000);

  it('with facts that are compared with each other', () => {
    const tally = single('joining', joiningLeaf, 2000);
    expect(tally.undecided).toBe(0);
  }, 120_000);

  it('with any operator: undecided only where it cannot be told', () => {
    const tally = single('any', anyLeaf, 2000);
    expect(tally.undecided / shareOf(2000)).toBeLessThan(0.1);
    expect(tally.missed).toBeLessThanOrEqual(5);
  }, 120_000);

  it('where every fact may be missing', () => {
    const tally = single('optional', exactLeaf, 1500, { optional: true });
    expect(tally.undecided).toBe(0);
  }, 120_000);

  it('of two conditions', () => {
    const tally = paired('pairs', exactLeaf, 2000);
    expect(tally.undecided).toBe(0);
    expect(tally.no).toBeGreaterThan(shareOf(50));
  }, 120_000);

  it('of two conditions with any operator', () => {
    const tally = paired('any pairs', anyLeaf, 1000);
    expect(tally.undecided / shareOf(1000)).toBeLessThan(0.2);
  }, 120_000);

  it('of two moments, one part of the facts staying as they were', () => {
    const tally = paired('moments', exactLeaf, 1500, (fact) => fact.length % 2 === 0 && !isState(fact));
    expect(tally.undecided).toBe(0);
    const status = paired('moments, same status', exactLeaf, 1000, (fact) => fact === 'status');
    expect(status.undecided).toBe(0);
  }, 120_000);

  it('nothing that meets two conditions fails to meet one of them', () => {
    fc.assert(
      fc.property(reducedConditions(anyLeaf), reducedConditions(anyLeaf), (one, other) => {
        const more: ConditionDocument = { all: [one, other] };
        const goals: readonly Goal[] = [
          { tree: reducedTree(more), want: 'yes' },
          { tree: reducedTree(one), want: 'not yes' },
        ];
        const space = new FactSpace(reducedKnown, REDUCED_TYPE);
        expect(findModel(goals, space, { steps: BUDGET })).toMatchObject({ answer: 'no' });
      }),
      { seed, numRuns: shareOf(1000) },
    );
  }, 60_000);
});

describe('the core of what cannot be', () => {
  it('cannot be by itself, and could without any one of its conditions', () => {
    let cores = 0;
    // A fact may be null only where a condition names null: without that condition it cannot.
    const valued = exactLeaf.filter(({ value }) => value !== null);
    fc.assert(
      fc.property(fc.array(valued, { minLength: 2, maxLength: 6 }), (leaves) => {
        const answerOf = (all: readonly ConditionNode[]): Answer =>
          findModel(
            [{ tree: { kind: 'all', name: null, children: all }, want: 'yes' }],
            new FactSpace(reducedKnown, REDUCED_TYPE),
            { steps: BUDGET },
          );
        const trees = leaves.map((leaf) => reducedTree(leaf));
        const answer = answerOf(trees);
        if (answer.answer !== 'no') return;
        cores += 1;
        const { core } = answer;
        expect(core.every((leaf) => trees.includes(leaf))).toBe(true);
        expect(core).toEqual(trees.filter((tree) => core.includes(tree as LeafNode)));
        expect(answerOf(core).answer).toBe('no');
        for (const left of core) expect(answerOf(core.filter((one) => one !== left)).answer).toBe('yes');
      }),
      { seed, numRuns: shareOf(3000) },
    );
    process.stdout.write(`find-model, cores: ${cores}\n`);
    expect(cores).toBeGreaterThan(shareOf(100));
  }, 60_000);
});

describe('the budget', () => {
  it('is what an answer takes, the same every time', () => {
    fc.assert(
      fc.property(reducedConditions(anyLeaf), want, (document, wanted) => {
        const goals = [{ tree: reducedTree(document), want: wanted }];
        const [one, other] = [1, 2].map(() => {
          const budget = { steps: BUDGET };
          const answer = findModel(goals, new FactSpace(reducedKnown, REDUCED_TYPE), budget);
          return { answer, left: budget.steps };
        });
        expect(one).toEqual(other);
        expect(one?.left).toBeLessThan(BUDGET);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('leaves a question undecided when it ends', () => {
    const tree = reducedTree({ all: [{ fact: 'status', operator: 'equal', value: 2 }] });
    const answer = findModel([{ tree, want: 'yes' }], new FactSpace(reducedKnown, REDUCED_TYPE), {
      steps: 0.1,
    });
    expect(answer).toEqual({ answer: 'undecided', reason: 'budget' });
  });

  it('is kept with conditions that would take for ever', () => {
    // Each of 12 holes holds one of 11 values, and no two the same.
    const holes = Array.from({ length: 12 }, (_, at) => `hole_${at}`);
    const values = Array.from({ length: 11 }, (_, at) => at);
    const tree = reducedTree({
      all: [
        ...holes.map((fact) => ({ fact, operator: 'in', value: values })),
        ...values.flatMap((value) =>
          holes.flatMap((fact, at) =>
            holes.slice(at + 1).map((other) => ({
              any: [
                { fact, operator: 'notEqual', value },
                { fact: other, operator: 'notEqual', value },
              ],
            })),
          ),
        ),
      ],
    });
    const budget = { steps: 20_000 };
    const answer = findModel([{ tree, want: 'yes' }], new FactSpace(reducedKnown, REDUCED_TYPE), budget);
    expect(answer).toEqual({ answer: 'undecided', reason: 'budget' });
    expect(budget.steps).toBeGreaterThan(-5000);
  });
});
