import fc from 'fast-check';
import type { ConditionDocument, LeafDocument } from '../../src/rules/condition-document.js';
import { DAY, iso, MIDDLE, WORDS } from './reduced-world.js';

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const leafOf = (
  fact: string,
  operators: readonly string[],
  value: fc.Arbitrary<unknown>,
  path?: string,
): fc.Arbitrary<LeafDocument> =>
  fc.tuple(oneOf(...operators), fc.boolean(), value).map(([operator, not, wanted]) => ({
    fact,
    operator: not && !operator.startsWith('not:') ? `not:${operator}` : operator,
    value: wanted,
    ...(path === undefined ? {} : { path }),
  }));
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(value, { minLength: 1, maxLength: 2 });
const word = oneOf(...WORDS);
const number = oneOf(0, 1, 2, 3);
const moment = oneOf(MIDDLE, MIDDLE + DAY).map(iso);
const duration = oneOf('1d', '2d');
const ORDER = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive', 'swap:lessThan'];
const EQUALITY = ['equal', 'notEqual', 'swap:equal'];
const TEXT = ['startsWith', 'endsWith', 'containsText'];
const LIST = [
  'contains',
  'doesNotContain',
  'swap:in',
  'someFact:equal',
  'everyFact:equal',
  'everyFact:notEqual',
];
const there = (fact: string, path?: string): fc.Arbitrary<LeafDocument> =>
  leafOf(fact, ['exists'], fc.boolean(), path);

const oneFact: readonly fc.Arbitrary<LeafDocument>[] = [
  leafOf('status', EQUALITY, oneOf<unknown>(1, 2, 3, 5, null)),
  leafOf('status', ['in', 'notIn'], some(oneOf(1, 2, 3, 5))),
  leafOf('status', ORDER, number),
  leafOf('kind', EQUALITY, oneOf('x', 'y', 'w')),
  leafOf('kind', ['in', 'notIn'], some(oneOf('x', 'y', 'z'))),
  leafOf('kind', ['startsWith', 'matches'], oneOf('x', 'y', '')),
  leafOf('note', EQUALITY, word),
  leafOf('note', TEXT, word),
  leafOf('comment', ['in', 'notIn'], some(word)),
  leafOf('comment', TEXT, word),
  leafOf('comment', EQUALITY, oneOf<unknown>('a', 'ab', null)),
  there('comment'),
  leafOf('amount', [...EQUALITY, ...ORDER], number),
  leafOf('amount', ['in', 'notIn'], some(number)),
  leafOf('amount', ['someValue:equal', 'everyValue:greaterThan'], some(number)),
  leafOf('limit', [...EQUALITY, ...ORDER], number),
  there('limit'),
  leafOf('ratio', [...EQUALITY, ...ORDER], oneOf(0, 1, 1.5, 3)),
  leafOf('flag', EQUALITY, oneOf<unknown>(true, false, 'true')),
  leafOf('sure', EQUALITY, oneOf<unknown>(true, false, null)),
  there('sure'),
  leafOf('tags', LIST, oneOf('a', 'b')),
  leafOf(
    'tags',
    ['someFact:in', 'everyFact:in', 'someValue:contains', 'everyValue:contains'],
    some(oneOf('a', 'b')),
  ),
  leafOf('sizes', ['someFact:greaterThan', 'everyFact:lessThan', 'everyFact:greaterThanInclusive'], number),
  leafOf('sizes', LIST, oneOf(1, 2, 3)),
  leafOf('due', ['before', 'after'], moment),
  leafOf('done_at', ['before', 'after'], moment),
  leafOf('seen_at', ['before', 'after'], moment),
  leafOf('boss', EQUALITY, oneOf('a', 'b'), '$.name'),
  leafOf('boss', EQUALITY, oneOf(1, 2, 3), '$.level'),
  there('boss'),
  there('boss', '$.level'),
  leafOf('lookup.user.name', EQUALITY, oneOf('a', 'b')),
  leafOf('lookup.user', EQUALITY, oneOf<unknown>(true, false), 'active'),
  there('lookup.user'),
  there('lookup.user.name'),
  leafOf('extra', EQUALITY, oneOf<unknown>('a', 1, null, true)),
  leafOf('extra', ORDER, oneOf(1, 2)),
  leafOf('extra', ['contains', 'doesNotContain', 'someFact:equal'], oneOf('a', 'b')),
  there('extra'),
  leafOf('task.previousStatus', EQUALITY, oneOf<unknown>(1, 2, null)),
  leafOf('task.previousStatus', ['in', 'notIn'], some(oneOf(1, 2, 3))),
  leafOf('task.transition', ['equal', 'notEqual'], oneOf('1>3', '2>3', '>1', '>2', '3>1')),
  leafOf('task.transition', ['in', 'startsWith', 'endsWith'], oneOf<unknown>('1>', '>3', '2>2')),
  there('task.transition'),
];
const older: readonly fc.Arbitrary<LeafDocument>[] = [
  leafOf('due', ['olderThan', 'newerThan'], duration),
  leafOf('done_at', ['olderThan', 'newerThan'], duration),
  leafOf('seen_at', ['olderThan', 'newerThan'], duration),
];
const twoFacts: readonly fc.Arbitrary<LeafDocument>[] = [
  leafOf('amount', [...EQUALITY, ...ORDER], fc.constant({ fact: 'limit' })),
  leafOf('limit', ORDER, fc.constant({ fact: 'amount' })),
  leafOf('kind', EQUALITY, fc.constant({ fact: 'comment' })),
  leafOf('comment', EQUALITY, fc.constant({ fact: 'kind' })),
  leafOf('status', [...EQUALITY, ...ORDER], fc.constant({ fact: 'limit' })),
  leafOf('status', EQUALITY, fc.constant({ fact: 'boss', path: '$.level' })),
  leafOf('due', ['before', 'after'], fc.constant({ fact: 'due' })),
  leafOf('task.previousStatus', ORDER, fc.constant({ fact: 'status' })),
];

