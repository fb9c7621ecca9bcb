import fc from 'fast-check';
import type { ConditionDocument, LeafDocument } from '../../src/rules/condition-document.js';

/** A small world in which rules and events meet often: few facts, few values. */
export const NOW = Date.UTC(2026, 10, 24, 10, 0, 0);
const FACTS = ['status', 'biz_type', 'node', 'note', 'list', 'when', 'deep', 'other', 'node_id'] as const;
const TYPES = ['demo.made_v1', 'demo.changed_v1'] as const;

const number = fc.constantFrom(0, 1, 2, 3, 4, 10, -1, 2.5);
const text = fc.constantFrom(
  '',
  '3',
  '10',
  'renewal_record',
  'onboarding',
  'renewal',
  '已完成',
  'a.b',
  '2.5x',
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 4, arbitrary: text },
  fc.constantFrom<boolean | null>(true, false, null),
);
const list = fc.array(scalar, { maxLength: 4 });
const time = fc.constantFrom(
  '2026-11-24T09:00:00Z',
  '2026-11-24T18:30:00+08:00',
  '2026-11-23',
  '2020-01-01T00:00:00Z',
  'not a time',
);

const FACT_VALUES: Record<(typeof FACTS)[number], fc.Arbitrary<unknown>> = {
  status: fc.oneof({ weight: 5, arbitrary: number }, scalar),
  biz_type: fc.oneof({ weight: 5, arbitrary: text }, scalar),
  node: fc.oneof({ weight: 5, arbitrary: text }, scalar),
  note: fc.oneof({ weight: 3, arbitrary: text }, scalar),
  list: fc.oneof({ weight: 5, arbitrary: list }, scalar),
  when: fc.oneof({ weight: 5, arbitrary: time }, scalar),
  deep: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ a: scalar, b: fc.record({ c: scalar, d: list }) }, { requiredKeys: [] }),
    },
    scalar,
  ),
  other: fc.oneof(scalar, list),
  node_id: fc.oneof(scalar, list),
};

/** The facts of one event; some are missing. */
export const facts: fc.Arbitrary<ReadonlyMap<string, unknown>> = fc
  .tuple(
    fc.constantFrom(...TYPES),
    fc.record(
      Object.fromEntries(
        FACTS.map((name) => [name, fc.option(FACT_VALUES[name], { nil: undefined, freq: 7 })]),
      ),
    ),
  )
  .map(
    ([type, values]) =>
      new Map<string, unknown>([
        ['event_type', type],
        ...Object.entries(values).filter(([, value]) => value !== undefined),
      ]),
  );

const fact = fc.constantFrom<string>(...FACTS);
const path = fc.constantFrom('$.a', 'b.c', '$.b.d', '$.b["d"][0]', '$.zzz');
const place = fc.oneof(
  { weight: 6, arbitrary: fact.map((name): { fact: string; path?: string } => ({ fact: name })) },
  path.map((at): { fact: string; path?: string } => ({ fact: 'deep', path: at })),
);

const decorated = (base: string, decorators: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...decorators), { maxLength: 2 })
    .map((names) => [...names.filter((name, at) => names.indexOf(name) === at), base].join(':'));
const FACT_DECORATORS = ['not', 'someFact', 'everyFact'];

const leafOf = (
  operator: fc.Arbitrary<string>,
  value: fc.Arbitrary<unknown>,
  where: fc.Arbitrary<{ fact: string; path?: string }> = place,
): fc.Arbitrary<LeafDocument> =>
  fc.tuple(where, operator, value).map(([at, name, wanted]) => ({ ...at, operator: name, value: wanted }));

/** Another fact as value, now and then. */
const orFact = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: value }, place);
const named = (name: string): fc.Arbitrary<{ fact: string }> => fc.constant({ fact: name });

const plainEquality = fc.oneof(
  leafOf(fc.constant('equal'), number, named('status')),
  leafOf(fc.constant('equal'), text, named('biz_type')),
  leafOf(fc.constant('in'), fc.array(text, { minLength: 1, maxLength: 3 }), named('node')),
  leafOf(fc.constant('notEqual'), number, named('status')),
  leafOf(fc.constant('notIn'), fc.array(text, { maxLength: 3 }), named('biz_type')),
);

