// The built command: two folders without a database; the live and a stored set on real PostgreSQL, and by a service.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../src/config/clock.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { RuleSetStore } from '../../src/rules/rule-set-store.js';
import { readSentence } from '../../src/rules/sentence/rule-sentence.js';
import { startService, type TestService } from '../support/app.js';
import { type Ended, runCommand } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_SETTINGS } from '../support/feishu.js';
import { folderWith, temporaryFolder } from '../support/folder.js';

const rule = (name: string, status: number, more: object = {}): object => ({
  name,
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: status }, { condition: 'is-renewal' }] },
  actions: [
    { type: 'email', name: 'mail', to: ['hr@example.com'], subject: 'a', text: `the text of ${name}` },
  ],
  ...more,
});
const renewal = (type: string): string =>
  JSON.stringify({ 'is-renewal': { all: [{ fact: 'biz_type', operator: 'equal', value: type }] } });
const folderOf = (rules: readonly object[], type = 'renewal_record'): string =>
  folderWith({ 'a.rule.json': JSON.stringify(rules), 'a.conditions.json': renewal(type) });

const escalate = (after: string): object => ({
  escalate: {
    per: 'task',
    calendar: 'cn',
    steps: [
      { after, actions: [{ type: 'email', name: 'again', to: ['hr@example.com'], subject: 'b', text: 'c' }] },
    ],
  },
});
const BEFORE = folderOf([
  rule('stays', 4),
  rule('waits', 1, escalate('8 work hours')),
  rule('old', 3),
  rule('gone', 2),
]);
const AFTER = folderOf(
  [
    rule('stays', 4),
    rule('waits', 2, escalate('4 work hours')),
    { ...rule('old', 3), name: 'new' },
    rule('come', 18),
  ],
  'renewal',
);

interface Json {
  readonly before: string;
  readonly after: string;
  readonly rules: {
    readonly added: readonly { readonly name: string }[];
    readonly removed: readonly { readonly name: string }[];
    readonly renamed: readonly object[];
    readonly changed: readonly {
      readonly name: string;
      readonly before: {
        readonly document: object;
        readonly sentence: { readonly zh: string; readonly en: string };
      };
      readonly words: { readonly zh: readonly { readonly kind: string; readonly text: string }[] };
    }[];
  };
  readonly conditions: { readonly changed: readonly { readonly name: string }[] };
}

const commands = new Commands();
let database: TestDatabase;
let service: TestService;
let hashes: string[];
let token: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const dataSource = await database.open(2);
  const catalogue = loadBuiltInCatalogue();
  hashes = [];
  const store = new RuleSetStore(
    dataSource,
    catalogue,
    new LiveCatalogue(dataSource, catalogue),
    new SystemClock(),
  );
  for (const folder of [BEFORE, AFTER]) {
    const { files } = await readRuleFolder(folder);
    const { ruleSet } = await compileRuleSet(files, catalogue);
    await store.offer(ruleSet!, files, 'change');
    hashes.push(ruleSet!.hash);
  }
  const settings = {
    ...APP_SETTINGS,
    DATABASE_URL: database.url,
    DATA_DIR: temporaryFolder('rules-diff'),
    RULES_DIR: AFTER,
    ADMIN_PASSWORD: 'correct horse battery',
  };
  service = await startService(settings);
  const made = await commands.run(
    ['users', 'token', 'admin', '--name', 'test', '--role', 'viewer'],
    settings,
  );
  token = made.stdout.trim();
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await database.drop();
});

const run = (...parameters: string[]): Promise<Ended> => commands.run(['rules', 'show', ...parameters]);
const here = (...parameters: string[]): Promise<Ended> =>
  commands.run(['rules', 'show', ...parameters], { ...APP_SETTINGS, DATABASE_URL: database.url });
const there = (...parameters: string[]): Promise<Ended> =>
  commands.run(['rules', 'show', ...parameters, '--server', service.url], { AFTERSIGN_TOKEN: token });

describe('aftersign rules show', () => {
  it('says each rule in two sentences above its table, and in JSON', async () => {
    const { code, stdout } = await run('waits', '--rules', BEFORE);
    expect(code).toBe(0);
    const [zh, en] = [stdout.indexOf('规则 waits：当'), stdout.indexOf('Rule waits: when')];
    expect(zh).toBe(0);
    expect(en).toBeGreaterThan(zh);
    expect(stdout.indexOf('┌')).toBeGreaterThan(en);
    expect(stdout).toContain('若 8 个工作小时后仍如此，则：');
    expect(stdout).toContain('其中 mail 的正文为 "the text of waits"。');
    // Of many rules their long texts would be too much.
    const all = await run('--rules', BEFORE, '--lang', 'zh');
    expect(all.stdout.match(/^规则 /gmu)).toHaveLength(4);
    expect(all.stdout).not.toMatch(/^Rule |的正文为/mu);

    const json = JSON.parse((await run('--rules', BEFORE, '--json')).stdout) as {
      readonly rules: readonly object[];
      readonly sentences: readonly { readonly name: string; readonly zh: string; readonly en: string }[];
    };
    expect(json.sentences.map(({ name }) => name)).toEqual(['gone', 'old', 'stays', 'waits']);
    for (const [at, sentence] of json.sentences.entries()) {
      expect(json.rules[at]).toMatchObject(readSentence(sentence.zh, 'zh'));
      expect(json.rules[at]).toMatchObject(readSentence(sentence.en, 'en'));
    }
  });
});

