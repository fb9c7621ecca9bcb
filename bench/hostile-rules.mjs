// Rules written to be slow, on an event made for them: how long does deciding one keep the event loop from others?
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { decide } from '../dist/rules/decide.js';
import { compileRuleSet } from '../dist/rules/rule-compiler.js';

const TYPE = 'demo.hostile_v1';
const leaf = (fact, operator, value) => ({ fact, operator, value });
const many = (count, make) => Array.from({ length: count }, (_, n) => make(n));
const text = 'ab'.repeat(50_000);
const list = many(30_000, (n) => `item-${n}`);

/** Name → conditions. All within what the loader lets pass. */
const HOSTILE = {
  '1 000 leaves': { all: many(1000, (n) => leaf('status', 'notEqual', -1 - n)) },
  '900 patterns on 100 kB of text': {
    any: many(900, (n) => leaf('text', 'matches', `(a+b+)+c{1,${(n % 90) + 1}}$`)),
  },
  'a pattern of many states': { all: [leaf('text', 'matches', '(?:a?b?){250}(?:[ab]c?){200}z')] },
  'a nest of repetitions': { any: many(50, () => leaf('text', 'matches', '^(((a*)*b*)*)*$')) },
  'every element with every value': {
    all: many(40, () =>
      leaf(
        'list',
        'everyFact:someValue:notEqual',
        many(4000, (n) => `x-${n}`),
      ),
    ),
  },
  'texts in texts': { all: many(900, (n) => leaf('text', 'containsText', `${'ab'.repeat(2000 + n)}c`)) },
  'long lists compared': { all: many(900, () => leaf('list', 'contains', 'item-29999')) },
  'a list as a number': { any: many(900, () => leaf('list', 'lessThan', 5)) },
  'deep nesting': many(30, (n) => n).reduce(
    (inner) => ({ not: { all: [inner, leaf('status', 'equal', 3)] } }),
    leaf('status', 'equal', 3),
  ),
};

const facts = new Map([
  ['event_type', TYPE],
  ['status', 3],
  ['text', text],
  ['list', list],
]);

/** Rows with the longest stall in milliseconds for each. */
export async function measureHostileRules() {
  const rows = [];
  for (const [name, conditions] of Object.entries(HOSTILE)) {
    const rule = {
      name: 'hostile',
      trigger: TYPE,
      conditions:
        'not' in conditions || 'all' in conditions || 'any' in conditions
          ? conditions
          : { all: [conditions] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    };
    const { ruleSet, findings } = await compileRuleSet(
      new Map([['hostile.rule.json', JSON.stringify(rule)]]),
      loadBuiltInCatalogue(),
    );
    if (!ruleSet)
      throw new Error(`${name}: ${JSON.stringify(findings.find(({ severity }) => severity === 'error'))}`);
    const subject = { key: 'o/e', eventType: TYPE, entity: 'event:e', facts };
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let longest = 0;
    let verdict = '';
    // Once to compile lazily made parts, three times to measure.
    for (let round = 0; round < 4; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      delay.reset();
      delay.enable();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const { verdicts } = await decide(ruleSet, subject, { now: 0, timezone: 'UTC' });
      await new Promise((resolve) => setTimeout(resolve, 5));
      delay.disable();
      verdict = verdicts[0]?.verdict ?? 'not matched';
      longest = Math.max(longest, delay.max / 1e6);
    }
    rows.push({ rule: name, verdict, longestStallMs: Number(longest.toFixed(1)) });
  }
  return rows;
}

if (process.argv[1] === import.meta.filename) console.table(await measureHostileRules());
