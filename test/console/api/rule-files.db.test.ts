// The real service and its database: the files of a stored rule set, and the versions of a rule over activations.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RuleVersions } from '../../../src/console/api/rule-pages.schema.js';
import { RuleVersionsService } from '../../../src/console/api/rule-versions.service.js';
import { StoredRules } from '../../../src/console/read/stored-rule.js';
import { Clock } from '../../../src/config/clock.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import { RuleSetStore } from '../../../src/rules/rule-set-store.js';
import { TestClock } from '../../support/clock.js';
import { TestConsole } from '../../support/console.js';
import { folderWith } from '../../support/folder.js';

const TASK = 'corehr.process.approver.updated_v2';
const ruleOf = (name: string, status: number, more: object = {}) => ({
  name,
  trigger: TASK,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: status }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
  ...more,
});
const text = (value: unknown): string => JSON.stringify(value, null, 2);
const CASES = text({ cases: [] });
const FIRST = {
  'a/done.rule.json': `\ufeff${text(ruleOf('done', 3))}\r\n`,
  'other.rule.json': text(ruleOf('other', 1)),
  'done.cases.json': CASES,
};

let console: TestConsole;
let store: RuleSetStore;
const catalogue = loadBuiltInCatalogue();
beforeAll(async () => {
  console = await TestConsole.open({ RULES_DIR: folderWith(FIRST) });
  store = new RuleSetStore(
    console.dataSource,
    catalogue,
    new LiveCatalogue(console.dataSource, catalogue),
    new TestClock(Date.now()),
  );
}, 120_000);
afterAll(() => console.close());

/** Makes a set of these files the live one. Answers its hash. */
async function activate(files: Record<string, string>): Promise<string> {
  const map = new Map(Object.entries(files));
  const { ruleSet, findings } = await compileRuleSet(map, catalogue);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  await store.offer(ruleSet, map, 'change');
  return ruleSet.hash;
}

describe('a file of a rule set', () => {
  const file = (hash: string, path: string, role: 'viewer' | null = 'viewer') =>
    console.ask(role, `/rule-sets/${hash}/file?path=${encodeURIComponent(path)}`);

  it('is told as it was read, by the live set or the beginning of a hash', async () => {
    const live = await store.liveHash();
    for (const hash of ['live', live ?? '', live?.slice(0, 6) ?? '']) {
      const answer = await file(hash, 'a/done.rule.json');
      expect(answer.body).toEqual({
        ruleSet: live,
        path: 'a/done.rule.json',
        text: FIRST['a/done.rule.json'].slice(1),
      });
    }
    expect((await file('live', 'done.cases.json')).body).toMatchObject({ text: CASES });
  });

  it('that there is not is refused, with the names of those that there are', async () => {
    for (const path of ['done.rule.json', '../a/done.rule.json', 'a', '__proto__', 'toString', "x' or '1"])
      expect(await file('live', path)).toMatchObject({
        status: 404,
        body: {
          code: 'FILE_UNKNOWN',
          detail: expect.stringContaining('there are a/done.rule.json, done.cases.json, other.rule.json'),
        },
      });
  });

  it('of a set that there is not is refused', async () => {
    for (const hash of ['000000', 'x', 'LIVE'])
      expect(await file(hash, 'a/done.rule.json')).toMatchObject({
        status: 404,
        body: { code: 'RULE_SET_UNKNOWN' },
      });
  });

  it('is asked for by a path that a file may have, by those who are signed in', async () => {
    expect((await console.ask('viewer', '/rule-sets/live/file')).status).toBe(400);
    expect((await file('live', 'a\0b')).status).toBe(400);
    expect((await file('live', 'a/done.rule.json', null)).status).toBe(401);
  });
});

