// Real PostgreSQL, the real rules room; the clock is virtual. Notices are raised as other rooms raise them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import {
  type Notice,
  NOTICE_KINDS,
  NOTICE_PAUSE_MS,
  NOTICE_RULE,
  raiseNotices,
} from '../../src/action/notice-store.js';
import { DeliveryChanges } from '../../src/console/api/delivery-changes.js';
import { DeliveryList } from '../../src/console/read/delivery-list.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const DAY = 86_400_000;
const rule = (name: string, owner?: string): object => ({
  name,
  ...(owner === undefined ? {} : { owner }),
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
});
const mail = (to: string): object => ({ type: 'email', to: [to] });
const OWNERS = {
  ops: {
    tell: [
      mail('ops@example.com'),
      { type: 'feishu-bot', url: '{{ secrets.OPS_BOT }}', sign: 'OPS_SIGN' },
      { type: 'feishu-message', to: { chat_id: 'oc_1' } },
    ],
  },
  pay: { tell: [mail('pay@example.com'), mail('ops@example.com')] },
  '*': { tell: [{ type: 'http', url: 'https://pager.example/in' }] },
};
const RULES = [rule('a', 'ops'), rule('b', 'pay'), rule('c'), rule('d', 'gone')];
const noticeOf = (changes: Partial<Notice> = {}): Notice => ({
  kind: 'target-failing',
  subject: 'http:a.example',
  rules: ['a'],
  detail: { code: 'HTTP_503', since: '2026-01-01T00:00:00.000Z' },
  ...changes,
});

