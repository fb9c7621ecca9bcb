import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { checkFiles } from '../../../src/rules/check/check-files.js';
import { RULE_KEYS } from '../../../src/rules/check/rule-check.js';
import { DECORATORS, OPERATORS } from '../../../src/rules/operators.js';
import { ruleSchema } from '../../../src/rules/rule-schema.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { healthyRuleFiles } from '../../support/rule-generator.js';

const catalogue = expenseCatalogue();
const seed = Number(process.env['FC_SEED'] ?? Date.now());

describe('healthy rules', () => {
  it('are taken without a word', () => {
    fc.assert(
      fc.property(healthyRuleFiles(catalogue), (files) => {
        const { findings, rules, ruleCount } = checkFiles(files, catalogue);
        expect(findings).toEqual([]);
        expect(rules).toHaveLength(ruleCount);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('are valid by the JSON Schema too', () => {
    const validate = new Ajv({ strict: false }).compile(ruleSchema(catalogue));
    fc.assert(
      fc.property(healthyRuleFiles(catalogue), (files) => {
        for (const [file, text] of files) {
          if (!file.endsWith('.rule.json')) continue;
          const valid = validate(JSON.parse(text.replace(/^\ufeff/, '')));
          expect([text, valid, validate.errors]).toEqual([text, true, null]);
        }
      }),
      { seed, numRuns: 100 },
    );
  });

  it('use every key of a rule', () => {
    const used = new Set(
      fc
        .sample(healthyRuleFiles(catalogue), { seed, numRuns: 500 })
        .flatMap((files) => [...files])
        .filter(([file]) => file.endsWith('.rule.json'))
        .flatMap(([, text]) => JSON.parse(text.replace(/^\ufeff/, '')) as object | object[])
        .flatMap((rule) => Object.keys(rule)),
    );
    // A twin stands beside its rule, and dates go by: those have tests of their own.
    const others = ['effective', 'mode', 'shadowOf'];
    for (const key of RULE_KEYS.filter((one) => !others.includes(one))) expect(used).toContain(key);
  });

  it('use every operator and decorator', () => {
    const texts = fc
      .sample(healthyRuleFiles(catalogue), { seed, numRuns: 1000 })
      .flatMap((files) => [...files.values()]);
    const used = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/"operator": ?"([^"]+)"/g)].flatMap(([, operator = '']) => operator.split(':')),
      ),
    );
    expect([...used].sort()).toEqual([...OPERATORS, ...DECORATORS].map(({ name }) => name).sort());
  });

  it('never bring the check down when they are damaged', () => {
    fc.assert(
      fc.property(
        healthyRuleFiles(catalogue),
        fc.array(
          fc.record({
            at: fc.nat(10_000),
            remove: fc.nat(12),
            insert: fc.constantFrom(
              '',
              '{',
              '}',
              '[',
              ']',
              ',',
              ':',
              '"',
              '\\',
              'null',
              '1',
              '-',
              '"all"',
              '"fact"',
              '__proto__',
              '，',
              '\u0000',
              '{{',
              '*',
              '"constructor"',
              '1e999',
              '\ud800',
            ),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        (files, damages) => {
          const damaged = new Map(
            [...files].map(([file, text]) => [
              file,
              damages.reduce((before, { at, remove, insert }) => {
                const start = at % (before.length + 1);
                return before.slice(0, start) + insert + before.slice(start + remove);
              }, text),
            ]),
          );
          const { findings } = checkFiles(damaged, catalogue);
          for (const { file, line, column } of findings) {
            const lines = (damaged.get(file) ?? '').split(/\r\n|\r|\n/);
            expect(line).toBeLessThanOrEqual(lines.length);
            expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          }
        },
      ),
      { seed, numRuns: 500 },
    );
  });

  it('never bring the check down when they are any JSON at all', () => {
    const word = fc.constantFrom(
      'name',
      'trigger',
      'conditions',
      'actions',
      'event',
      'type',
      'params',
      'all',
      'any',
      'not',
      'condition',
      'fact',
      'operator',
      'value',
      'path',
      'literal',
      'url',
      'to',
      'subject',
      'body',
      'headers',
      'retry',
      'labels',
      '__proto__',
      'constructor',
      'toString',
      'status',
      'equal',
      'in',
      'http',
      'email',
      'someFact:equal',
      'expense.submitted_v1',
      'escalate',
      'per',
      'task',
      'steps',
      'after',
      '24h',
      'cancelOn',
      'schedule',
      'over',
      '0 9 * * *',
      'digest',
      'throttle',
      'quietHours',
      'calendar',
      'key',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        word,
        fc.constantFrom(null, true, 0, 2.5, '', '{{ event.x }}'),
        fc.array(tie('value'), { maxLength: 4 }),
        fc
          .array(fc.tuple(word, tie('value')), { maxLength: 6 })
          .map((entries) => Object.fromEntries(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, value, value, (rule, conditions, entry) => {
        const files = new Map([
          ['a.rule.json', JSON.stringify(rule)],
          ['a.conditions.json', JSON.stringify(conditions)],
          ['catalogue/a.event.json', JSON.stringify(entry)],
          [
            'a.json',
            JSON.stringify({ name: 'a', trigger: 'expense.submitted_v1', conditions, actions: [rule] }),
          ],
        ]);
        expect(checkFiles(files, catalogue).findings.length).toBeGreaterThan(0);
      }),
      { seed, numRuns: 500 },
    );
  });
});
