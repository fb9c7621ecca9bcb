// Two real services on one real PostgreSQL and a real receiver; one after the other is killed by SIGKILL at a random moment.
// Every rule has a twin in shadow mode: what is recorded of that is what its live twin sends, and nothing of it is sent.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { freePort, ServiceProcess } from '../support/process.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { randomOf } from '../support/task-stories.js';

/** Each takes some 2 s. */
const KILLS = Number(process.env['SHADOW_KILLS'] ?? 2);
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SENDERS = 3;
const TASKS = 60;
const TYPE = 'corehr.process.approver.updated_v2';

interface Compared {
  readonly rule: string;
  readonly shadowOf: string;
  readonly counts: { same: number; live: number; shadow: number; different: number };
}

describe(`rules in shadow mode, with two instances that are killed ${KILLS} times (seed ${seed})`, () => {
  const folder = temporaryFolder('shadow-kill');
  const random = randomOf(seed);
  const received: string[] = [];
  let database: TestDatabase;
  let dataSource: DataSource;
  let receiver: Receiver;
  let services: ServiceProcess[] = [];
  let settings: Record<string, string> = {};
  let pushed = 0;
  let compared: readonly Compared[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open(2);
    receiver = await startReceiver(({ headers }, response) => {
      received.push(String(headers['idempotency-key']));
      response.end('{"code":0}');
    });
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules', 'all.rule.json'), JSON.stringify(rulesOf(receiver.url)));
    settings = {
      ...APP_SETTINGS,
      DATABASE_URL: database.url,
      DATA_DIR: join(folder, 'data'),
      RULES_DIR: join(folder, 'rules'),
      OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
      STORM_BRAKE: 'off',
      LOG_LEVEL: 'warn',
    };
    services = [await service(), await service()];
    await pushWhileKilled();
    await until(isDone, 60_000);
    expect(await Promise.all(services.map((one) => one.stop()))).toEqual([0, 0]);
    const told = await runCommand(['rules', 'shadow', '--json'], settings);
    compared = (JSON.parse(told.stdout) as { items: Compared[] }).items;
  }, 300_000);

  afterAll(async () => {
    await Promise.all(services.map((one) => one.kill()));
    await receiver.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function service(): Promise<ServiceProcess> {
    const port = await freePort();
    const one = new ServiceProcess({ ...settings, PORT: String(port) }, port);
    await one.start();
    return one;
  }

  async function pushWhileKilled(): Promise<void> {
    let over = false;
    const senders = Array.from({ length: SENDERS }, async () => {
      while (!over) await pushOne();
    });
    for (let killed = 0; killed < KILLS; killed += 1) {
      const place = random() < 0.5 ? 0 : 1;
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 600));
      const next = service();
      await services[place]?.kill();
      services[place] = await next;
    }
    over = true;
    await Promise.all(senders);
  }

  /** As the platform does: what is not answered with 200 is sent again, to whoever answers. */
  async function pushOne(): Promise<void> {
    const number = pushed++;
    const task = number % TASKS;
    const text = envelopeOf(
      approverEvent({
        process_id: String(7_072_306_364_927_000_000n + BigInt(task % 20)),
        approver_id: String(7_072_306_364_928_000_000n + BigInt(task)),
        status: number % 3 === 0 ? 1 : 3,
      }),
      { event_id: `event-${number}` },
    );
    for (;;) {
      for (const one of services) {
        if (!(await isTaken(one, text))) continue;
        await new Promise((resolve) => setTimeout(resolve, random() * 150));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function isTaken({ url }: ServiceProcess, text: string): Promise<boolean> {
    try {
      const answer = await fetch(`${url}/webhook/event`, {
        method: 'POST',
        ...pushOf(text),
        signal: AbortSignal.timeout(5000),
      });
      await answer.text();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  async function isDone(): Promise<boolean> {
    const [row] = await dataSource.query<[{ left: number }]>(
      `select (select count(*)::int from event_keys where state = 'undecided')
            + (select count(*)::int from timers where state = 'armed')
            + (select count(*)::int from action_keys where state in ('pending', 'delivering', 'deferred')) as left`,
    );
    return row.left === 0;
  }

  it('have the same as their live twins, every one', async () => {
    const lives = await dataSource.query<{ rule: string; count: number }[]>(
      'select rule, count(*)::int as count from action_keys group by rule order by rule',
    );
    expect(lives.map(({ rule }) => rule)).toEqual(['braked', 'nag', 'once', 'tell', 'throttled']);
    expect(compared.map(({ shadowOf, counts }) => ({ rule: shadowOf, counts }))).toEqual(
      lives.map(({ rule, count }) => ({ rule, counts: { same: count, live: 0, shadow: 0, different: 0 } })),
    );
    process.stderr.write(
      `shadow: ${KILLS} kills, ${pushed} events, ${lives.reduce((sum, { count }) => sum + count, 0)} deliveries\n`,
    );
  });

  it('send nothing: what the receiver got has the keys of live deliveries, and of each of them', async () => {
    const keys = await dataSource.query<{ key: string; rule: string; state: string }[]>(
      'select key, rule, state from action_keys',
    );
    expect(keys.filter(({ rule }) => rule.endsWith('-new'))).toEqual([]);
    const sent = keys.filter(({ state }) => state === 'delivered').map(({ key }) => key);
    // One that an instance was sending when it was killed is sent again, under the same key.
    expect([...new Set(received)].sort()).toEqual(sent.sort());
    const [{ recorded, shared }] = await dataSource.query<[{ recorded: number; shared: number }]>(
      `select count(*)::int as recorded, (count(*) filter (where key = any($1::text[])))::int as shared from shadow_keys`,
      [received],
    );
    expect([recorded, shared]).toEqual([keys.length, 0]);
  });

  it('have a cause for everything that they asked for', async () => {
    const told = await runCommand(['report', '--since', '1d', '--json'], settings);
    const { rules } = JSON.parse(told.stdout) as {
      rules: { rule: string; asked: number; deliveries: number; suppressed: Record<string, number> }[];
    };
    const shadows = rules.filter(({ rule }) => rule.endsWith('-new'));
    expect(shadows).toHaveLength(5);
    for (const { rule, asked, deliveries, suppressed } of shadows) {
      const sum = Object.values(suppressed).reduce((a, b) => a + b, 0);
      expect({ rule, deliveries, sum }).toEqual({ rule, deliveries: 0, sum: asked });
      expect(suppressed['shadow']).toBeGreaterThan(0);
    }
  });
});

/** Each with its twin. */
function rulesOf(url: string): object[] {
  const action = { type: 'http', name: 'tell', url, body: { task: '{{ event.approver_id }}' } };
  const is = (status: number): object => ({ all: [{ fact: 'status', operator: 'equal', value: status }] });
  const rule = (name: string, more: object): object => ({
    name,
    trigger: TYPE,
    conditions: is(3),
    actions: [action],
    ...more,
  });
  const rules: (readonly [string, object])[] = [
    ['tell', {}],
    ['once', { oncePer: 'task' }],
    ['throttled', { throttle: { max: 20, per: '1h' } }],
    ['braked', { budget: { max: 30, per: '1h' } }],
    [
      'nag',
      {
        conditions: is(1),
        actions: undefined,
        escalate: { per: 'task', steps: [{ name: 'soon', after: '1s', actions: [action] }] },
      },
    ],
  ];
  return rules.flatMap(([name, more]) => [
    rule(name, more),
    rule(`${name}-new`, { ...more, mode: 'shadow', shadowOf: name }),
  ]);
}
