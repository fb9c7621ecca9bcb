import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { type CheckedFiles, checkFiles } from '../../../src/rules/check/check-files.js';
import { ruleSetHash } from '../../../src/rules/check/rule-set-hash.js';
import { buildRuleSet } from '../../../src/rules/rule-set.js';

const catalogue = loadBuiltInCatalogue();
const check = (lookups: unknown, more: Readonly<Record<string, unknown>> = {}): CheckedFiles =>
  checkFiles(
    new Map(
      Object.entries({ 'lookups.json': lookups, ...more }).map(([file, value]) => [
        file,
        typeof value === 'string' ? value : JSON.stringify(value, null, 2),
      ]),
    ),
    catalogue,
  );
const codes = ({ findings }: CheckedFiles): string[] => findings.map(({ code }) => code);

describe('look-ups', () => {
  it('are documents with their defaults', () => {
    const { lookups, findings } = check({
      $schema: './schema.json',
      process: { type: 'feishu-process', id: '{{ event.process_id }}' },
      user: { type: 'feishu-user', id: '{{ lookup.process.initiator_id }}', app: 'default', within: 'PT30M' },
      hr: { type: 'http', url: 'https://hr.example.com/{{ event.approver_id }}', cache: '1h' },
    });
    expect(findings).toEqual([]);
    const wait = { timeout: 5000, within: 14_400_000 };
    expect(lookups).toEqual({
      process: { type: 'feishu-process', id: '{{ event.process_id }}', userIdType: 'open_id', ...wait },
      user: {
        type: 'feishu-user',
        id: '{{ lookup.process.initiator_id }}',
        app: 'default',
        idType: 'open_id',
        cache: 86_400_000,
        timeout: 5000,
        within: 1_800_000,
      },
      hr: {
        type: 'http',
        url: 'https://hr.example.com/{{ event.approver_id }}',
        headers: {},
        cache: 3_600_000,
        ...wait,
      },
    });
  });

  it('may be anything that HTTP answers, where no fields are said', () => {
    const leaf = (fact: string, operator: string, value: unknown): object => ({ fact, operator, value });
    const rule = {
      name: 'r',
      trigger: 'corehr.process.approver.updated_v2',
      conditions: {
        all: [
          leaf('lookup.hr', 'contains', 'x'),
          leaf('lookup.hr.0.name', 'startsWith', 'x'),
          leaf('biz_type', 'in', { fact: 'lookup.hr' }),
        ],
      },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body: '{{ lookup.hr[0].x }}' }],
    };
    expect(
      codes(check({ hr: { type: 'http', url: 'https://a.example/' } }, { 'a.rule.json': rule })),
    ).toEqual([]);
  });

  it('are a part of the version of the rule set, as what is known of their answers', () => {
    const rules = new Map([['a.rule.json', '{}']]);
    const hash = (lookups: string): string =>
      ruleSetHash(new Map([...rules, ['lookups.json', lookups]]), catalogue);
    expect(new Set([ruleSetHash(rules, catalogue), hash('{}'), hash('{ }')]).size).toBe(3);
  });

  it('are at most a hundred', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 5000 }, (_, at) => [
        `l${at}`,
        { type: 'feishu-user', id: `{{ lookup.l${at + 1}.open_id }}` },
      ]),
    );
    expect(new Set(codes(check(chain)))).toEqual(new Set(['LOOKUP_VALUE_INVALID', 'TEMPLATE_VALUE_MISSING']));
  });

  it('of the example in README are sound', () => {
    const [, example = ''] =
      /```json\n(\{\n {2}"process"[\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
    const { findings, lookups } = check(example);
    expect(findings).toEqual([]);
    expect(Object.keys(lookups)).toEqual(['process', 'user', 'employee']);
  });

  it('never bring the check down when they are damaged', async () => {
    const text = JSON.stringify({
      process: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
      user: { type: 'feishu-user', id: '{{ lookup.process.task.operator_id }}', cache: '1d', within: '1h' },
      hr: {
        type: 'http',
        url: 'https://a.example/{{ lookup.user.name }}',
        headers: { a: 'Bearer {{ secrets.A }}' },
        fields: { grade: { type: 'integer', label: { zh: '级', en: 'grade' } } },
      },
    });
    const inserted = [
      '',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      '{{',
      '}}',
      'null',
      '1',
      '__proto__',
      'lookup.',
      '\u0000',
    ];
    const damage = fc.record({
      at: fc.nat(text.length),
      remove: fc.nat(12),
      insert: fc.constantFrom(...inserted),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
        let damaged = text;
        for (const { at, remove, insert } of damages)
          damaged = damaged.slice(0, at) + insert + damaged.slice(at + remove);
        const checked = check(damaged);
        // What is found sound can be compiled.
        if (!checked.findings.some(({ severity }) => severity === 'error')) {
          const { lookups } = await buildRuleSet('hash', checked, catalogue);
          expect([...lookups.keys()]).toEqual(Object.keys(checked.lookups));
        }
        for (const { line, column, message, mend } of checked.findings)
          expect([line >= 1, column >= 1, message !== '', mend !== '']).toEqual([true, true, true, true]);
      }),
      { numRuns: 2000, ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}) },
    );
  });
});