export const leaf: fc.Arbitrary<LeafDocument> = fc.oneof(
  { weight: 6, arbitrary: plainEquality },
  { weight: 2, arbitrary: leafOf(fc.constantFrom('equal', 'notEqual'), orFact(scalar)) },
  leafOf(fc.constantFrom('in', 'notIn'), orFact(list)),
  leafOf(decorated('equal', [...FACT_DECORATORS, 'swap']), orFact(scalar)),
  leafOf(decorated('in', FACT_DECORATORS), list),
  leafOf(fc.constantFrom('contains', 'doesNotContain', 'not:contains', 'swap:in'), scalar, named('list')),
  leafOf(
    fc
      .constantFrom('lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive')
      .chain((base) => decorated(base, [...FACT_DECORATORS, 'swap'])),
    orFact(fc.oneof({ weight: 4, arbitrary: number }, text)),
  ),
  leafOf(
    fc.constantFrom(
      'someValue:equal',
      'everyValue:notEqual',
      'someFact:someValue:equal',
      'everyFact:someValue:equal',
      'not:someValue:lessThan',
      'someValue:contains',
    ),
    orFact(list),
  ),
  leafOf(fc.constantFrom('exists', 'not:exists'), fc.boolean()),
  leafOf(
    fc
      .constantFrom('startsWith', 'endsWith', 'containsText')
      .chain((base) => decorated(base, FACT_DECORATORS)),
    orFact(text),
  ),
  leafOf(
    decorated('matches', FACT_DECORATORS),
    fc.constantFrom('^renewal', '[0-9]+', 'rec.rd$', '^(a+)+$', '完成'),
  ),
  leafOf(
    fc.constantFrom('before', 'after', 'not:before'),
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.constantFrom('2026-11-24T10:00:00Z', '2026-11-24', '2021-06-01T00:00:00+08:00'),
      },
      named('when'),
    ),
    fc.oneof({ weight: 5, arbitrary: named('when') }, place),
  ),
  leafOf(
    fc.constantFrom('olderThan', 'newerThan', 'not:newerThan'),
    fc.constantFrom('30m', '2h', '1d', 'PT24H'),
    fc.oneof({ weight: 5, arbitrary: named('when') }, place),
  ),
);

/** Names of named conditions that documents may use. */
const NAMES = ['is-renewal', 'is-done', 'is-both'] as const;

export const { condition } = fc.letrec<{ condition: ConditionDocument; group: ConditionDocument }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 5, arbitrary: leaf },
    { weight: 3, arbitrary: tie('group') },
    fc.constantFrom(...NAMES).map((condition) => ({ condition })),
  ),
  group: fc.oneof(
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
}));

/** What a rule may hold: a group or a named condition at the root. */
export const rootCondition: fc.Arbitrary<ConditionDocument> = fc.oneof(
  { weight: 3, arbitrary: fc.array(condition, { minLength: 1, maxLength: 4 }).map((all) => ({ all })) },
  fc.array(condition, { minLength: 1, maxLength: 4 }).map((any) => ({ any })),
  condition.map((not) => ({ not })),
  fc.constantFrom(...NAMES).map((name) => ({ condition: name })),
);

/** The named conditions; the last uses the others. */
export const namedConditions: fc.Arbitrary<Readonly<Record<string, ConditionDocument>>> = fc
  .tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), fc.array(leaf, { minLength: 1, maxLength: 2 }), leaf)
  .map(([renewal, done, more]) => ({
    'is-renewal': { any: renewal },
    'is-done': { all: done },
    'is-both': { all: [{ condition: 'is-renewal' }, { any: [{ condition: 'is-done' }, more] }] },
  }));

export const trigger: fc.Arbitrary<readonly string[]> = fc.constantFrom(
  ['demo.made_v1'],
  ['demo.changed_v1'],
  ['demo.made_v1', 'demo.changed_v1'],
  ['demo.*'],
);