describe('the versions of a rule', () => {
  const versions = async (name: string): Promise<RuleVersions> =>
    await console.get<RuleVersions>('viewer', `/rules/${name}/versions`);
  const said = ({ versions: all }: RuleVersions) =>
    all.map(({ number, live, file, document }) => [number, live, file, document?.['conditions'] ?? null]);
  const status = (value: number) => ({ all: [{ fact: 'status', operator: 'equal', value }] });

  it('are those activations that changed it, the latest first', async () => {
    await activate({ ...FIRST, 'other.rule.json': text(ruleOf('other', 2)) });
    const changed = { ...FIRST, 'a/done.rule.json': text(ruleOf('done', 2)) };
    const second = await activate(changed);
    // Elsewhere, and in other letters: the same rule.
    const rest = Object.fromEntries(Object.entries(changed).filter(([file]) => file !== 'a/done.rule.json'));
    await activate({
      ...rest,
      'b/list.rule.json': text([ruleOf('more', 1), ruleOf('done', 2)]).replace('"done"', '"\\u0064one"'),
    });
    await activate(rest);
    await activate(changed);
    const found = await versions('done');
    expect(said(found)).toEqual([
      [6, true, 'a/done.rule.json', status(2)],
      [5, false, null, null],
      [3, false, 'a/done.rule.json', status(2)],
      [1, false, 'a/done.rule.json', status(3)],
    ]);
    expect(found.cut).toBe(false);
    expect(found.versions[2]?.ruleSet).toBe(second);
    // With what the loader fills in, as the list of live rules has it.
    const live = await console.get<{ document: unknown; sentence: unknown }>('viewer', '/rules/done');
    expect(found.versions[0]).toMatchObject({ document: { enabled: true, priority: 1 }, actor: null });
    expect(found.versions[0]?.sentence).toEqual(live.sentence);
  });

  it('say what differs from the one before, in both languages', async () => {
    const [, , second, first] = (await versions('done')).versions;
    expect(first?.changes).toBeNull();
    for (const language of ['zh', 'en'] as const) {
      const pieces = second?.changes?.[language] ?? [];
      const without = (kind: string): string =>
        pieces.flatMap((one) => (one.kind === kind ? [] : [one.text])).join('');
      expect(without('added')).toBe(first?.sentence?.[language]);
      expect(without('removed')).toBe(second?.sentence?.[language]);
      expect(pieces.some(({ kind }) => kind === 'removed')).toBe(true);
    }
    expect(second?.sentence?.zh).toContain('审批任务');
  });

  it('are those of a rule that is gone, too', async () => {
    expect(said(await versions('more'))).toEqual([
      [5, false, null, null],
      [4, false, 'b/list.rule.json', status(1)],
    ]);
  });

  it('are told anew after the next activation', async () => {
    const shared = {
      'names.conditions.json': text({ done: status(3) }),
      'a/done.rule.json': text({ ...ruleOf('done', 3), conditions: { condition: 'done' } }),
    };
    await activate({ ...FIRST, ...shared });
    const [last] = (await versions('done')).versions;
    expect(last).toMatchObject({ number: 7, live: true, document: { conditions: { condition: 'done' } } });
    expect(last?.changes?.en.some(({ kind }) => kind === 'added')).toBe(true);
  });

  it('stand as they are written where this version cannot read them', async () => {
    await console.dataSource.query(
      `insert into rule_sets (hash, files, created_at) values (repeat('f', 64), $1::json, now())`,
      [JSON.stringify({ 'a/done.rule.json': text({ ...ruleOf('done', 3), fromTheFuture: true }) })],
    );
    await console.dataSource.query(
      `insert into rule_set_activations (hash, activated_at, reason) values (repeat('f', 64), now(), 'by a newer version')`,
    );
    const [last] = (await versions('done')).versions;
    expect(last).toMatchObject({
      number: 8,
      document: { fromTheFuture: true },
      sentence: null,
      changes: null,
    });
    await activate(FIRST);
  });

  it('of a rule that there never was are refused', async () => {
    for (const name of ['nobody', '__proto__', 'a%00b', `x'`, '%25'])
      expect(await console.ask('viewer', `/rules/${name}/versions`)).toMatchObject({
        status: 404,
        body: { code: 'RULE_UNKNOWN' },
      });
  });

  it('are looked for as long as the time lasts: who asks again gets further', async () => {
    /** Each look at it is two seconds later. */
    class HastyClock extends Clock {
      private time = 0;
      now(): number {
        this.time += 2000;
        return this.time;
      }
    }
    const hasty = new RuleVersionsService(
      store,
      new StoredRules(console.dataSource, catalogue),
      new HastyClock(),
    );
    const first = await hasty.list('done');
    expect(first.cut).toBe(true);
    let last = first;
    for (let times = 0; last.cut && times < 20; times += 1) last = await hasty.list('done');
    expect(last).toEqual(await versions('done'));
    expect(last.versions.length).toBeGreaterThan(first.versions.length);
  });
});
