// The real service with its database and a real receiver: an edited rule file is tried on an event that is there.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleCases, RuleHistory } from '../../../src/console/api/rule-pages.schema.js';
import type { Trial } from '../../../src/console/api/trials.schema.js';
import { MASK } from '../../../src/console/api/personal.js';
import type { Told } from '../../support/console.js';
import { until } from '../../support/door.js';
import {
  CANARIES,
  openSeeded,
  PLANTED,
  SEEDED_TYPE,
  type SeededConsole,
  visitPush,
} from '../../support/seeded-console.js';

type Document = Record<string, unknown>;

let seeded: SeededConsole;
beforeAll(async () => {
  seeded = await openSeeded();
}, 60_000);
afterAll(() => seeded.close());

const ruleOf = (name: string): Document =>
  JSON.parse(readFileSync(join(seeded.rules, `${name}.rule.json`), 'utf8')) as Document;

async function ask(name: string, document: unknown, more: object = {}): Promise<Told> {
  const text = typeof document === 'string' ? document : JSON.stringify(document, null, 2);
  return await seeded.console.ask('operator', '/trials', {
    json: { path: `${name}.rule.json`, text, ...more },
  });
}

async function trial(name: string, document: unknown, more: object = {}): Promise<Trial> {
  const { status, body, text } = await ask(name, document, more);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  return body as Trial;
}

const is = (fact: string, value: unknown) => ({ fact, operator: 'equal', value });

