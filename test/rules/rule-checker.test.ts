// What is checked in part must be what is found when everything is checked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { RuleChecker } from '../../src/rules/rule-checker.js';
import { checkRuleFiles, type CheckedFolder } from '../../src/rules/rule-compiler.js';

const catalogue = loadBuiltInCatalogue();
const TYPE = 'corehr.process.approver.updated_v2';

interface Rule {
  readonly name: string;
  readonly conditions: object;
  readonly when: object | undefined;
  readonly calendar: string | undefined;
  readonly cancelOn: object | null | undefined;
}

const STATUS = fc.constantFrom(1, 2, 3).map((value) => ({ fact: 'status', operator: 'equal', value }));
const leaf = fc.oneof(
  { weight: 30, arbitrary: STATUS },
  // A warning, an info, an error, and the use of a named condition.
  { weight: 2, arbitrary: fc.constant({ fact: 'status', operator: 'equal', value: 77 }) },
  { weight: 2, arbitrary: fc.constant({ fact: 'node_id', operator: 'equal', value: '1' }) },
  fc.constant({ fact: 'statsu', operator: 'equal', value: 1 }),
  fc.constantFrom('shared', 'other').map((condition) => ({ condition })),
  { weight: 4, arbitrary: fc.constant({ fact: 'lookup.process.status', operator: 'equal', value: 9 }) },
);
const NAMED = JSON.stringify({
  shared: { any: [{ fact: 'status', operator: 'equal', value: 1 }] },
  other: { any: [{ fact: 'node_id', operator: 'equal', value: '1' }] },
});
/** One with a warning, so that the file's own findings are there too. */
const LOOKUPS = JSON.stringify({
  process: { type: 'feishu-process', id: '{{ event.process_id }}' },
  odd: { type: 'feishu-user', id: '{{ event.nobody_has_this }}' },
});
/** The same, by an info. */
const OFFICE = JSON.stringify({ name: 'office', holidays: ['2026-01-01'] });
const rule: fc.Arbitrary<Rule> = fc.record({
  name: fc.integer({ min: 0, max: 300 }).map((n) => `rule-${n}`),
  conditions: fc.record({ all: fc.array(leaf, { minLength: 1, maxLength: 2 }) }),
  calendar: fc.constantFrom(undefined, undefined, undefined, 'cn', 'office'),
  // Null: an escalation without.
  cancelOn: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.constant(null),
    fc.tuple(leaf).map((any) => ({ any })),
    fc.constantFrom('shared', 'other').map((condition) => ({ any: [{ condition }] })),
  ),
  when: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    fc.constantFrom('shared', 'other').map((condition) => ({ condition })),
  ),
});
const ACTIONS = [{ type: 'http', name: 'tell', url: 'https://a.example/' }];
const textOf = ({ name, conditions, calendar, cancelOn, when }: Rule): string =>
  JSON.stringify(
    {
      name,
      trigger: TYPE,
      conditions,
      calendar,
      actions: ACTIONS.map((action) => ({ ...action, when })),
      ...(cancelOn === undefined
        ? {}
        : {
            escalate: {
              per: 'task',
              steps: [{ after: '8 work hours', actions: ACTIONS }],
              ...(cancelOn ? { cancelOn } : {}),
            },
          }),
    },
    null,
    1,
  );

type Edit = readonly [string, string | null];
const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.integer({ min: 0, max: 25 }).map((n) => `${n}.rule.json`),
      rule.map(textOf),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.integer({ min: 0, max: 25 }).map((n) => `${n}.rule.json`),
      fc.constant(null),
    ),
  },
  fc.tuple(
    fc.constant('all.conditions.json'),
    fc.constantFrom(null, NAMED, NAMED.replace('"value":1', '"value":"x"')),
  ),
  fc.tuple(
    fc.constant('lookups.json'),
    fc.constantFrom(null, LOOKUPS, LOOKUPS.replace('event.nobody_has_this', 'event.process_id'), '{}'),
  ),
  fc.tuple(
    fc.constant('office.calendar.json'),
    fc.constantFrom(null, OFFICE, OFFICE.replace('2026-01-01', '2026-01-02'), '{}'),
  ),
  fc.tuple(fc.constant('half.rule.json'), fc.constantFrom('{ "name": ', null)),
);

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
const comparable = ({ hash, checked }: CheckedFolder): object => ({
  hash,
  ...checked,
  rules: [...checked.rules].sort(byName),
});

describe('a folder that is checked again after each change', () => {
  it('has the findings and the rules of a folder that is checked as a whole', async () => {
    let sound = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 5, maxLength: 20 }),
        fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
        async (rules, edits) => {
          const checker = new RuleChecker(catalogue, 1);
          const files = new Map(
            rules.map((one, at) => [`${at}.rule.json`, textOf({ ...one, name: `${one.name}-${at}` })]),
          );
          files.set('all.conditions.json', NAMED);
          files.set('lookups.json', LOOKUPS);
          files.set('office.calendar.json', OFFICE);
          let wasSound = false;
          for (const changes of [[], ...edits]) {
            for (const [file, text] of changes) {
              if (text === null) files.delete(file);
              else files.set(file, text);
            }
            const given = new Map(files);
            const whole = await checkRuleFiles(given, catalogue);
            expect(comparable(await checker.check(given))).toEqual(comparable(whole));
            const isSound = !whole.checked.findings.some(({ severity }) => severity === 'error');
            if (isSound && wasSound) sound += 1;
            wasSound = isSound;
          }
        },
      ),
      { numRuns: 200, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) },
    );
    // Else nothing would ever have been checked in part.
    process.stdout.write(`checked again: ${sound} times from sound to sound\n`);
    expect(sound).toBeGreaterThan(100);
  }, 60_000);
});
