// Generated rules with look-ups over generated events and answers. Pure: no Nest, no database, no network.
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Catalogue } from '../../src/events/catalogue.js';
import {
  decide,
  type Decision,
  type DecisionInputs,
  judge,
  type Subject,
  type Verdict,
} from '../../src/rules/decide.js';
import { explainEvent } from '../../src/rules/explain.js';
import type { LookupAnswer, LookupAnswers } from '../../src/rules/lookup-document.js';
import { planLookups } from '../../src/rules/lookup-plan.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';

const TYPE = 'thing.happened';
const NOW = Date.UTC(2026, 10, 2, 9);
const CATALOGUE = new Catalogue([]);
const SEED = process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {};

/** `d` needs `a`, and `e` needs `d` and something of the event that may be missing. */
const LOOKUPS = {
  a: { type: 'http', url: 'https://a.example/{{ event.p }}' },
  b: { type: 'http', url: 'https://b.example/{{ event.q }}' },
  c: { type: 'http', url: 'https://c.example/{{ event.p }}', headers: { x: '{{ secrets.X }}' } },
  d: { type: 'http', url: 'https://d.example/{{ lookup.a.x }}' },
  e: { type: 'http', url: 'https://e.example/{{ lookup.d.x }}/{{ event.r }}' },
};
type Name = keyof typeof LOOKUPS;
const NAMES = Object.keys(LOOKUPS) as Name[];

const value = fc.constantFrom<unknown>(0, 1, 2, 'u', null);
const lookupFact = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom('', '.x', '.y', '.x.z', '.list.0'))
  .map(([name, member]) => `lookup.${name}${member}`);
