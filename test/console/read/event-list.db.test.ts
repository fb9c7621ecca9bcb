// Real PostgreSQL, the real store and indexer; what is found is compared with a look at every event.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Partitions } from '../../../src/database/partitions.js';
import { EventList, type EventFilter, type EventRow } from '../../../src/console/read/event-list.js';
import { CATALOGUE_ENTRY, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { EventIndexer } from '../../../src/events/event-indexer.js';
import { EventStore } from '../../../src/events/event-store.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { TestLog } from '../../support/log.js';

const APPROVER = 'corehr.process.approver.updated_v2';
const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 20);
const DAYS = 12;

interface Made {
  readonly id: string;
  readonly eventId: string;
  readonly origin: string;
  readonly type: string;
  readonly source: string;
  readonly receivedAt: number;
  readonly state: string;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly personal: readonly string[];
  readonly entities: readonly string[];
  readonly counts: { readonly matched: number; readonly unknown: number; readonly errors: number } | null;
  readonly deliveries: number;
}

const PERSON = CATALOGUE_ENTRY.parse({
  eventType: 'hr.person.changed',
  label: { zh: '人员变更', en: 'person changed' },
  entities: { person: 'person_id', team: 'team' },
  rootEntity: 'team',
  status: { field: 'phase', order: ['NEW', 'DONE'] },
  fields: {
    person_id: { type: 'string', label: { zh: '人员', en: 'person' }, personal: true },
    name: { type: 'string', label: { zh: '姓名', en: 'name' }, personal: true },
    team: { type: 'string', label: { zh: '团队', en: 'team' } },
    phase: {
      type: 'string',
      label: { zh: '阶段', en: 'phase' },
      enum: [
        { value: 'NEW', label: { zh: '新建', en: 'new one' } },
        { value: 'DONE', label: { zh: '已完成', en: 'finished' } },
      ],
    },
  },
});