describe('aftersign rules show --diff', () => {
  it('marks the changed words, and tells what was added, removed and renamed', async () => {
    const { code, stdout, stderr } = await run('--diff', BEFORE, AFTER);
    expect([code, stderr]).toEqual([0, '']);
    for (const part of [
      'rules 规则: 1 added 新增, 1 removed 删除, 1 changed 修改, 1 renamed 改名\n',
      'named conditions 命名条件: 1 changed 修改\n',
      '且状态（status）为「[-待办-]{+拒绝+}」（[-1-]{+2+}），\n',
      '若 [-8-]{+4+} 个工作小时后仍如此，则：\n',
      'if that is still so [-8-]{+4+} work hours later, then:\n',
      '+ rule 规则 come: added 新增\n  规则 come：当「审批任务状态变更」',
      '− rule 规则 gone: removed 删除\n  规则 gone：当「审批任务状态变更」',
      '→ rule 规则 old: renamed 改名 new, else the same 其余不变\n',
      '业务类型（biz_type）为 "[-renewal_record-]{+renewal+}"',
    ])
      expect(stdout).toContain(part);
    expect(stdout).not.toContain('stays');
    // Of a changed rule only those of the long texts that changed.
    expect(stdout).not.toContain('the text of waits');
  });

  it('speaks one language when asked, of one rule when asked, and in colours', async () => {
    const zh = await run('waits', '--lang', 'zh', '--diff', BEFORE, AFTER);
    expect(zh.stdout).toMatch(
      /^rules 规则: 1 changed 修改\n\n~ rule 规则 waits: changed 修改\n {2}规则 waits：/,
    );
    expect(zh.stdout).not.toContain('Rule waits');
    const coloured = await runCommand(['rules', 'show', 'waits', '--lang', 'en', '--diff', BEFORE, AFTER], {
      FORCE_COLOR: '1',
    });
    expect(coloured.stdout).toContain(
      '“\u001b[31m\u001b[9mto do\u001b[29m\u001b[39m\u001b[32mrejected\u001b[39m”',
    );
  });

  it('prints both documents and sentences as JSON', async () => {
    const { code, stdout } = await run('--json', '--diff', BEFORE, AFTER);
    expect(code).toBe(0);
    const { rules, conditions, ...sets } = JSON.parse(stdout) as Json;
    expect(sets).toEqual({ before: hashes[0], after: hashes[1] });
    expect(rules.added.map(({ name }) => name)).toEqual(['come']);
    expect(rules.removed.map(({ name }) => name)).toEqual(['gone']);
    expect(rules.renamed).toEqual([{ from: 'old', to: 'new' }]);
    expect(conditions.changed.map(({ name }) => name)).toEqual(['is-renewal']);
    const [changed] = rules.changed;
    expect(changed?.name).toBe('waits');
    expect(readSentence(changed?.before.sentence.zh ?? '', 'zh')).toEqual(changed?.before.document);
    expect(changed?.words.zh.flatMap(({ kind, text }) => (kind === 'added' ? [] : text)).join('')).toBe(
      changed?.before.sentence.zh,
    );
  });

  it('compares the live set and stored ones, here and by a running service', async () => {
    const folders = await run('--diff', BEFORE, AFTER);
    for (const sets of [
      [hashes[0]!.slice(0, 8), 'live'],
      [BEFORE, 'live'],
      [hashes[0]!, AFTER],
    ]) {
      expect(await here('--diff', ...sets)).toEqual(folders);
      const told = await there('--diff', ...sets);
      expect([told.code, told.stdout]).toEqual([0, folders.stdout]);
    }
  });

  it('says so when nothing differs', async () => {
    expect((await here('--diff', 'live', AFTER)).stdout).toBe(
      'The two rule sets are the same. 两个规则集相同。\n',
    );
    const again = folderWith({
      'b/other.rule.json': JSON.stringify([rule('old', 3)], null, 2),
      'b.conditions.json': renewal('renewal_record'),
    });
    const moved = await run('--diff', folderOf([rule('old', 3)]), again);
    expect(moved).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The rules and the named conditions/),
    });
    expect((await run('stays', '--diff', BEFORE, AFTER)).stdout).toMatch(
      /^The rule "stays" is the same in both/,
    );
  });

  it('ends with 1 when a set cannot be read, and with 2 on wrong use', async () => {
    const broken = folderWith({ 'a.rule.json': '{' });
    expect(await run('--diff', broken, AFTER)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('JSON_INVALID'),
    });
    expect(await here('--diff', 'ffffffff', 'live')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^RULE_SET_UNKNOWN: /),
    });
    expect(await run('nobody', '--diff', BEFORE, AFTER)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^RULE_UNKNOWN: /),
    });
    for (const wrong of [
      ['--diff', BEFORE],
      ['--diff', BEFORE, AFTER, BEFORE],
      ['--diff', BEFORE, 'nowhere'],
      ['--live', '--diff', BEFORE, AFTER],
      ['--lang', 'fr', '--diff', BEFORE, AFTER],
    ])
      expect([wrong, (await run(...wrong)).code]).toEqual([wrong, 2]);
  });
});