describe('what a live rule set says of owners and targets', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let room: RulesRoom;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
    await room.activate(RULES, { 'owners.json': OWNERS });
  });

  const raise = async (...notices: readonly Notice[]): Promise<readonly boolean[]> =>
    await dataSource.transaction((tx) => raiseNotices(tx, notices, clock.now()));
  const states = async (): Promise<string[]> =>
    (await dataSource.query<{ state: string }[]>('select state from notices order by id')).map(
      ({ state }) => state,
    );
  const told = async (): Promise<string[]> => {
    const rows = await dataSource.query<{ text: string }[]>(
      `select action || ' ' || target as text from deliveries where rule = 'aftersign:notice' order by id`,
    );
    return rows.map(({ text }) => text);
  };

  it('notices go to each way of telling the owners of their rules', async () => {
    await raise(noticeOf());
    await room.time.notices.drain();
    expect(await states()).toEqual(['told']);
    expect(await told()).toEqual([
      'ops-1 email:ops@example.com',
      'ops-2 feishu-bot:OPS_BOT',
      'ops-3 feishu-message:chat_id:oc_1',
    ]);
    const [notice] = await dataSource.query<[{ id: string }]>('select id from notices');
    const rows = await dataSource.query<object[]>(
      `select d.event_id as "eventId", d.occasion, d.entity, d.cause, k.state, d.request
         from deliveries d join action_keys k using (id) where d.action in ('ops-1', 'ops-2') order by d.id`,
    );
    const about = { eventId: notice.id, occasion: 'notice', entity: `notice:${notice.id}` };
    expect(rows).toMatchObject([
      { ...about, cause: about.entity, state: 'pending', request: { kind: 'email' } },
      { ...about, request: { kind: 'feishu-bot', secrets: [{ at: ['url'] }, { at: ['signSecret'] }] } },
    ]);
  });

  it('owners are told of what their rule matched and could not make a request of', async () => {
    const actions = [
      { type: 'http', name: 'tell', url: 'https://a.example/', body: '{{ event.biz_type }}' },
      { type: 'http', name: 'ask', url: 'https://a.example/', body: '{{ event.biz_type }}' },
    ];
    await room.activate([{ ...rule('a', 'pay'), actions }], { 'owners.json': OWNERS });
    await room.approver({ status: 1, biz_type: undefined });
    await room.settle();
    expect(await dataSource.query('select kind, subject, rules, detail, state from notices')).toEqual([
      {
        kind: 'not-rendered',
        subject: 'rule:a',
        rules: ['a'],
        detail: { count: 2, code: 'TEMPLATE_VALUE_MISSING' },
        state: 'told',
      },
    ]);
    expect(await told()).toEqual(['pay-1 email:pay@example.com', 'pay-2 email:ops@example.com']);
  });

  it('of a recovery somebody is told however soon it comes', async () => {
    const recovered = noticeOf({ kind: 'target-recovered' });
    expect(await raise(noticeOf(), recovered)).toEqual([true, true]);
    expect(await raise(noticeOf(), recovered)).toEqual([false, true]);
  });

  it('notices go once to whoever is reached in the same way for several rules', async () => {
    await raise(noticeOf({ rules: ['b', 'a', 'c'] }));
    await room.time.notices.drain();
    expect((await told()).map((one) => one.split(' ')[1])).toEqual([
      'http:pager.example',
      'email:ops@example.com',
      'feishu-bot:OPS_BOT',
      'feishu-message:chat_id:oc_1',
      'email:pay@example.com',
    ]);
  });

  it.each([
    ['a rule without an owner', ['c']],
    ['an owner who is not listed', ['d']],
    ['a rule that is gone', ['z']],
    ['no rule', []],
  ])('notices of %s go to those for all others', async (_, rules) => {
    await raise(noticeOf({ rules }));
    await room.time.notices.drain();
    expect(await told()).toEqual(['*-1 http:pager.example']);
    const [{ request }] = await dataSource.query<[{ request: { content: unknown } }]>(
      'select request from deliveries',
    );
    expect(request.content).toMatchObject({
      method: 'POST',
      body: {
        kind: 'target-failing',
        subject: expect.stringContaining('http:a.example'),
        text: expect.stringContaining('HTTP_503'),
        detail: { code: 'HTTP_503' },
      },
    });
  });

  it('notices are seen as deliveries of no event: in lists, one by one, and in the stream', async () => {
    await raise(noticeOf({ rules: ['c'] }));
    await room.time.notices.drain();
    const list = new DeliveryList(dataSource);
    const [row, ...others] = await list.list({ rule: NOTICE_RULE }, { limit: 10, after: null });
    expect(others).toEqual([]);
    const about = { rule: NOTICE_RULE, action: '*-1', occasion: 'notice', target: 'http:pager.example' };
    expect(row).toMatchObject(about);
    expect(await list.find(row?.id ?? '')).toMatchObject({ ...about, request: { kind: 'http' } });
    const changes = new DeliveryChanges(dataSource);
    const latest = await changes.latest();
    const messages = await changes.messages(latest ? [latest] : [], loadBuiltInCatalogue());
    expect(messages).toMatchObject([{ eventType: '', data: { id: row?.id, target: 'http:pager.example' } }]);
  });

  it('notices are in the log when nobody is named', async () => {
    await room.activate(RULES, { 'owners.json': { ops: OWNERS.ops } });
    await raise(noticeOf({ rules: ['c'] }));
    await room.time.notices.drain();
    expect(await states()).toEqual(['nobody']);
    expect(room.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { event: 'notice.nobody', kind: 'target-failing', subject: 'http:a.example' } },
    ]);
  });

  it('notices are given by one of several instances', async () => {
    const other = new RulesRoom(dataSource, clock);
    const subjects = Array.from({ length: 6 }, (_, index) => `http:${index}.example`);
    await raise(...subjects.map((subject) => noticeOf({ rules: ['c'], subject })));
    await Promise.all([room.time.notices.drain(), other.time.notices.drain()]);
    // One may be on the way at the other when there is nothing more to take.
    await room.time.notices.drain();
    expect(await told()).toHaveLength(6);
    await other.close();
  });

  it('notices are raised once an hour for one subject, by whoever is first', async () => {
    expect(await raise(noticeOf(), noticeOf({ rules: ['b'] }))).toEqual([true, true]);
    expect(await dataSource.query('select rules from notices')).toEqual([{ rules: ['a', 'b'] }]);
    clock.advance(NOTICE_PAUSE_MS - 1);
    expect(await raise(noticeOf(), noticeOf({ kind: 'target-recovered' }))).toEqual([false, true]);
    clock.advance(1);
    await dataSource.transaction(async (tx) => {
      expect(await raiseNotices(tx, [noticeOf()], clock.now())).toEqual([true]);
      // Before the commit of the first.
      expect(await raise(noticeOf())).toEqual([false]);
    });
  });

  it('notices name no address of a person', async () => {
    await raise(
      noticeOf({ kind: 'deliveries-dead', subject: 'email:zhang@example.com' }),
      noticeOf({ kind: 'deliveries-dead', subject: 'feishu-message:open_id:ou_1' }),
    );
    expect(await dataSource.query('select subject from notices order by id')).toEqual([
      { subject: 'email' },
      { subject: 'feishu' },
    ]);
  });

  it('notices that cannot be written down hold up no other', async () => {
    await raise(noticeOf(), noticeOf({ subject: 'http:b.example' }));
    await dataSource.query(
      `create function refuse() returns trigger language plpgsql as $$ begin
         if new.request::text like '%http:a.example%' then raise exception using errcode = '22000'; end if;
         return new; end $$`,
    );
    await dataSource.query(
      'create trigger refuse before insert on deliveries for each row execute function refuse()',
    );
    try {
      await room.time.notices.drain();
      expect(await states()).toEqual(['nobody', 'told']);
    } finally {
      await dataSource.query('drop function refuse cascade');
    }
  });

  it('notices say in both languages what has happened, on lines of their own', async () => {
    await raise(
      ...NOTICE_KINDS.map((kind) =>
        noticeOf({ kind, rules: ['a'], subject: '*', detail: { reason: 'x\n<at user_id="all">y' } }),
      ),
    );
    await room.time.notices.drain();
    const mails = await dataSource.query<{ request: { content: { subject: string; text: string } } }[]>(
      `select request from deliveries where action = 'ops-1'`,
    );
    expect(mails).toHaveLength(NOTICE_KINDS.length);
    for (const { request } of mails) {
      expect(request.content.subject).toMatch(/^\[Aftersign\] .*\p{Script=Han}/u);
      const [chinese, , english] = request.content.text.split('\n');
      expect(chinese).toMatch(/\p{Script=Han}/u);
      expect(english).not.toMatch(/\p{Script=Han}{4}/u);
      expect(request.content.text).toContain('reason 原因: x ‹at user_id="all">y\n');
      expect(request.content.text).toContain('aftersign ');
    }
  });

  it('notices are forgotten after 90 days', async () => {
    await raise(noticeOf());
    await room.settle();
    clock.advance(89 * DAY);
    await room.settle();
    expect(await states()).toEqual(['told']);
    clock.advance(2 * DAY);
    await room.settle();
    expect(await states()).toEqual([]);
  });

  it('the limits of targets are put in place when a rule set becomes the live one', async () => {
    const limits = 'select lane, concurrency, rate_max, rate_per_ms from target_limits order by lane';
    await room.activate(RULES, { 'targets.json': { 'http:a.example': { rate: { max: 5, per: '1s' } } } });
    expect(await dataSource.query(limits)).toEqual([
      { lane: 'http:a.example', concurrency: null, rate_max: 5, rate_per_ms: '1000' },
    ]);
    await room.activate(RULES);
    expect(await dataSource.query(limits)).toEqual([]);
  });
});