describe('the list of events', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: EventStore;
  let list: EventList;
  /** With windows so narrow that every way of looking is taken. */
  let narrow: EventList;
  let made: Made[];
  const clock = new TestClock(START + DAYS * DAY);

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    const catalogue = new LiveCatalogue(dataSource, loadBuiltInCatalogue().with([PERSON]));
    await dataSource.query('select ensure_partitions($1::date, $2::date)', ['2026-10-19', '2026-11-03']);
    const wakeup = new Wakeup(dataSource);
    store = new EventStore(dataSource, new Partitions(dataSource), wakeup, clock);
    list = new EventList(dataSource, catalogue);
    narrow = new EventList(dataSource, catalogue, { few: 12, more: 60 });
    made = await makeEvents(dataSource, 600);
    const indexer = new EventIndexer(dataSource, store, catalogue, { wakeup, clock, log: new TestLog() });
    await indexer.drain();
  });
  afterAll(async () => {
    await store.onApplicationShutdown();
    await database.drop();
  });

  async function all(
    filter: EventFilter,
    limit: number,
    personal = true,
    by: EventList = list,
  ): Promise<string[]> {
    const ids: string[] = [];
    let after: string | null = null;
    for (;;) {
      const rows: EventRow[] = await by.list(filter, { limit, after }, { personal });
      ids.push(...rows.slice(0, limit).map(({ id }) => id));
      if (rows.length <= limit) return ids;
      after = ids.at(-1) ?? null;
    }
  }
  const expected = (filter: EventFilter, personal = true): string[] =>
    made
      .filter((one) => fits(one, filter, personal))
      .map(({ id }) => id)
      .sort()
      .reverse();

  it('finds by any filters together what a look at every event finds, in pages of any size', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        FILTER,
        fc.integer({ min: 9, max: 150 }),
        fc.boolean(),
        async (filter, limit, personal) => {
          const right = expected(filter, personal);
          found += Number(right.length > 0);
          expect(await all(filter, Math.max(limit, 20), personal)).toEqual(right);
          expect(await all(filter, limit, personal, narrow)).toEqual(right);
        },
      ),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(50);
  });

  it.each<[string, EventFilter]>([
    ['a type', { type: APPROVER }],
    ['a pattern', { type: 'corehr.process.*' }],
    ['a pattern that ends within a word', { type: 'hr.per*' }],
    ['a business type, in any case', { bizType: 'Renewal_Record' }],
    ['a value of a status', { status: '2' }],
    ['a label in Chinese, which two types have', { status: '已完成' }],
    ['a label in English', { status: 'Finished' }],
    ['the root entity', { entity: 'process:P2' }],
    ['an entity', { entity: 'T3' }],
    ['a person', { entity: 'U1' }],
    ['a word', { text: 'urgent' }],
    ['words in any order', { text: 'case urgent' }],
    ['Chinese within a sentence', { text: '续签' }],
    ['a number', { text: '42' }],
    ['an entity as a word', { text: 'p2' }],
    ['the name of a person', { text: '张三丰' }],
    ['a source', { source: 'webhook' }],
    ['an origin', { origin: 'webhook:shop' }],
    ['a state', { state: 'waiting' }],
    ['a verdict', { verdict: 'not matched' }],
    ['a time', { since: new Date(START + 2 * DAY), until: new Date(START + 5 * DAY) }],
  ])('finds by %s', async (_, filter) => {
    const ids = await all(filter, 50);
    expect(ids).toEqual(expected(filter));
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan(made.length);
  });

  it.each<[string, EventFilter]>([
    ['a word that no event has', { text: 'nothinglikethis' }],
    ['no word at all', { text: '…' }],
    ['a pattern of no known type', { type: 'nobody*x' }],
    ['what excludes each other', { type: APPROVER, source: 'webhook' }],
    ['an empty time', { since: new Date(START + DAY), until: new Date(START) }],
  ])('finds nothing by %s', async (_, filter) => {
    expect(await all(filter, 50)).toEqual([]);
  });

  it('does not find by personal values for those who may not see them', async () => {
    for (const filter of [{ text: '张三丰' }, { text: 'U1' }, { entity: 'U1' }]) {
      expect(await all(filter, 200, false)).toEqual([]);
      expect(await all(filter, 200, true)).not.toEqual([]);
    }
  });

  it('finds one by its id, ours or the sender’s', async () => {
    const [one] = made;
    for (const id of [one!.id, one!.id.toUpperCase(), one!.eventId]) {
      expect((await list.find(id))?.id).toBe(one!.id);
      expect(await all({ text: id }, 5)).toEqual([one!.id]);
    }
    expect(await list.find('00000000-0000-7000-8000-000000000000')).toBeNull();
    expect(await list.find("' or true --")).toBeNull();
    expect(await all({ text: one!.id, type: 'other' }, 5)).toEqual([]);
    expect(await all({ text: one!.id, until: new Date(one!.receivedAt) }, 5)).toEqual([]);
  });

  it('asks back when several events have the sender’s id', async () => {
    const [same] = made.filter(({ eventId }) => made.filter((one) => one.eventId === eventId).length > 1);
    await expect(list.find(same!.eventId)).rejects.toMatchObject({ status: 409, code: 'EVENT_AMBIGUOUS' });
  });

  it('refuses a status that nobody knows, and names the known ones', async () => {
    await expect(all({ status: 'dune' }, 5)).rejects.toMatchObject({
      status: 400,
      code: 'STATUS_UNKNOWN',
      detail: expect.stringMatching(/"dune".*已完成 done/),
    });
  });

  it('tells of each event what became of it', async () => {
    for (const one of made.slice(0, 50)) {
      expect(await list.find(one.id)).toEqual({
        id: one.id,
        eventId: one.eventId,
        origin: one.origin,
        eventType: one.type,
        source: one.source,
        receivedAt: new Date(one.receivedAt),
        createTime: null,
        rootEntity: one.entities[0] ?? null,
        state: one.state,
        reason: null,
        duplicates: 0,
        erased: false,
        matched: one.counts?.matched ?? null,
        unknown: one.counts?.unknown ?? null,
        errors: one.counts?.errors ?? null,
        deliveries: one.deliveries,
      });
    }
  });

  it('shows a new event at once, before it is indexed', async () => {
    const id = uuidv7({ msecs: clock.now() });
    await insert(dataSource, {
      ...made[0]!,
      id,
      eventId: 'new',
      state: 'undecided',
      counts: null,
      deliveries: 0,
    });
    expect((await list.list({}, { limit: 1, after: null }, { personal: true }))[0]?.id).toBe(id);
    expect(
      (await list.list({ state: 'undecided' }, { limit: 1, after: null }, { personal: true }))[0]?.id,
    ).toBe(id);
    await dataSource.query('delete from events where id = $1', [id]);
    await dataSource.query('delete from event_keys where id = $1', [id]);
  });
});

