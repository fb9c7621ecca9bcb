// Pure: no database, no clock.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FieldDefinition } from '../../../src/events/catalogue.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { type KeptValues, keptBy } from '../../../src/rules/cases/kept-values.js';
import { StandIns } from '../../../src/rules/cases/stand-ins.js';
import { shapeOf } from '../../../src/rules/lookup-fields.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';

const seed = process.env['FC_SEED'];
const seeded = seed === undefined ? {} : { seed: Number(seed) };

const label = { zh: '某', en: 'some' };
const PERSON: FieldDefinition = { type: 'string', label, personal: true };
const NOBODY: FieldDefinition = { type: 'string', label };
const NOTHING: KeptValues = { values: new Set(), starts: [], ends: [], within: [] };

function replaced(values: readonly unknown[], field = PERSON, kept = NOTHING): unknown[] {
  const standIns = new StandIns(kept);
  for (const value of values) standIns.learn(value, { field });
  return values.map((value) => standIns.replace(value, { field }));
}

describe('a stand-in', () => {
  it.each<[string, unknown, unknown]>([
    ['a mail address', 'zhang.san@corp.example.cn', 'person-1@example.com'],
    ['an open_id', 'ou_84aad35d084aa403a838cf73ee18467', 'ou_0000000000000000000000000000001'],
    ['a union_id', 'on_cad4860e7af114fb4ff6c5d496d1dd76', 'on_00000000000000000000000000000001'],
    ['a user_id', 'b613t51g', '00000001'],
    ['a GUID', '81D31358-93AF-92D6-7425-01A5D67C4E71', '00000000-0000-0000-0000-000000000001'],
    ['a number as text', '7072306364927985196', '0000000000000000001'],
    ['a phone', '+86 138 0013 8000', '+00 000 0000 0001'],
    ['a Chinese name', '欧阳娜娜', '员工1'],
    ['a Latin name', 'Ann Mary Lee', 'Person 1'],
    ['a login', 'zhangsan', 'person-1'],
    ['what somebody wrote', '同意，请尽快办理入职手续。', '文字1'],
    ['a sentence', 'I agree, but ask him first!', 'Text 1'],
    ['a link', 'https://feishu.cn/avatar/7f.png', 'https://example.com/person-1'],
    ['a day', '1990-05-12', '2000-01-02'],
    ['a moment', '1990-05-12T08:00:00+08:00', '2000-01-02T08:00:00+08:00'],
    ['a number', 4711, 1001],
  ])('of %s has its shape', (_what, value, standIn) => {
    expect(replaced([value])).toEqual([standIn]);
  });

  it('of a time is a time, as the field writes it', () => {
    const written = { ...PERSON, format: 'epoch-milliseconds' } as const;
    expect(replaced(['1666079207003'], written)).toEqual(['946771200000']);
    expect(replaced([1666079207], { ...written, type: 'integer', format: 'epoch-seconds' })).toEqual([
      946771200,
    ]);
  });

  it('is the same for the same value and another for another', () => {
    expect(replaced(['ou_aaaa1', 'ou_bbbb2', 'ou_aaaa1', 'ann', 'bob'])).toEqual([
      'ou_00001',
      'ou_00002',
      'ou_00001',
      'person-1',
      'person-2',
    ]);
  });

  it('is never a value that somebody really has', () => {
    expect(replaced(['李四', '员工1', '员工2'])).toEqual(['员工3', '员工4', '员工5']);
  });

  it('leaves what names nobody: blanks, booleans, null, values of the list of a field', () => {
    const listed: FieldDefinition = { ...PERSON, enum: [{ value: 'sick leave', label }] };
    expect(replaced(['', null, true, 'sick leave', 'It hurts!'], listed)).toEqual([
      '',
      null,
      true,
      'sick leave',
      'Text 1',
    ]);
  });

  it('stands in lists and objects, and wherever else the value is named', () => {
    const process = shapeOf('process', {
      type: 'feishu-process',
      id: 'x',
      userIdType: 'open_id',
      timeout: 1,
      within: 1,
    });
    const place = { field: process.field, strangers: true };
    const answer = {
      initiator_id: 'ou_11111111',
      initiator_name: { zh_cn: '张三', en_us: 'Zhang San' },
      process_name: { zh_cn: '张三的续签', en_us: "Zhang San's renewal" },
      status: 9,
      done_list: [{ operator_id: 'ou_22222222', approval_opinion: '张三真的很好', status: 3 }],
      comment_infos: [{ at_user_ids: ['ou_11111111', 'ou_33333333'] }],
      salary_band: 'P7 of ou_22222222',
      level: 7,
    };
    const standIns = new StandIns(NOTHING);
    standIns.learn(answer, place);
    expect(standIns.replace(answer, place)).toEqual({
      initiator_id: 'ou_00000001',
      initiator_name: { zh_cn: '员工1', en_us: 'Person 1' },
      process_name: { zh_cn: '员工1的续签', en_us: "Person 1's renewal" },
      status: 9,
      done_list: [{ operator_id: 'ou_00000002', approval_opinion: '文字1', status: 3 }],
      comment_infos: [{ at_user_ids: ['ou_00000001', 'ou_00000003'] }],
      // Nothing is known of it: what stands there may be anything.
      salary_band: 'Text 1',
      level: 7,
    });
    expect(standIns.everywhere({ text: 'ou_11111111 or ou_111111112, 张三' })).toEqual({
      text: 'ou_00000001 or ou_111111112, 员工1',
    });
  });

  it('replaces what the catalogue calls personal, and a text elsewhere only when it is long enough', () => {
    const standIns = new StandIns(NOTHING);
    const field = loadBuiltInCatalogue().fieldOf('approval.task.status_changed_v4', 'assigned_user');
    const user = { union_id: 'on_1x', user_id: 'bob', open_id: 'ou_84aad35d' };
    standIns.learn(user, { field });
    expect(standIns.replace(user, { field })).toEqual({
      union_id: '00_01',
      user_id: 'person-1',
      open_id: 'ou_00000001',
    });
    expect(standIns.replace('bob ou_84aad35d', { field: NOBODY })).toBe('bob ou_00000001');
  });
});

