// Replays and recalls as people order them: by the API of the real service and by the built commands, with its database
// and real receivers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Commands } from '../support/commands.js';
import { TestConsole } from '../support/console.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, envelopeOf, pushOf } from '../support/feishu.js';
import { folderWith, put, temporaryFolder } from '../support/folder.js';
import { RecallBook } from '../support/recall-book.js';

interface Order {
  id: string;
  state: string;
  ruleSet: string;
  occasion: string;
  events: { total: number; waiting: number; done: number };
  counts: { outcome: string; count: number }[];
  deliveries: Record<string, number> | null;
}
interface Page {
  items: { id: string; outcome: string; undoId: string | null; nextId: string | null; target: string }[];
}

const TYPE = 'corehr.process.approver.updated_v2';
const BEGIN = Date.UTC(2026, 10, 2);
const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });

const commands = new Commands();
let book: RecallBook;
let console: TestConsole;
let rules: string;
let local: Record<string, string>;

function rule(name: string, conditions: object[], said = 'done'): object {
  return {
    name,
    trigger: TYPE,
    conditions: { all: conditions },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: `${book.url}/${name}`,
        body: { task: '{{ event.approver_id }}', said },
        undo: { type: 'http', method: 'DELETE', url: `${book.url}/${name}` },
      },
    ],
  };
}

async function live(...documents: object[]): Promise<void> {
  const before = await console.get<{ ruleSet: string }>('viewer', '/rules');
  put(rules, { 'a.rule.json': JSON.stringify(documents) });
  await until(async () => {
    const now = await console.get<{ ruleSet: string }>('viewer', '/rules');
    return now.ruleSet !== before.ruleSet;
  }, 15_000);
}

async function push(approver: string, status: number): Promise<void> {
  const event = { process_id: '7', approver_id: approver, node_id: '5', type: 1, status, biz_type: 'leave' };
  const header = {
    event_id: `e${approver}`,
    event_type: TYPE,
    create_time: String(BEGIN + Number(approver)),
  };
  await console.push(pushOf(envelopeOf(event, header)));
}

async function post<T>(path: string, json: object, status = 200): Promise<T> {
  const told = await console.ask('operator', path, { json });
  expect({ status: told.status, text: told.status === status ? '' : told.text }).toEqual({
    status,
    text: '',
  });
  return told.body as T;
}

async function ended(kind: 'replays' | 'recalls', id: string): Promise<Order> {
  let order: Order | undefined;
  await until(async () => {
    order = await console.get<Order>('viewer', `/${kind}/${id}`);
    return !['pending', 'running'].includes(order.state);
  }, 20_000);
  return order!;
}

const delivered = async (count: number): Promise<void> => {
  await until(() => book.effects.size === count, 15_000);
};

beforeAll(async () => {
  book = await RecallBook.open();
  rules = folderWith({
    'a.rule.json': JSON.stringify([
      rule('late', [leaf('status', 'equal', 3), leaf('biz_type', 'equal', 'typo')]),
    ]),
  });
  console = await TestConsole.open({ RULES_DIR: rules, OUTBOUND_ALLOW: '127.0.0.1' });
  local = {
    ...APP_SETTINGS,
    DATABASE_URL: console.database.url,
    DATA_DIR: temporaryFolder('replays'),
    RULES_DIR: rules,
  };
  for (const [approver, status] of [
    ['1', 3],
    ['2', 3],
    ['3', 1],
    ['4', 1],
  ] as const)
    await push(approver, status);
  await until(async () => {
    const { items } = await console.get<{ items: object[] }>('viewer', '/events?state=decided&type=corehr.*');
    return items.length === 4;
  }, 15_000);
}, 60_000);
afterAll(async () => {
  commands.close();
  await console.close();
  await book.close();
});

describe('replays', () => {
  it('are looked at first, then ordered and gone through by the service', async () => {
    await live(rule('late', [leaf('status', 'equal', 3)]));
    const choice = { filter: { type: TYPE }, rule: 'late' };
    const preview = await post<{ found: number; ruleSet: string; asked: object[] }>(
      '/replays/preview',
      choice,
    );
    expect(preview).toMatchObject({
      found: 4,
      looked: 4,
      verdicts: [{ rule: 'late', verdict: 'matched', count: 2 }],
      asked: [{ rule: 'late', action: 'tell', outcome: 'sent', again: false, count: 2 }],
      skipped: [],
    });
    expect(book.effects.size).toBe(0);
    const refused = await console.ask('operator', '/replays', { json: { ...choice, limit: 3 } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'SELECTION_TOO_LARGE' } });
    const stale = await console.ask('operator', '/replays', { json: { ...choice, ruleSet: 'abcdef123456' } });
    expect(stale).toMatchObject({ status: 409, body: { code: 'RULE_SET_CHANGED' } });
    const { id } = await post<Order>(
      '/replays',
      { ...choice, ruleSet: preview.ruleSet, reason: 'a typo' },
      201,
    );
    const done = await ended('replays', id);
    expect(done).toMatchObject({
      state: 'done',
      events: { total: 4, waiting: 0, done: 4 },
      counts: [{ outcome: 'sent', count: 2 }],
      deliveries: null,
    });
    await delivered(2);
    const { items } = await console.get<Page>('viewer', `/deliveries?occasion=${done.occasion}`);
    expect(items).toHaveLength(2);
  });

  it('are ordered by command, here and there, and send nothing a second time', async () => {
    const filter = ['--type', TYPE, '--only-rule', 'late'];
    const looked = await commands.run(['replay', ...filter, '--dry-run', '--json'], local);
    expect({ ...looked, stdout: JSON.parse(looked.stdout) as object }).toMatchObject({
      code: 0,
      stdout: { asked: [{ outcome: 'already-sent', count: 2 }] },
    });
    const here = await commands.run(['replay', ...filter, '--yes', '--json'], local);
    expect(here.code).toBe(0);
    expect(JSON.parse(here.stdout)).toMatchObject({ state: 'done', events: { done: 4 } });
    const there = await commands.run(['replay', ...filter, '--yes', '--server', console.url], {
      AFTERSIGN_TOKEN: console.tokens.operator,
    });
    expect(there).toMatchObject({ code: 0 });
    expect(there.stdout).toContain('done 已完成');
    expect(book.requests).toBe(2);
    const list = await commands.run(['replay', '--list', '--json'], local);
    expect((JSON.parse(list.stdout) as Page).items).toHaveLength(3);
  });
});