const WORDS = ['urgent', 'case', '42', '续签合同'];

/** A look at the event itself, without any index. */
function fits(one: Made, filter: EventFilter, personal: boolean): boolean {
  const { type, bizType, status, entity, text, source, origin, state, verdict, since, until } = filter;
  const open = Object.entries(one.fields).filter(([name]) => personal || !one.personal.includes(name));
  const values = open.map(([, value]) => String(value).toLowerCase());
  const words = [...values, one.eventId.toLowerCase()].flatMap((value) => value.split(/[^\p{L}\p{N}]+/u));
  const entities = one.entities.filter(
    (id) => personal || !one.personal.some((name) => one.fields[name] === id),
  );
  const hasWord = (word: string): boolean =>
    /\p{Script=Han}/u.test(word) ? values.some((value) => value.includes(word)) : words.includes(word);
  const tests = [
    type === undefined ||
      (type.endsWith('*') ? one.type.startsWith(type.slice(0, -1)) : one.type === type) ||
      type === '*',
    bizType === undefined || one.fields['biz_type'] === bizType.toLowerCase(),
    status === undefined || STATUS[status.toLowerCase()]?.some(([of, is]) => hasStatus(one, of, is)) === true,
    entity === undefined || entities.some((id) => id.toLowerCase() === entity.toLowerCase()),
    text === undefined || text.toLowerCase().split(' ').every(hasWord),
    source === undefined || one.source === source,
    origin === undefined || one.origin === origin,
    state === undefined || one.state === state,
    verdict === undefined || (one.counts !== null && verdictsOf(one.counts).includes(verdict)),
    since === undefined || one.receivedAt >= since.getTime(),
    until === undefined || one.receivedAt < until.getTime(),
  ];
  return tests.every(Boolean);
}

/** Which value of which type each status means; null: of any. */
const STATUS: Readonly<Record<string, readonly (readonly [string | null, string | number])[]>> = {
  2: [[null, 2]],
  done: [
    [APPROVER, 3],
    [null, 'DONE'],
  ],
  finished: [['hr.person.changed', 'DONE']],
  已完成: [
    [APPROVER, 3],
    ['hr.person.changed', 'DONE'],
  ],
  rejected: [
    [APPROVER, 2],
    [null, 'REJECTED'],
  ],
};

function hasStatus({ type, fields }: Made, of: string | null, value: string | number): boolean {
  const field = type === 'hr.person.changed' ? 'phase' : 'status';
  return (of === null || of === type) && fields[field] === value;
}

function verdictsOf({ matched, unknown, errors }: NonNullable<Made['counts']>): string[] {
  return [
    matched > 0 ? 'matched' : 'not matched',
    ...(unknown > 0 ? ['unknown'] : []),
    ...(errors > 0 ? ['error'] : []),
  ];
}

const EACH = {
  type: fc.constantFrom(
    APPROVER,
    'corehr.process.*',
    'corehr.*',
    'shop.order',
    'shop.*',
    'hr.person.changed',
    '*',
    'none',
  ),
  bizType: fc.constantFrom('renewal_record', 'onboarding', 'none'),
  status: fc.constantFrom('2', 'done', 'DONE', 'finished', '已完成', 'Rejected'),
  entity: fc.constantFrom('process:P1', 'P2', 'T3', 'U1', 'team:A', 'nobody'),
  text: fc.constantFrom(
    'urgent',
    'urgent case',
    '42',
    '续签',
    '合同',
    'renewal',
    '张三',
    'u2',
    'p1 urgent',
    'none',
  ),
  source: fc.constantFrom('webhook', 'feishu-webhook'),
  origin: fc.constantFrom('webhook:shop', 'feishu:cli_a', 'feishu:cli_b'),
  state: fc.constantFrom('undecided', 'waiting', 'decided', 'quarantined'),
  verdict: fc.constantFrom('matched', 'not matched', 'unknown', 'error'),
  since: fc.integer({ min: 0, max: DAYS }).map((day) => new Date(START + day * DAY)),
  until: fc.integer({ min: 0, max: DAYS + 1 }).map((day) => new Date(START + day * DAY)),
};

/** Up to four of them at once. */
const FILTER: fc.Arbitrary<EventFilter> = fc
  .tuple(fc.subarray(Object.keys(EACH), { maxLength: 4 }), fc.record(EACH))
  .map(([names, values]) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name))),
  );

