import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Catalogue } from '../../src/events/catalogue.js';
import type { CheckedFiles, CheckedRule } from '../../src/rules/check/check-files.js';
import {
  type ConditionDocument,
  type LeafDocument,
  referenceIn,
} from '../../src/rules/condition-document.js';
import { decide, judge } from '../../src/rules/decide.js';
import { parseOperator } from '../../src/rules/operators.js';
import { parsePath } from '../../src/rules/plain-path.js';
import { buildRuleSet, type RuleSet } from '../../src/rules/rule-set.js';
import { facts, namedConditions, NOW, rootCondition, trigger } from '../support/condition-generator.js';
import { askEngine, leavesOf, placesOf } from '../support/json-rules-engine-oracle.js';

type Facts = ReadonlyMap<string, unknown>;
type Named = Readonly<Record<string, ConditionDocument>>;
type Verdict = 'matched' | 'not matched' | 'unknown' | 'error';

const NOTHING_KNOWN = new Catalogue([]);
const RULES_PER_SET = 20;
const EVENTS_PER_SET = 3;
/** Of the 30 000 pairs of the default, a quarter fall out because the rule does not listen to the event's type. */
const SETS = Number(process.env['DIFFERENTIAL_SETS'] ?? 500);

function ruleSetOf(
  rules: readonly (readonly [ConditionDocument, readonly string[]])[],
  conditions: Named,
): Promise<RuleSet> {
  const checked: CheckedFiles = {
    findings: [],
    catalogue: [],
    lookups: {},
    calendars: {},
    owners: null,
    targetLimits: [],
    ruleCount: rules.length,
    conditions,
    rules: rules.map(([document, types], at): CheckedRule => ({
      name: `rule-${String(at).padStart(3, '0')}`,
      enabled: true,
      priority: 1,
      trigger: [...types],
      conditions: document,
      actions: [],
      file: 'generated.rule.json',
      line: 1,
    })),
  };
  return buildRuleSet('generated', checked, NOTHING_KNOWN);
}