describe('a recall', () => {
  let since: string;

  it('shows what a wrong rule sent, by target and one by one', async () => {
    since = new Date().toISOString();
    await live(rule('wrong', [leaf('status', 'in', [1, 3])]));
    await post('/replays', { filter: { type: TYPE }, rule: 'wrong' }, 201);
    await delivered(6);
    const { items } = await console.get<Page>('viewer', `/recalls/selection/wrong?since=${since}`);
    expect(items).toHaveLength(4);
    const list = await commands.run(['recall', 'wrong', '--since', since, '--list', '--json'], local);
    expect(JSON.parse(list.stdout)).toMatchObject({
      deliveries: 4,
      targets: [{ action: 'tell', state: 'delivered', count: 4 }],
    });
    for (const name of ['sent.csv', 'sent.ndjson']) {
      const file = join(temporaryFolder('recalled'), name);
      const saved = await commands.run(['recall', 'wrong', '--since', since, '--export', file], local);
      expect(saved.code).toBe(0);
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(name.endsWith('.csv') ? 5 : 4);
      for (const { id } of items) expect(lines.filter((line) => line.includes(id))).toHaveLength(1);
    }
  });

  it('keeps what is right, takes back the rest first and sends what the mended rule asks for', async () => {
    await live(rule('wrong', [leaf('status', 'equal', 1)], 'waits'));
    const choice = { rule: 'wrong', since };
    const preview = await post('/recalls/preview', choice);
    expect(preview).toMatchObject({
      mended: true,
      deliveries: [{ action: 'tell', state: 'delivered', outcome: 'undone', count: 4 }],
      asked: [{ outcome: 'sent', again: true, count: 2 }],
    });
    const { id } = await post<Order>('/recalls', { ...choice, reason: 'it told of everything' }, 201);
    expect(await ended('recalls', id)).toMatchObject({ state: 'done', deliveries: { undone: 4, kept: 0 } });
    await until(
      () => book.net.filter((one) => one.startsWith('/wrong')).every((one) => one.includes('waits')),
      15_000,
    );
    await delivered(4);
    const { items } = await console.get<Page>('viewer', `/recalls/${id}/deliveries`);
    expect(items.filter(({ nextId }) => nextId !== null)).toHaveLength(2);
    expect(items.every(({ undoId }) => undoId !== null)).toBe(true);
    const report = await console.get<{ balanced: boolean; beside: object }>('viewer', '/report');
    expect(report).toMatchObject({
      balanced: true,
      beside: { undos: { deliveries: 4 }, edited: { deliveries: 0 } },
    });

    // Each evaluation can be computed again from what was recorded of it.
    const { eventId } = items[0] as unknown as { eventId: string };
    const told = await console.get<{ items: { occasion: string; differing: string[] }[] }>(
      'operator',
      `/events/${eventId}/evaluations`,
    );
    expect(told.items.map(({ occasion }) => occasion.split(':')[0])).toContain('recall');
    expect(told.items.flatMap(({ differing }) => differing)).toEqual([]);

    const requests = book.requests;
    const again = await commands.run(['recall', 'wrong', '--since', since, '--yes', '--json'], local);
    expect(JSON.parse(again.stdout)).toMatchObject({
      state: 'done',
      deliveries: { kept: 2, gone: 4, undone: 0 },
    });
    expect(book.requests).toBe(requests);
  });

  it('is for operators, about rules that there are, and stands in the audit log', async () => {
    const json = { rule: 'wrong', since };
    for (const path of ['/recalls', '/recalls/preview', '/replays', '/replays/preview'])
      expect(await console.ask('viewer', path, { json })).toMatchObject({ status: 403 });
    expect(
      await console.ask('operator', '/recalls/preview', { json: { ...json, rule: 'nobody' } }),
    ).toMatchObject({
      status: 404,
      body: { code: 'RULE_UNKNOWN' },
    });
    const { items } = await console.get<{ items: { id: string }[] }>('viewer', '/recalls');
    expect(items).toHaveLength(2);
    expect(await console.ask('operator', `/recalls/${items[0]?.id}/cancel`, { json: {} })).toMatchObject({
      status: 409,
      body: { code: 'REPLAY_ENDED' },
    });
    const audit = await console.get<{ items: { detail: object }[] }>('admin', '/audit?action=recall.create');
    expect(audit.items.at(-1)).toMatchObject({
      detail: { rule: 'wrong', reason: 'it told of everything', deliveries: 4 },
    });
  });
});