describe('POST /trials', () => {
  it('tells that the file as it is changes nothing', async () => {
    const { live, ruleSet, ok, findings, rules, deliveries, looked, left, events } = await trial(
      'announce',
      readFileSync(join(seeded.rules, 'announce.rule.json'), 'utf8'),
    );
    expect({ ok, findings, looked, left }).toEqual({ ok: true, findings: [], looked: 1, left: 0 });
    expect(ruleSet).toBe(live);
    const counts = { matched: 1, nearMiss: 0, notMatched: 0, unknown: 0, error: 0, skipped: 0 };
    expect(rules).toEqual([{ name: 'announce', change: 'same', now: counts, before: counts }]);
    expect(deliveries).toEqual({ same: 1, added: 0, removed: 0, changed: 0 });
    expect(events[0]).toMatchObject({
      id: seeded.event.id,
      eventType: SEEDED_TYPE,
      rules: [{ rule: 'announce', now: 'matched', before: 'matched' }],
    });
  });

  it('renders what an edit would send, beside what is sent; secrets stay references', async () => {
    const document = ruleOf('announce');
    const [action] = document['actions'] as Document[];
    const body = { who: '{{ event.applicant }}', city: '{{ event.contact.city }}' };
    const { events, rules, ruleSet, live } = await trial('announce', {
      ...document,
      actions: [{ ...action, body }],
    });
    expect(ruleSet).not.toBe(live);
    expect(rules[0]?.change).toBe('changed');
    const [delivery] = events[0]?.deliveries ?? [];
    expect(delivery).toMatchObject({
      change: 'changed',
      gathered: false,
      request: {
        body: { who: CANARIES.name, city: 'Hangzhou' },
        headers: { authorization: 'Bearer {{ secrets.RECEIVER_TOKEN }}' },
      },
      before: { body: { who: CANARIES.name, phone: CANARIES.phone } },
    });
    expect(JSON.stringify(events)).not.toContain(PLANTED.RECEIVER_TOKEN);
  });

  it('tells what an edit makes of verdicts, and which condition failed', async () => {
    const { events, rules, deliveries } = await trial('announce', {
      ...ruleOf('announce'),
      conditions: { all: [is('status', 3), is('applicant', 'somebody else')] },
    });
    expect(rules[0]).toMatchObject({ now: { matched: 0, nearMiss: 1 }, before: { matched: 1 } });
    expect(deliveries).toEqual({ same: 0, added: 0, removed: 1, changed: 0 });
    expect(events[0]?.rules[0]).toMatchObject({
      now: 'not matched',
      before: 'matched',
      nearMiss: true,
      failing: [{ fact: 'applicant', actual: CANARIES.name, expected: 'somebody else' }],
    });
    expect(events[0]?.deliveries[0]).toMatchObject({ change: 'removed', request: null });
  });

  it('tells of a new file, of a rule that goes, and of one that listens no more', async () => {
    const added = await trial('brand-new', {
      ...ruleOf('announce'),
      name: 'brand-new',
    });
    expect(added.rules).toMatchObject([{ name: 'brand-new', change: 'added', before: { matched: 0 } }]);
    expect(added.events[0]?.rules).toMatchObject([{ now: 'matched', before: 'not listening' }]);
    expect(added.deliveries).toMatchObject({ added: 1 });

    const renamed = await trial('announce', { ...ruleOf('announce'), name: 'other' });
    expect(renamed.rules.map(({ name, change }) => `${name} ${change}`).sort()).toEqual([
      'announce removed',
      'other added',
    ]);
    expect(renamed.deliveries).toMatchObject({ added: 1, removed: 1 });

    const elsewhere = {
      ...ruleOf('announce'),
      trigger: 'corehr.process.updated_v2',
      conditions: { all: [is('status', 9)] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    };
    expect((await trial('announce', elsewhere)).events[0]?.rules).toMatchObject([
      { now: 'not listening', before: 'matched' },
    ]);
  });

  it('says what is wrong with the file at its place, and tries nothing', async () => {
    const { ok, findings, ruleSet, events, looked } = await trial(
      'announce',
      '{\n  "name": "announce",\n  "trigger": "hr.visit.requested_v1",\n  "conditions": {"all": [{"fact": "stauts", "operator": "equal", "value": 3}]},\n  "actions": []\n}',
    );
    expect({ ok, ruleSet, events, looked }).toEqual({ ok: false, ruleSet: '', events: [], looked: 0 });
    const wrong = findings.find(({ line }) => line === 4);
    expect(wrong).toMatchObject({ file: 'announce.rule.json', column: 35 });
    expect(findings.every(({ file }) => file === 'announce.rule.json')).toBe(true);

    const broken = await trial('announce', '{"name": ');
    expect(broken).toMatchObject({ ok: false, findings: [{ file: 'announce.rule.json', line: 1 }] });
  });

  it('hears from other files what an edit breaks there', async () => {
    const twice = await trial('aaa', { ...ruleOf('announce') });
    expect(twice.ok).toBe(false);
    // The name stands in the later file a second time.
    expect(twice.findings).toMatchObject([{ code: 'RULE_NAME_TWICE', file: 'announce.rule.json' }]);

    const { status, body } = await seeded.console.ask('operator', '/trials', {
      json: { path: 'lookups.json', text: '{}' },
    });
    expect(status).toBe(200);
    expect((body as Trial).findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ file: 'ask-first.rule.json', severity: 'error' })]),
    );
  });

  it('tries all rules with another file of what they refer to', async () => {
    const path = 'lookups.json';
    const text = readFileSync(join(seeded.rules, path), 'utf8');
    const { body } = await seeded.console.ask('operator', '/trials', { json: { path, text } });
    const { ok, ruleSet, live, rules } = body as Trial;
    expect({ ok, same: ruleSet === live }).toEqual({ ok: true, same: true });
    expect(rules.map(({ name }) => name).sort()).toEqual([
      'announce',
      'ask-first',
      'compare',
      'invite',
      'nearly',
    ]);
  });

  it('leaves out events whose look-up was never asked', async () => {
    const document = {
      ...ruleOf('announce'),
      conditions: { all: [is('lookup.person.secretary', CANARIES.answered)] },
    };
    expect(await trial('announce', document)).toMatchObject({
      looked: 1,
      left: 0,
      rules: [{ now: { matched: 1 } }],
    });
    const lookups = JSON.parse(readFileSync(join(seeded.rules, 'lookups.json'), 'utf8')) as Document;
    const text = JSON.stringify({
      person: { ...(lookups['person'] as Document), url: 'http://127.0.0.1:1/other/{{ event.employee_id }}' },
    });
    const { body } = await seeded.console.ask('operator', '/trials', {
      json: { path: 'lookups.json', text },
    });
    expect(body).toMatchObject({ ok: true, looked: 0, left: 1 });
  });

  it('takes events of a type, or one', async () => {
    const file = ruleOf('announce');
    expect(await trial('announce', file, { type: 'corehr.*' })).toMatchObject({ looked: 0, events: [] });
    expect(await trial('announce', file, { type: '*' })).toMatchObject({ looked: 1 });
    expect(await trial('announce', file, { event: seeded.event.eventId })).toMatchObject({ looked: 1 });
    expect(await ask('announce', file, { event: 'nobody' })).toMatchObject({
      status: 404,
      body: { code: 'EVENT_UNKNOWN' },
    });
  });

  it('is for operators, and takes no path out of the folder', async () => {
    const json = { path: 'announce.rule.json', text: '{}' };
    expect(await seeded.console.ask('viewer', '/trials', { json })).toMatchObject({ status: 403 });
    for (const path of [
      '../a.json',
      '/a.json',
      'a/../b.json',
      '.git/a.json',
      'a.txt',
      'a//b.json',
      'a\\b.json',
      '',
    ])
      expect(await seeded.console.ask('operator', '/trials', { json: { ...json, path } })).toMatchObject({
        status: 400,
        body: { code: 'REQUEST_INVALID' },
      });
  });

  it('stores and sends nothing', async () => {
    const count = async (): Promise<unknown> =>
      await seeded.console.dataSource.query(
        'select (select count(*) from evaluations) e, (select count(*) from deliveries) d, (select count(*) from rule_sets) r, (select count(*) from audit_log) a',
      );
    const before = await count();
    const requests = seeded.receiver.received.length;
    await trial('brand-new', { ...ruleOf('announce'), name: 'brand-new' });
    expect(await count()).toEqual(before);
    expect(seeded.receiver.received).toHaveLength(requests);
  });

  it('is one at a time for a user', async () => {
    const file = ruleOf('announce');
    const answers = await Promise.all([ask('announce', file), ask('announce', file), ask('announce', file)]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(answers.find(({ status }) => status === 429)).toMatchObject({ body: { code: 'BUSY' } });
    expect((await ask('announce', file)).status).toBe(200);
  });
});