describe('what a rule names', () => {
  const leaf = (operator: string, value: unknown) => ({ fact: 'open_id', operator, value });
  const rule = {
    name: 'named',
    trigger: 'leave_approvalV2',
    conditions: {
      any: [
        leaf('equal', 'ou_the_boss_1'),
        leaf('in', ['ou_two_1', 'ou_three_1']),
        leaf('not:startsWith', 'ou_dev_'),
        leaf('endsWith', '_temp'),
        leaf('containsText', 'robot'),
        { fact: 'user_id', operator: 'equal', value: 'b1' },
      ],
    },
    actions: [
      {
        type: 'email',
        name: 'mail',
        to: 'a@example.com',
        cc: '{{ event.open_id }}',
        allowRecipientFromEvent: ['corp.example.cn'],
        subject: 's',
        text: 't',
        when: { all: [leaf('equal', 'ou_in_when_1')] },
      },
    ],
  };
  const compiled = async (): Promise<KeptValues> => {
    const texts = new Map([['a.rule.json', JSON.stringify(rule)]]);
    const { ruleSet } = await compileRuleSet(texts, loadBuiltInCatalogue());
    return keptBy(ruleSet?.rules ?? []);
  };

  it('stays, in whole or the part that is named', async () => {
    expect(
      replaced(
        [
          'ou_the_boss_1',
          'ou_three_1',
          'ou_in_when_1',
          'b1',
          'ou_dev_4711',
          'ou_4711_temp',
          'a robot 1',
          'ann@corp.example.cn',
          'ann@elsewhere.example',
        ],
        PERSON,
        await compiled(),
      ),
    ).toEqual([
      'ou_the_boss_1',
      'ou_three_1',
      'ou_in_when_1',
      'b1',
      expect.stringMatching(/^ou_dev_.*1$/),
      expect.stringMatching(/^ou_.*_temp$/),
      expect.stringContaining('robot'),
      'person-1@corp.example.cn',
      'person-2@example.com',
    ]);
  });
});

describe('stand-ins of any values', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('a', '1', '_', '@', '.', ' ', '张', '三', '-'), maxLength: 8 }),
    fc.emailAddress(),
    fc.uuid(),
    fc.constantFrom('员工1', 'person-1', 'ou_1', 'ou_0001', '2000-01-02', '00000001'),
  );

  it('are told apart as the values are, and none is one of them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(value, { minLength: 1, maxLength: 30 }), (values) => {
        const real = values.filter((one) => one !== '');
        const made = replaced(real) as string[];
        expect(new Set(made).size).toBe(real.length);
        expect(made.filter((one) => real.includes(one))).toEqual([]);
        expect(replaced(real)).toEqual(made);
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});