/** Leaves whose answers are known for every value: equality, order, lists, texts, members, times. */
export const exactLeaf: fc.Arbitrary<LeafDocument> = fc.oneof(...oneFact);
/** With times that are counted from now. */
export const agingLeaf: fc.Arbitrary<LeafDocument> = fc.oneof(
  ...oneFact.map((arbitrary) => ({ arbitrary, weight: 1 })),
  ...older.map((arbitrary) => ({ arbitrary, weight: 4 })),
);
/** With facts that are compared with each other. */
export const joiningLeaf: fc.Arbitrary<LeafDocument> = fc.oneof(
  ...oneFact.map((arbitrary) => ({ arbitrary, weight: 1 })),
  ...twoFacts.map((arbitrary) => ({ arbitrary, weight: 5 })),
);
/** With operators of which not all values are known. */
export const anyLeaf: fc.Arbitrary<LeafDocument> = fc.oneof(
  { arbitrary: joiningLeaf, weight: 3 },
  leafOf('note', ['matches'], oneOf('^a', 'b$', 'a+b', '^$')),
  leafOf('comment', ['lessThan', 'greaterThan'], oneOf('a', 'b')),
  leafOf('comment', ['startsWith', 'equal'], fc.constant({ fact: 'note' })),
  leafOf('tags', ['contains'], fc.constant({ fact: 'kind' })),
  leafOf('kind', ['in', 'notIn'], fc.constant({ fact: 'tags' })),
);

/** Conditions over a few facts, so that leaves meet at them. */
export function reducedConditions(leaf: fc.Arbitrary<LeafDocument>): fc.Arbitrary<ConditionDocument> {
  const few = fc.array(leaf, { minLength: 1, maxLength: 7 }).map((leaves) => {
    const facts = [...new Set(leaves.map(({ fact }) => fact))].slice(0, 3);
    return leaves.filter(({ fact }) => facts.includes(fact));
  });
  return fc
    .tuple(few, fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }), fc.boolean())
    .map(([leaves, shape, isAll]) => grouped(leaves, shape, isAll));
}

function grouped(
  leaves: readonly ConditionDocument[],
  shape: readonly number[],
  isAll: boolean,
): ConditionDocument {
  let level = [...leaves];
  for (const [at, kind] of shape.entries()) {
    if (level.length <= 2) break;
    const [one, two, ...rest] = level;
    if (!one || !two) break;
    const children = [one, two];
    const group: ConditionDocument = kind % 2 === 0 ? { all: children } : { any: children };
    level = kind < 3 ? [...rest, group] : kind === 3 ? [...rest, { not: group }] : [two, ...rest, one];
    if (at > 6) break;
  }
  return isAll ? { all: level } : { any: level };
}