const fact = fc.oneof(fc.constantFrom('p', 'q', 'r', 's'), lookupFact);
const leaf = fc.oneof(
  fc.record({
    fact,
    operator: fc.constantFrom('equal', 'notEqual', 'equal', 'not:equal'),
    value: fc.oneof(
      value,
      fact.map((one) => ({ fact: one })),
    ),
  }),
  fc.record({
    fact,
    operator: fc.constantFrom('in', 'notIn'),
    value: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ fact, operator: fc.constantFrom('exists', 'not:exists'), value: fc.boolean() }),
  fc.record({ fact, operator: fc.constantFrom('lessThan', 'greaterThan'), value: fc.constantFrom(0, 1) }),
  // One that may fail to be evaluated.
  fc.record({ fact, operator: fc.constant('in'), value: fact.map((one) => ({ fact: one })) }),
);
const { condition } = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));
const rule = fc.record({
  condition,
  read: fc.option(lookupFact, { nil: null }),
});
const event = fc.record({ p: value, q: value, r: value, s: value }, { requiredKeys: [] });
/** What a look-up would answer; null: it fails. */
const answer = fc.option(
  fc.oneof(
    value,
    fc.record(
      { x: fc.oneof(value, fc.record({ z: value })), y: value, list: fc.array(value, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
  ),
  { nil: undefined },
);
const answers = fc.record(
  Object.fromEntries(NAMES.map((name) => [name, answer])) as Record<Name, typeof answer>,
);

async function ruleSetOf(
  rules: readonly { readonly condition: object; readonly read: string | null }[],
): Promise<RuleSet> {
  const documents = rules.map((one, at) => ({
    name: `rule-${at}`,
    trigger: TYPE,
    conditions: { all: [one.condition] },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: 'https://x.example/',
        body: one.read === null ? {} : `{{ ${one.read.replace('.0', '[0]')} }}`,
      },
    ],
  }));
  const files = new Map([
    ['a.rule.json', JSON.stringify(documents)],
    ['lookups.json', JSON.stringify(LOOKUPS)],
  ]);
  const { ruleSet, findings } = await compileRuleSet(files, CATALOGUE);
  if (!ruleSet) throw new Error(JSON.stringify(findings.filter(({ severity }) => severity === 'error')));
  return ruleSet;
}

interface Asked {
  readonly answers: LookupAnswers;
  readonly names: ReadonlySet<string>;
}

/** Asks as the service does, each look-up once at most. */
function ask(ruleSet: RuleSet, subject: Subject, values: Readonly<Record<string, unknown>>): Asked {
  let known: LookupAnswers = {};
  const names = new Set<string>();
  for (;;) {
    const { fetch, failed } = planLookups(ruleSet, subject, { now: NOW, timezone: 'UTC', lookups: known });
    known = { ...known, ...failed };
    if (fetch.length === 0) return { answers: known, names };
    for (const { name, key } of fetch) {
      expect(names).not.toContain(name);
      names.add(name);
      known = { ...known, [name]: answerTo(key, values[name]) };
    }
  }
}

function answerTo(request: string, of: unknown): LookupAnswer {
  return of === undefined
    ? { request, failed: { code: 'HTTP_503', detail: 'no' }, fetchedAt: NOW }
    : { request, value: of, fetchedAt: NOW };
}

const runs = (numRuns: number): { numRuns: number } => ({ numRuns, ...SEED });

describe('generated rules with look-ups', () => {
  let reader: RuleSet;
  beforeAll(async () => {
    // Rules that together need every look-up, whatever the others say.
    reader = await ruleSetOf(
      NAMES.map((name) => ({
        condition: { fact: `lookup.${name}.nothing`, operator: 'equal', value: 1 },
        read: null,
      })),
    );
  });

  it('are decided by what was asked as they would be by everything, and again from the record', async () => {
    const seen = { events: 0, spared: 0, matched: 0, unknown: 0, error: 0, dead: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(event, answers), { minLength: 1, maxLength: 4 }),
        async (rules, cases) => {
          const ruleSet = await ruleSetOf(rules);
          const again = await ruleSetOf(rules);
          for (const [fields, values] of cases) {
            const subject: Subject = {
              key: 'o/e',
              eventType: TYPE,
              entity: 'e',
              appId: null,
              facts: new Map(Object.entries({ event_type: TYPE, ...fields })),
            };
            const asked = ask(ruleSet, subject, values);
            const inputs: DecisionInputs = { now: NOW, timezone: 'UTC', lookups: asked.answers };
            const decision = await decide(ruleSet, subject, inputs);
            // Whoever asks for everything learns no more, unless it is that a condition nobody needed would fail.
            const everything = { ...inputs, lookups: ask(reader, subject, values).answers };
            const { verdicts } = await decide(ruleSet, subject, everything);
            const fails = new Set(
              verdicts.filter(({ verdict }) => verdict === 'error').map((one) => one.rule),
            );
            const others = (of: readonly Verdict[]): Verdict[] => of.filter((one) => !fails.has(one.rule));
            expect(others(decision.verdicts)).toEqual(others(verdicts));
            // From the record, as it comes back from the database.
            const recorded = JSON.parse(JSON.stringify(inputs)) as DecisionInputs;
            expect(plain(await decide(again, subject, recorded))).toEqual(plain(decision));
            const told = new Map(decision.verdicts.map((one) => [one.rule, one]));
            for (const one of again.rules) {
              const verdict = told.get(one.name) ?? { rule: one.name, verdict: 'not matched' };
              expect(await judge(again, one, subject.facts, recorded)).toEqual(verdict);
            }
            const { explanations } = await explainEvent(again, subject, recorded);
            for (const one of explanations)
              expect(one.verdict).toEqual(told.get(one.rule) ?? { rule: one.rule, verdict: 'not matched' });
            seen.events += 1;
            if (asked.names.size < NAMES.length) seen.spared += 1;
            for (const { verdict } of decision.verdicts)
              if (verdict === 'matched' || verdict === 'unknown' || verdict === 'error') seen[verdict] += 1;
            seen.dead += decision.deliveries.filter(({ state }) => state === 'dead').length;
            // The two keys agree, and every other error is the rule's own.
            for (const one of decision.verdicts)
              if (one.verdict === 'error') expect(one.error).not.toContain('json-rules-engine');
          }
        },
      ),
      runs(150),
    );
    process.stdout.write(`look-ups: ${JSON.stringify(seen)}\n`);
    expect(Math.min(seen.spared, seen.matched, seen.unknown, seen.error, seen.dead)).toBeGreaterThan(20);
  }, 120_000);

  it('ask nothing but what the rules read, and what that needs', async () => {
    await fc.assert(
      fc.asyncProperty(leaf, event, answers, async (one, fields, values) => {
        const ruleSet = await ruleSetOf([{ condition: one, read: null }]);
        const subject: Subject = {
          key: 'o/e',
          eventType: TYPE,
          entity: 'e',
          appId: null,
          facts: new Map(Object.entries({ event_type: TYPE, ...fields })),
        };
        const { names } = ask(ruleSet, subject, values);
        const text = JSON.stringify(one);
        const needed = new Set<string>(NAMES.filter((name) => text.includes(`lookup.${name}`)));
        if (needed.has('e')) needed.add('d');
        if (needed.has('d')) needed.add('a');
        for (const name of names) expect(needed).toContain(name);
      }),
      runs(300),
    );
  }, 60_000);
});

/** A decision without the compiled rules that its matches point to. */
function plain({ matches, ...decision }: Decision): object {
  return { ...decision, matches: matches.map(({ rule, ...match }) => ({ ...match, rule: rule.name })) };
}
