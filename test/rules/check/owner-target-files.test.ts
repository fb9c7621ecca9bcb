// What owners.json and targets.json hold. Their mistakes have a folder each in test/fixtures/bad-rules.
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { type CheckedFiles, checkFiles } from '../../../src/rules/check/check-files.js';
import { ruleSetHash } from '../../../src/rules/check/rule-set-hash.js';
import { RuleChecker } from '../../../src/rules/rule-checker.js';
import { ruleSchema } from '../../../src/rules/rule-schema.js';
import { lanesOfRules } from '../../../src/rules/target-limit-use.js';

const catalogue = loadBuiltInCatalogue();
const filesOf = (files: Readonly<Record<string, unknown>>): Map<string, string> =>
  new Map(Object.entries(files).map(([file, value]) => [file, JSON.stringify(value, null, 2)]));
const check = (files: Readonly<Record<string, unknown>>): CheckedFiles =>
  checkFiles(filesOf(files), catalogue);
const rule = (actions: readonly object[], more: object = {}): object => ({
  name: 'r',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: actions.map((action, index) => ({ name: `a${index}`, ...action })),
  ...more,
});
const http = (url: string): object => ({ type: 'http', url });

const OWNERS = {
  $schema: './schema.json',
  '人事运营 people-ops': {
    tell: [
      { type: 'email', to: ['ops@example.com'] },
      { type: 'feishu-bot', url: '{{ secrets.OPS_BOT }}', sign: 'OPS_BOT_SIGN' },
      { type: 'feishu-message', to: { chat_id: 'oc_1' }, app: 'hr' },
    ],
  },
  '*': {
    tell: [
      {
        type: 'http',
        url: 'https://pager.example.com/in',
        headers: { authorization: 'Bearer {{ secrets.PAGER }}' },
      },
    ],
  },
};

it('editors know what the files hold', () => {
  const validate = new Ajv({ strict: false }).compile(ruleSchema(catalogue));
  const limits = { $schema: './schema.json', email: { concurrency: 1, rate: { max: 5, per: '1s' } } };
  for (const good of [OWNERS, limits, rule([http('https://a.example/')])])
    expect([good, validate(good), validate.errors]).toEqual([good, true, null]);
  const text = { tell: [{ type: 'email', to: 'a@b.example', subject: 'x' }] };
  for (const bad of [
    { ops: text },
    { ops: { tell: [] } },
    { mail: { concurrency: 1 } },
    { email: { rate: 5 } },
  ])
    expect([bad, validate(bad)]).toEqual([bad, false]);
});

describe('owners.json', () => {
  it('names ways to tell the owners of rules', () => {
    const { owners, findings } = check({
      'owners.json': OWNERS,
      'a.rule.json': rule([http('https://a.example/')], { owner: '人事运营 people-ops' }),
    });
    expect(findings).toEqual([]);
    expect(Object.keys(owners ?? {})).toEqual(['人事运营 people-ops', '*']);
    expect(owners?.['*']).toMatchObject([
      { type: 'http', method: 'POST', body: { kind: expect.anything() } },
    ]);
  });

  it('says which owner was meant, and who is told otherwise', () => {
    const mendOf = (owner: string, owners: object): string | undefined =>
      check({ 'owners.json': owners, 'a.rule.json': rule([http('https://a.example/')], { owner }) })
        .findings[0]?.mend;
    const ops = { 'people-ops': OWNERS['*'] };
    expect(mendOf('peopel-ops', ops)).toBe('Did you mean "people-ops"?');
    expect(mendOf('payroll', ops)).toContain('nobody is told');
    expect(mendOf('payroll', OWNERS)).toContain('those of "*" are told');
  });

  it('may be absent: then owners are names', () => {
    const { owners, findings } = check({ 'a.rule.json': rule([http('https://a.example/')], { owner: 'x' }) });
    expect([owners, findings]).toEqual([null, []]);
  });

  it('is part of the rule set, as targets.json is', () => {
    const hash = (files: object): string => ruleSetHash(filesOf({ ...files }), catalogue);
    const hashes = [{}, { 'owners.json': OWNERS }, { 'targets.json': { '*': { concurrency: 1 } } }].map(hash);
    expect(new Set(hashes).size).toBe(3);
  });
});

describe('targets.json', () => {
  it('limits targets', () => {
    const { targetLimits, findings } = check({
      'targets.json': {
        '*': { concurrency: 20 },
        'http:payroll.example.com': { rate: { max: 5, per: '1s' }, concurrency: 2 },
      },
      'a.rule.json': rule([http('https://payroll.example.com/approvals/{{ event.approver_id }}')]),
    });
    expect(findings).toEqual([]);
    expect(targetLimits).toEqual([
      { lane: '*', concurrency: 20, rate: null },
      { lane: 'http:payroll.example.com', concurrency: 2, rate: { max: 5, perMs: 1000 } },
    ]);
  });

  it('names what actions lead to', () => {
    const { rules } = check({
      'a.rule.json': rule(
        [
          http('HTTPS://Payroll.Example.com:443'),
          http('https://b.example:8443/x?y={{ event.approver_id }}'),
          http('{{ secrets.HOOK }}'),
          { ...http('/open-apis/im/v1/messages'), auth: 'feishu' },
          { type: 'feishu-bot', url: '{{ secrets.BOT }}', text: 'x' },
        ],
        {
          escalate: {
            per: 'task',
            steps: [
              {
                after: '1d',
                actions: [{ type: 'email', name: 'm', to: 'a@b.example', subject: 'x', text: 'x' }],
              },
            ],
          },
        },
      ),
    });
    expect([...lanesOfRules(rules)]).toEqual([
      'http:payroll.example.com',
      'http:b.example:8443',
      'http:secret:HOOK',
      'feishu',
      'feishu-bot:BOT',
      'email',
    ]);
  });

  it('says which target was meant', () => {
    const mendsOf = (targets: object): string[] =>
      check({
        'targets.json': targets,
        'a.rule.json': rule([http('https://payroll.example.com/')]),
      }).findings.map(({ mend }) => mend);
    const limit = { concurrency: 1 };
    expect(
      mendsOf({
        'http:payrol.example.com': limit,
        'https://Payroll.example.com/x': limit,
        'email:a@b.example': limit,
        emial: limit,
      }),
    ).toEqual([
      'Did you mean "http:payroll.example.com"?',
      'Did you mean "http:payroll.example.com"?',
      expect.stringContaining('its target is "email"'),
      'Did you mean "email"?',
    ]);
  });

  it('is looked at again when a rule of many leads elsewhere', async () => {
    const checker = new RuleChecker(catalogue, 2);
    const files = (url: string): Map<string, string> =>
      filesOf({
        'targets.json': { 'http:a.example': { concurrency: 1 } },
        'owners.json': { x: OWNERS['*'] },
        'a.rule.json': rule([http(url)], { owner: 'y' }),
        'b.rule.json': rule([http('https://b.example/')], { name: 'b', owner: 'x' }),
      });
    const codes = async (url: string): Promise<string[]> =>
      (await checker.check(files(url))).checked.findings.map(({ code }) => code);
    expect(await codes('https://a.example/')).toEqual(['OWNER_UNKNOWN']);
    expect(await codes('https://a.example/x')).toEqual(['OWNER_UNKNOWN']);
    expect(await codes('https://c.example/')).toEqual(['OWNER_UNKNOWN', 'TARGET_UNUSED']);
    expect(await codes('https://a.example/')).toEqual(['OWNER_UNKNOWN']);
  });
});
