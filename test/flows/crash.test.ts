// The built service as a process, the embedded PostgreSQL, a real receiver; killed without warning, four times.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { APP, APP_SETTINGS, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { freePort, ServiceProcess } from '../support/process.js';
import { temporaryFolder } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

const EVENTS = 1200;
const SENDERS = 16;
/** After how many acknowledged events each kill comes, and whether the database dies with the process. */
const KILLS = [false, true, false, true].map((withDatabase, index) => ({
  after: Math.floor(EVENTS * (0.1 + index * 0.23) + Math.random() * EVENTS * 0.12),
  withDatabase,
}));

interface EventRow {
  readonly event_id: string;
  readonly state: string;
  readonly evaluations: number;
  readonly deliveries: number;
  readonly delivery_state: string | null;
  readonly key: string | null;
}

describe(`a service killed after ${KILLS.map(({ after, withDatabase }) => `${after}${withDatabase ? ' (with its database)' : ''}`).join(', ')} events`, () => {
  const folder = temporaryFolder('crash');
  const dataDir = join(folder, 'data');
  let receiver: Receiver;
  let service: ServiceProcess;
  const acknowledged = new Set<string>();
  const restarts: string[] = [];
  let rows: EventRow[] = [];

  beforeAll(async () => {
    mkdirSync(join(folder, 'rules'));
    receiver = await startReceiver();
    writeFileSync(
      join(folder, 'rules', 'tell.rule.json'),
      JSON.stringify({
        name: 'tell',
        trigger: 'corehr.process.approver.updated_v2',
        conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
        actions: [
          {
            type: 'http',
            name: 'tell',
            url: `${receiver.url}/done`,
            body: { event: '{{ event.event_id }}' },
          },
        ],
      }),
    );
    const port = await freePort();
    service = new ServiceProcess(
      {
        ...APP_SETTINGS,
        PORT: String(port),
        DATA_DIR: dataDir,
        RULES_DIR: join(folder, 'rules'),
        OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
        LOG_LEVEL: 'warn',
      },
      port,
    );
    await service.start();
    await sendEverything();
    await settle();
    expect(await service.stop()).toBe(0);
    rows = await readRows();
  }, 240_000);

  afterAll(async () => {
    await service.kill();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As Feishu does: what is not answered with 200 is sent again, with the same event id and a new encryption. */
  async function sendEverything(): Promise<void> {
    const waiting = Array.from({ length: EVENTS }, (_, index) => ({
      id: `event-${index}`,
      process: String(7_072_306_364_927_000_000n + BigInt(index % 97)),
      status: index % 4 === 0 ? 1 : 3,
    }));
    const kills = [...KILLS];
    let down: Promise<void> = Promise.resolve();
    let isDown = false;
    const crash = async (withDatabase: boolean): Promise<void> => {
      await service.kill(withDatabase ? dataDir : null);
      await service.start();
      restarts.push('at the first try');
    };
    const sender = async (): Promise<void> => {
      for (let event = waiting.shift(); event; event = waiting.shift()) {
        await down;
        const text = envelopeOf(approverEvent({ process_id: event.process, status: event.status }), {
          event_id: event.id,
        });
        if (await send(text)) acknowledged.add(event.id);
        else waiting.unshift(event);
        const [next] = kills;
        if (next && acknowledged.size >= next.after && !isDown) {
          kills.shift();
          isDown = true;
          down = crash(next.withDatabase).finally(() => {
            isDown = false;
          });
        }
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    await down;
  }

  async function send(text: string): Promise<boolean> {
    try {
      const answer = await fetch(`${service.url}/webhook/event`, { method: 'POST', ...pushOf(text) });
      await answer.text();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  /** Until nothing is left to decide or to send; a killed instance's deliveries are taken back when its lease ends. */
  async function settle(): Promise<void> {
    const end = Date.now() + 60_000;
    await withDatabase(async (dataSource) => {
      for (;;) {
        const [row] = await dataSource.query<{ left: number }[]>(
          `select (select count(*)::int from event_keys where state = 'undecided')
                + (select count(*)::int from action_keys where state in ('pending', 'delivering')) as left`,
        );
        if (row?.left === 0 || Date.now() > end) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
  }

  /** The database of the service, whether it runs or not. */
  async function withDatabase<T>(work: (dataSource: DataSource) => Promise<T>): Promise<T> {
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    const dataSource = await createDataSource(server.url, 2).initialize();
    try {
      return await work(dataSource);
    } finally {
      await dataSource.destroy();
      await server.stop();
    }
  }

  const readRows = (): Promise<EventRow[]> =>
    withDatabase((dataSource) =>
      dataSource.query<EventRow[]>(
        `select k.event_id, k.state,
                (select count(*)::int from evaluations e where e.event_id = k.id) as evaluations,
                (select count(*)::int from deliveries d where d.event_id = k.id) as deliveries,
                a.state as delivery_state, a.key
           from event_keys k
           left join deliveries d on d.event_id = k.id
           left join action_keys a on a.id = d.id
          where k.origin = 'feishu:${APP.id}'`,
      ),
    );

  it('restarts every time at the first try', () => {
    expect(restarts).toHaveLength(KILLS.length);
  });

  it('has every acknowledged event, decided exactly once', () => {
    expect(acknowledged.size).toBe(EVENTS);
    expect(rows).toHaveLength(EVENTS);
    expect(new Set(rows.map(({ event_id }) => event_id))).toEqual(acknowledged);
    expect(rows.filter(({ state, evaluations }) => state !== 'decided' || evaluations !== 1)).toEqual([]);
  });

  it('made one delivery for each event that matched, and delivered it', () => {
    const deliveries = rows.filter(({ deliveries: count }) => count > 0);
    expect(deliveries).toHaveLength(EVENTS * 0.75);
    expect(deliveries.filter((row) => row.deliveries !== 1 || row.delivery_state !== 'delivered')).toEqual(
      [],
    );
  });

  it('reached the receiver with one stable key for each event, and few times twice', () => {
    const keysOf = new Map<string, Set<string>>();
    for (const { headers, body } of receiver.received) {
      const { event } = JSON.parse(body) as { event: string };
      keysOf.set(event, (keysOf.get(event) ?? new Set()).add(String(headers['idempotency-key'])));
    }
    const expected = new Map(
      rows.filter(({ key }) => key !== null).map(({ event_id, key }) => [event_id, new Set([key])]),
    );
    expect(keysOf).toEqual(expected);
    // What a kill cut off between the answer of the target and its record is sent again: at most what was under way.
    expect(receiver.received.length - keysOf.size).toBeLessThanOrEqual(KILLS.length * 50);
  });
});
