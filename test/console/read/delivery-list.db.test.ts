// Real PostgreSQL; what is found is compared with a look at every delivery.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { act } from '../../../src/action/delivery-acts.js';
import { DELIVERY_STATES, DeliveryStore, type NewDelivery } from '../../../src/action/delivery-store.js';
import {
  DeliveryList,
  type DeliveryFilter,
  type DeliveryListRow,
} from '../../../src/console/read/delivery-list.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 20);
const DAYS = 10;
const COUNT = 500;

describe('the list of deliveries', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let list: DeliveryList;
  /** With windows so narrow that every way of looking is taken. */
  let narrow: DeliveryList;
  let all: DeliveryListRow[];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    await dataSource.query('select ensure_partitions($1::date, $2::date)', ['2026-10-19', '2026-11-03']);
    list = new DeliveryList(dataSource);
    narrow = new DeliveryList(dataSource, { few: 12, more: 60 });
    const store = new DeliveryStore(dataSource, new Wakeup(dataSource));
    for (let n = 0; n < COUNT; n += 5) {
      const at = START + Math.floor((n / COUNT) * DAYS * DAY);
      const eventId = uuidv7({ msecs: at - 20 });
      const some = Array.from({ length: 5 }, (_, index) => ({
        delivery: deliveryOf(n + index),
        eventId,
        occasion: n % 50 === 0 ? 'replay:1' : 'live',
      }));
      await dataSource.transaction((tx) => store.accept(tx, some, at));
    }
    // States by the number that stands in the code.
    await dataSource.query(
      `update action_keys k set state = ($1::text[])[1 + case when n % 10 < 6 then 4 else n % 7 end], code = null
         from (select id, substr(cause, 2)::int as n from deliveries) as d where d.id = k.id`,
      [DELIVERY_STATES],
    );
    await dataSource.query('analyze');
    all = await list.list({}, { limit: COUNT, after: null });
  });
  afterAll(() => database.drop());

  async function ids(filter: DeliveryFilter, limit: number, by: DeliveryList): Promise<string[]> {
    const found: string[] = [];
    let after: string | null = null;
    for (;;) {
      const rows: DeliveryListRow[] = await by.list(filter, { limit, after });
      found.push(...rows.slice(0, limit).map(({ id }) => id));
      if (rows.length <= limit) return found;
      after = found.at(-1) ?? null;
    }
  }
  const expected = (filter: DeliveryFilter): string[] =>
    all.filter((row) => fits(row, filter)).map(({ id }) => id);

  it('shows all of them, the newest first', () => {
    expect(all).toHaveLength(COUNT);
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .sort()
        .reverse(),
    );
    expect(new Set(all.map(({ state }) => state))).toEqual(new Set(DELIVERY_STATES));
  });

  it('finds by any filters together what a look at every delivery finds, in pages of any size', async () => {
    const each = {
      state: fc.constantFrom(...DELIVERY_STATES),
      rule: fc.constantFrom('r0', 'r1', 'r6', 'none'),
      action: fc.constantFrom('tell', 'ask', 'none'),
      kind: fc.constantFrom('http', 'email', 'feishu-bot', 'feishu-message'),
      target: fc.constantFrom('http:a.example', 'email:li@corp.example', 'none'),
      entity: fc.constantFrom('process:1', 'process:30', 'none'),
      event: fc.nat(COUNT - 1).map((n) => all[n]!.eventId),
      occasion: fc.constantFrom('live', 'replay:1', 'none'),
      since: fc.integer({ min: 0, max: DAYS }).map((day) => new Date(START + day * DAY)),
      until: fc.integer({ min: 0, max: DAYS + 1 }).map((day) => new Date(START + day * DAY)),
      text: fc.oneof(
        fc.nat(COUNT - 1).map((n) => all[n]!.id),
        fc.nat(COUNT - 1).map((n) => all[n]!.actionKey),
        fc.constantFrom('r1', 'process:1', 'http:a.example', ' r6 ', 'none', 'none:x'),
      ),
    };
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(Object.keys(each), { maxLength: 3 }),
        fc.record(each),
        fc.integer({ min: 9, max: 150 }),
        async (names, values, limit) => {
          const filter = Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
          const right = expected(filter);
          found += Number(right.length > 0);
          expect(await ids(filter, Math.max(limit, 20), list)).toEqual(right);
          expect(await ids(filter, limit, narrow)).toEqual(right);
        },
      ),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(60);
  });

  it('tells all that is stored of one', async () => {
    const dead = all.find(({ state }) => state === 'dead')!;
    await dataSource.transaction((tx) => act(tx, dead.id, 'redrive', null, START + 1234));
    expect(await list.find(dead.id)).toMatchObject({
      ...dead,
      state: 'pending',
      dueAt: new Date(START + 1234),
      redrivenAt: new Date(START + 1234),
      updatedAt: expect.any(Date),
      request: { kind: dead.kind },
    });
    expect(await list.find('00000000-0000-7000-8000-000000000000')).toBeNull();
  });
});

function fits(row: DeliveryListRow, filter: DeliveryFilter): boolean {
  const { event, since, until, text, ...columns } = filter;
  const wanted = text?.trim();
  return (
    Object.entries(columns).every(([name, value]) => row[name as keyof DeliveryListRow] === value) &&
    (event === undefined || row.eventId === event) &&
    (since === undefined || row.createdAt >= since) &&
    (until === undefined || row.createdAt < until) &&
    (wanted === undefined || [row.id, row.actionKey, row.entity, row.target, row.rule].includes(wanted))
  );
}

const KINDS = ['http', 'email', 'feishu-bot', 'feishu-message'] as const;

function deliveryOf(n: number): NewDelivery {
  const kind = KINDS[n % 11 < 6 ? 0 : n % 4]!;
  const targets = {
    http: 'a.example',
    email: 'li@corp.example',
    'feishu-bot': 'b',
    'feishu-message': 'chat:c',
  };
  return {
    rule: `r${n % 7}`,
    action: n % 3 === 0 ? 'ask' : 'tell',
    kind,
    target: `${kind}:${targets[kind]}`,
    entity: `process:${n % 40}`,
    cause: `c${n}`,
    generation: 0,
    state: 'pending',
    code: null,
    reason: null,
    request: {
      kind,
      secrets: [],
      retry: null,
      content: { method: 'POST', url: 'https://a.example', headers: {}, timeoutMs: 1, success: null },
    } as unknown as NewDelivery['request'],
  };
}