describe('GET /rules/{name}/history', () => {
  const history = async (
    name: string,
    role: 'viewer' | 'operator' = 'operator',
    query = '',
  ): Promise<RuleHistory> => await seeded.console.get<RuleHistory>(role, `/rules/${name}/history${query}`);

  it('counts how the rule stands to the last events, and what it nearly matched', async () => {
    const nearly = await history('nearly');
    expect(nearly).toMatchObject({
      rule: 'nearly',
      looked: 1,
      left: 0,
      counts: { matched: 0, nearMiss: 1 },
      slices: [{ nearMiss: 1 }],
      nearMisses: [
        {
          count: 1,
          eventIds: [seeded.event.id],
          leaf: { fact: 'applicant', actual: CANARIES.name, position: [1] },
        },
      ],
      lastMatched: null,
      days: [],
      masked: false,
    });
    const announce = await history('announce');
    expect(announce).toMatchObject({
      counts: { matched: 1 },
      lastMatched: { eventId: seeded.event.id },
      days: [{ made: 1, delivered: 0, dead: 1 }],
    });
    expect(announce.from).toBe(announce.until);
    expect(announce.daysSince <= (announce.days[0]?.day ?? '')).toBe(true);
  });

  it('keeps personal values from viewers', async () => {
    const { nearMisses, masked } = await history('nearly', 'viewer');
    expect(masked).toBe(true);
    expect(nearMisses[0]?.leaf).toMatchObject({ actual: MASK, expected: MASK });
  });

  it('takes in new events, and knows only live rules', async () => {
    await seeded.console.push(visitPush({ status: 1 }));
    await until(async () => (await history('announce')).looked === 2, 20_000);
    expect(await history('announce')).toMatchObject({ counts: { matched: 1, nearMiss: 1 } });
    expect(await history('announce', 'viewer', '?events=1')).toMatchObject({ looked: 1 });
    expect(await seeded.console.ask('viewer', '/rules/nobody/history')).toMatchObject({
      status: 404,
      body: { code: 'RULE_UNKNOWN' },
    });
  }, 40_000);
});

describe('GET /rules/{name}/cases', () => {
  const cases = async (name: string): Promise<RuleCases> =>
    await seeded.console.get<RuleCases>('viewer', `/rules/${name}/cases`);
  const write = (content: object): void => {
    writeFileSync(join(seeded.rules, 'announce.cases.json'), JSON.stringify(content, null, 1));
  };

  it('runs the rule tests on disk, and says what they cover', async () => {
    expect(await cases('announce')).toMatchObject({ file: null, cases: [], coverage: null });
    const event = {
      status: 3,
      visit_id: '1',
      guests: [],
      applicant: 'a',
      contact: { phone: '1' },
    };
    write({
      cases: [
        { name: 'tells', steps: [{ event }], verdicts: { announce: 'matched' } },
        { name: 'is wrong', steps: [{ event }], verdicts: { announce: 'not matched' } },
      ],
    });
    await until(async () => (await cases('announce')).cases.length === 2, 20_000);
    const { file, cases: ran, coverage } = await cases('announce');
    expect(file).toBe('announce.cases.json');
    expect(ran).toMatchObject([
      { name: 'tells', line: 3, ok: true, failures: [] },
      { name: 'is wrong', ok: false },
    ]);
    expect(ran[1]?.failures.join('\n')).toContain('− not matched');
    expect(coverage?.points.all).toBeGreaterThan(2);
    expect(coverage?.unseen.map(({ text }) => text).join('\n')).toContain('never seen false');
    rmSync(join(seeded.rules, 'announce.cases.json'));
  }, 40_000);
});
