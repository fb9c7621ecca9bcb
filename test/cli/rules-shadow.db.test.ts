// The built command as a process, on real PostgreSQL and on a running service that has decided events.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ComparedDelivery, ShadowRule } from '../../src/console/api/shadow.schema.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { TestConsole } from '../support/console.js';
import { until } from '../support/door.js';
import { envelopeOf, pushOf } from '../support/feishu.js';
import { folderWith } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

const TYPE = 'corehr.process.approver.updated_v2';
const commands = new Commands();
let receiver: Receiver;
let console: TestConsole;
let local: Record<string, string>;
beforeAll(async () => {
  receiver = await startReceiver();
  const rule = (name: string, least: number, body: object, more: object = {}): object => ({
    name,
    trigger: TYPE,
    conditions: { all: [{ fact: 'status', operator: 'greaterThanInclusive', value: least }] },
    actions: [{ type: 'http', name: 'tell', url: receiver.url, body }],
    ...more,
  });
  const shadow = { mode: 'shadow', shadowOf: 'tell' };
  const rules = folderWith({
    'a.rule.json': JSON.stringify([
      rule('tell', 2, { status: '{{ event.status }}' }),
      rule('tell-new', 1, { status: '{{ event.status }}', kind: '{{ event.type }}' }, shadow),
    ]),
  });
  console = await TestConsole.open({ RULES_DIR: rules, OUTBOUND_ALLOW: '127.0.0.1' });
  local = { DATABASE_URL: console.database.url, DATA_DIR: console.folder, RULES_DIR: rules };
  for (const status of [1, 2]) {
    const event = { process_id: '7', approver_id: '1', node_id: '5', type: 1, status, biz_type: 'leave' };
    const header = {
      event_id: `cli-${status}`,
      event_type: TYPE,
      create_time: String(Date.UTC(2026, 10, 2) + status),
    };
    await console.push(pushOf(envelopeOf(event, header)));
  }
  await until(async () => {
    const [{ count }] = await console.dataSource.query<[{ count: number }]>(
      'select count(*)::int as count from shadow_deliveries',
    );
    return count === 2;
  });
}, 60_000);
afterAll(async () => {
  commands.close();
  await console.close();
  await receiver.close();
});

/** Runs a command on the database and on the service; answers what both print. */
const both = async (...parameters: string[]): Promise<Ended> => {
  const [one, other] = await Promise.all([
    commands.run(parameters, local),
    commands.run([...parameters, '--server', console.url], {
      AFTERSIGN_TOKEN: console.tokens.operator,
      DATABASE_URL: 'nonsense',
    }),
  ]);
  // Their windows end when each was asked.
  const timeless = ({ stdout, ...ended }: Ended): Ended => ({
    ...ended,
    stdout: stdout.replaceAll(/^decided .*$|"(?:since|until)":"[^"]+"/gm, '≈'),
  });
  expect(timeless(other)).toEqual(timeless(one));
  return one;
};

describe('aftersign rules shadow', () => {
  it('counts how rules in shadow mode stand to their twins', async () => {
    const table = await both('rules', 'shadow');
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/^tell-new +tell +0 +0 +1 +1 +0$/m);
    const { items } = JSON.parse((await both('rules', 'shadow', '--json')).stdout) as { items: ShadowRule[] };
    expect(items).toMatchObject([
      { rule: 'tell-new', shadowOf: 'tell', counts: { same: 0, live: 0, shadow: 1, different: 1 } },
    ]);
  });

  it('lists what is so of one rule, and opens it', async () => {
    const list = await both('rules', 'shadow', 'tell-new', '--since', '1d');
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/shadow 仅影子|仅影子/);
    const told = await both('rules', 'shadow', 'tell-new', '--only', 'different', '--json');
    const { items, counts } = JSON.parse(told.stdout) as ShadowRule & { items: ComparedDelivery[] };
    expect([counts.different, items.map(({ standing }) => standing)]).toEqual([1, ['different']]);
    const opened = await both('rules', 'shadow', '--show', items[0]?.shadow?.id ?? '');
    expect(opened.code).toBe(0);
    expect(opened.stdout).toContain('body.kind: – → 1');
    expect(opened.stdout).toMatch(/"kind": 1/);
  });

  it('says what is wrong', async () => {
    expect(await both('rules', 'shadow', 'tell')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('RULE_UNKNOWN'),
    });
    expect(await both('rules', 'shadow', '--only', 'same')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name it'),
    });
    const shown = await commands.run(['rules', 'show', 'tell-new', '--live', '--lang', 'en'], local);
    expect(shown.stdout).toContain('Rule tell-new (in shadow mode, beside tell)');
    expect(shown.stdout).toContain('shadow 影子 of 对照 tell');
  });
});
