// Ajv plays the editor, as in rule-schema.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { ruleSchema } from '../../src/rules/rule-schema.js';

const schema = ruleSchema(loadBuiltInCatalogue()) as {
  readonly definitions: Readonly<
    Record<string, { readonly properties?: Readonly<Record<string, { readonly description?: string }>> }>
  >;
};
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);

const CASE = {
  name: 'a renewal is approved',
  steps: [{ event: { status: 3 } }] as readonly unknown[],
  expect: [{ rule: 'renewal-done', action: 'mail-hr' }] as readonly unknown[],
};
const valid = (document: unknown): boolean => validate(document);
const withCase = (change: object): object => ({ cases: [{ ...CASE, ...change }] });

describe('the JSON Schema of *.cases.json', () => {
  it('takes the cases that ship with the product', () => {
    const files = readdirSync('rules', { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.cases.json'),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const fits = validate(JSON.parse(readFileSync(join('rules', file), 'utf8')));
      expect([file, fits, validate.errors]).toEqual([file, true, null]);
    }
  });

  it('takes every key', () => {
    expect(
      valid({
        $schema: '../schema.json',
        description: 'of renewals',
        rules: ['renewal-done'],
        now: '2026-01-05T09:00:00+08:00',
        timezone: 'Asia/Shanghai',
        calendar: 'cn',
        cases: [
          {
            ...CASE,
            description: 'what HR wanted to know',
            rules: ['renewal-done'],
            now: '2026-01-05T01:00:00.5Z',
            steps: [
              { lookup: { process: { status: 9 }, user: null } },
              {
                event: { status: 3, of_their_own: [] },
                type: 'corehr.process.approver.updated_v2',
                verdicts: { 'renewal-done': 'matched' },
              },
              { event: { schema: '2.0', header: {}, event: {} } },
              { advance: '25h' },
              { advance: '2026-02-05T09:00:00+08:00' },
            ],
            expect: [
              {
                rule: 'renewal-done',
                action: 'mail-hr',
                step: 'remind',
                at: '8h',
                with: { to: ['hr@example.com'] },
                state: 'dead',
                code: 'TEMPLATE_VALUE_MISSING',
              },
            ],
            verdicts: {
              a: { verdict: 'unknown', missing: ['node.complete'] },
              b: { verdict: 'skipped', cause: 'disabled' },
              c: { verdict: 'error', error: 'no work calendar' },
              d: { verdict: 'not matched', because: ['status'] },
              e: { verdict: 'matched', suppressed: { 'mail-hr': 'once-per' } },
            },
          },
        ],
      }),
    ).toBe(true);
    expect(validate.errors).toBe(null);
  });

  it.each<[string, unknown]>([
    ['an unknown key of the file', { cases: [CASE], case: [] }],
    ['a case in which nothing happens', withCase({ steps: [] })],
    ['a case without steps', { cases: [{ name: 'x', expect: [] }] }],
    ['an unknown key of a case', withCase({ expected: [] })],
    ['a step that is two', withCase({ steps: [{ event: {}, advance: '1h' }] })],
    ['a step that is none', withCase({ steps: [{ wait: '1h' }] })],
    ['a time without its unit', withCase({ steps: [{ advance: 25 }] })],
    ['a duration of working time', withCase({ steps: [{ advance: '8 work hours' }] })],
    ['a start without its zone', withCase({ now: '2026-01-05T09:00:00' })],
    ['a delivery without its action', withCase({ expect: [{ rule: 'a' }] })],
    ['a state that is none', withCase({ expect: [{ rule: 'a', action: 'b', state: 'pending' }] })],
    ['a verdict that is none', withCase({ verdicts: { a: 'match' } })],
    ['a cause that is none', withCase({ verdicts: { a: { verdict: 'matched', suppressed: { b: 'x' } } } })],
  ])('refuses %s', (_what, document) => {
    expect(valid(document)).toBe(false);
  });

  it('explains the fields of events, with the values that they have', () => {
    const { definitions } = schema;
    const status = definitions['case.event.corehr.process.approver.updated_v2']?.properties?.['status'];
    expect(status).toMatchObject({
      description: '状态 / status',
      anyOf: [
        {
          enum: [1, 2, 3, 4, 18],
          enumDescriptions: [
            '待办 / to do',
            '拒绝 / rejected',
            '已完成 / done',
            '取消 / cancelled',
            '已干预 / intervened',
          ],
        },
        {},
      ],
    });
    // Of all types, what means the same everywhere.
    const any = definitions['case.event']?.properties;
    expect(Object.keys(any?.['status'] ?? {})).toEqual(['description']);
    expect(any?.['status']?.description).toContain('状态 / status');
    expect(any?.['node_type']).toMatchObject({ anyOf: [{ enum: [1, 2, 5, 6] }, {}] });
  });
});