/** The value at a place as this test reads it; undefined: missing. */
function valueAt(given: Facts, { fact, path }: { fact: string; path?: string | undefined }): unknown {
  let value = given.get(fact);
  for (const key of path === undefined ? [] : (parsePath(path) ?? [])) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Whether a leaf, on these facts, is within docs/differences-from-json-rules-engine.md. */
function differenceOf(
  leaf: LeafDocument,
  given: Facts,
): 'missing' | 'list-compared' | 'text-searched' | null {
  const { decorators, base } = parseOperator(leaf.operator)!;
  const missing = placesOf(leaf).some((place) => valueAt(given, place) === undefined);
  if (missing && base.name !== 'exists') return 'missing';
  // A path on what is no object: json-rules-engine takes the fact itself.
  if (leaf.path !== undefined && base.name === 'exists' && missing) return 'missing';
  const fact = valueAt(given, leaf);
  const other = referenceIn(leaf.value);
  const wanted = other ? valueAt(given, other) : leaf.value;
  const compared = [
    fact,
    wanted,
    ...[fact, wanted].flatMap((one) => (Array.isArray(one) ? (one as unknown[]) : [])),
  ];
  if (base.fact === 'number' && compared.some((one) => typeof one === 'object' || typeof one === 'boolean'))
    return 'list-compared';
  if ((base.name === 'in' || base.name === 'notIn') && compared.some((one) => typeof one === 'string')) {
    const list = decorators.includes('swap') ? fact : wanted;
    if (!Array.isArray(list)) return 'text-searched';
  }
  return null;
}

/** Kleene's logic, written a second time, over what json-rules-engine says of each leaf alone. */
async function expectedOf(document: ConditionDocument, named: Named, given: Facts): Promise<Verdict> {
  const thrown = new Set<LeafDocument>();
  const fold = async (one: ConditionDocument): Promise<boolean | null> => {
    if ('condition' in one) return await fold(named[one.condition]!);
    if ('not' in one) {
      const part = await fold(one.not);
      return part === null ? null : !part;
    }
    if ('all' in one || 'any' in one) {
      const parts = await Promise.all(('all' in one ? one.all : one.any).map(fold));
      const decisive = 'any' in one;
      return parts.includes(decisive) ? decisive : parts.includes(null) ? null : !decisive;
    }
    const difference = differenceOf(one, given);
    if (difference === 'missing') return one.operator.endsWith('exists') ? existing(one, given) : null;
    const answer =
      difference === 'text-searched'
        ? 'throws'
        : difference === 'list-compared'
          ? listCompared(one, given)
          : await askEngine(one, {}, given, NOW);
    if (answer !== 'throws') return answer;
    thrown.add(one);
    return null;
  };
  const folded = await fold(document);
  if (folded === false) return 'not matched';
  if (thrown.size > 0) return 'error';
  return folded === null ? 'unknown' : 'matched';
}

function existing(leaf: LeafDocument, given: Facts): boolean {
  const holds = (valueAt(given, leaf) !== undefined) === leaf.value;
  return leaf.operator === 'not:exists' ? !holds : holds;
}

/** Ordering with lists and objects: they are no numbers. Through decorators, by the definition of each. */
function listCompared(leaf: LeafDocument, given: Facts): boolean | 'throws' {
  const other = referenceIn(leaf.value);
  const { decorators, base } = parseOperator(leaf.operator)!;
  const compare = (fact: unknown, value: unknown): boolean => {
    if (typeof fact !== 'number' && typeof fact !== 'string') return false;
    if (typeof value !== 'number' && typeof value !== 'string') return false;
    if (Number.isNaN(Number.parseFloat(String(fact)))) return false;
    if (base.name === 'lessThan') return fact < value;
    if (base.name === 'lessThanInclusive') return fact <= value;
    return base.name === 'greaterThan' ? fact > value : fact >= value;
  };
  const apply = (rest: readonly string[], fact: unknown, value: unknown): boolean => {
    const [first, ...more] = rest;
    if (first === undefined) return compare(fact, value);
    if (first === 'not') return !apply(more, fact, value);
    if (first === 'swap') return apply(more, value, fact);
    if (first === 'someValue') return (value as unknown[]).some((one) => apply(more, fact, one));
    if (first === 'everyValue') return (value as unknown[]).every((one) => apply(more, fact, one));
    if (!Array.isArray(fact)) return false;
    return first === 'someFact'
      ? fact.some((one) => apply(more, one, value))
      : fact.every((one) => apply(more, one, value));
  };
  try {
    return apply(decorators, valueAt(given, leaf), other ? valueAt(given, other) : leaf.value);
  } catch {
    return 'throws';
  }
}

describe('our decision and that of json-rules-engine', () => {
  it('are the same for every rule and event, but for the written differences', async () => {
    let pairs = 0;
    const seen: Record<Verdict, number> = { matched: 0, 'not matched': 0, unknown: 0, error: 0 };
    let exact = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(rootCondition, trigger), { minLength: RULES_PER_SET, maxLength: RULES_PER_SET }),
        namedConditions,
        fc.array(facts, { minLength: EVENTS_PER_SET, maxLength: EVENTS_PER_SET }),
        async (rules, named, events) => {
          const ruleSet = await ruleSetOf(rules, named);
          for (const given of events) {
            const eventType = String(given.get('event_type'));
            const subject = { key: 'o/e', eventType, entity: 'e', appId: null, facts: given };
            const decision = await decide(ruleSet, subject, { now: NOW, timezone: 'UTC' });
            const verdicts = new Map(decision.verdicts.map((one) => [one.rule, one.verdict]));
            for (const rule of ruleSet.rules) {
              const [document] = rules[Number(rule.name.slice(5))]!;
              if (!rule.listensTo(eventType)) {
                expect(verdicts.has(rule.name)).toBe(false);
                continue;
              }
              pairs += 1;
              const verdict = verdicts.get(rule.name) ?? 'not matched';
              const expected = await expectedOf(document, named, given);
              seen[expected] += 1;
              const about = JSON.stringify({ document, named, facts: Object.fromEntries(given) });
              expect(`${verdict}: ${about}`).toBe(`${expected}: ${about}`);
              expect((await judge(ruleSet, rule, given, { now: NOW, timezone: 'UTC' })).verdict).toBe(
                expected,
              );
              if (leavesOf(document, named).every((leaf) => differenceOf(leaf, given) === null)) {
                const whole = await askEngine(document, named, given, NOW);
                // A leaf that throws takes json-rules-engine's whole run with it; here a sure "no" stands.
                if (whole === 'throws') expect(['error', 'not matched']).toContain(verdict);
                else expect(`${verdict}: ${about}`).toBe(`${whole ? 'matched' : 'not matched'}: ${about}`);
                exact += 1;
              }
            }
          }
        },
      ),
      { numRuns: SETS, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) },
    );
    process.stdout.write(
      `differential: ${pairs} pairs, ${exact} without any difference; ${JSON.stringify(seen)}\n`,
    );
    if (SETS >= 500) {
      expect(pairs).toBeGreaterThanOrEqual(20_000);
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
    }
  }, 300_000);
});