async function makeEvents(dataSource: DataSource, count: number): Promise<Made[]> {
  const made: Made[] = [];
  for (let n = 0; n < count; n += 1) {
    const pick = <T>(of: readonly T[], by: number): T => of[Math.floor(n / by) % of.length]!;
    const note = `${pick(WORDS, 7)}, ${pick(['case', '42', 'plain'], 5)}`;
    const receivedAt = START + Math.floor((n / count) * DAYS * DAY);
    const state =
      n % 29 === 3 ? 'waiting' : n % 31 === 4 ? 'quarantined' : n % 23 === 5 ? 'undecided' : 'decided';
    const counts =
      state === 'decided' && n % 19 !== 0
        ? { matched: n % 3, unknown: Number(n % 7 === 0), errors: Number(n % 11 === 0) }
        : null;
    const base = {
      id: uuidv7({ msecs: receivedAt }),
      // Some senders use the same ids.
      eventId: `ev-${n % 100 === 50 ? 'same' : n}`,
      receivedAt,
      state,
      counts,
      personal: [],
      deliveries: counts ? counts.matched * (n % 2) : 0,
    };
    const process = pick(['P1', 'P2', 'P3'], 2);
    const kinds: Omit<Made, keyof typeof base>[] = [
      {
        origin: pick(['feishu:cli_a', 'feishu:cli_b'], 100),
        type: APPROVER,
        source: 'feishu-webhook',
        fields: {
          process_id: process,
          approver_id: `T${n % 6}`,
          status: (n % 4) + 1,
          biz_type: pick(['renewal_record', 'onboarding'], 3),
          note,
        },
        entities: [`process:${process}`, process, `T${n % 6}`],
      },
      {
        origin: `webhook:shop${n % 100 === 50 ? n : ''}`,
        type: 'shop.order',
        source: 'webhook',
        fields: { status: pick(['DONE', 'OPEN', 'REJECTED'], 4), note },
        entities: [],
      },
      {
        origin: 'webhook:hr',
        type: 'hr.person.changed',
        source: 'webhook',
        fields: {
          person_id: `U${Math.floor(n / 3) % 3}`,
          name: pick(['张三丰', 'Ada urgent'], 2),
          team: 'A',
          phase: pick(['NEW', 'DONE'], 3),
        },
        entities: ['team:A', 'A', `U${Math.floor(n / 3) % 3}`],
      },
    ];
    const kind = kinds[n % 3]!;
    made.push({
      ...base,
      ...kind,
      origin: base.eventId === 'ev-same' ? `${kind.origin}${n}` : kind.origin,
      personal: kind.type === 'hr.person.changed' ? ['person_id', 'name'] : [],
    });
  }
  for (const one of made) await insert(dataSource, one);
  await dataSource.query('analyze');
  return made;
}

async function insert(dataSource: DataSource, one: Made): Promise<void> {
  const isFeishu = one.source === 'feishu-webhook';
  const body = isFeishu
    ? {
        schema: '2.0',
        header: { event_id: one.eventId, event_type: one.type, app_id: 'cli_a', tenant_key: 't' },
        event: one.fields,
      }
    : one.fields;
  await dataSource.query(
    `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state) values ($1, $2, $3, 0, 0, 0, $4)`,
    [one.origin, one.eventId, one.id, one.state],
  );
  await dataSource.query(
    `insert into events (id, received_at, origin, event_id, event_type, source, root_entity, raw, transport)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      one.id,
      new Date(one.receivedAt),
      one.origin,
      one.eventId,
      one.type,
      one.source,
      one.entities[0] ?? null,
      Buffer.from(JSON.stringify(body)),
      isFeishu ? null : JSON.stringify({ format: 'json', fields: [] }),
    ],
  );
  if (one.counts)
    await dataSource.query(
      `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched, unknown, errors)
       values ($1, 'live', now(), 'x', '[]', '{}', $2, $3, $4), ($1, 'replay', now(), 'x', '[]', '{}', 9, 9, 9)`,
      [one.id, one.counts.matched, one.counts.unknown, one.counts.errors],
    );
  for (let n = 0; n < one.deliveries; n += 1)
    await dataSource.query(
      `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
       values ($1, $1::uuid::text, $2, 'live', 'r', 'a', 'http', 'http:x', 'e', 'c', 0, now(), 'null')`,
      [uuidv7({ msecs: one.receivedAt + 5 }), one.id],
    );
}
