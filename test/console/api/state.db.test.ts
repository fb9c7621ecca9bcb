// The admin API over silences, timers, unsettled verdicts and what is known of approvals. Real: the service with the
// role console alone, so that nothing else changes the rows, and its database. The clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelTimer } from '../../../src/rules/timer-act.js';
import { waitForLanes } from '../../../src/queue/lanes.js';
import type { EventPlace, ObservedEvent, Phase } from '../../../src/rules/state/root-state.js';
import { laneOf } from '../../../src/queue/lanes.js';
import { TestClock } from '../../support/clock.js';
import { TestConsole, type Told } from '../../support/console.js';
import { insertTimer, insertUnsettled, saveState } from '../../support/state-rows.js';
import { emptied } from '../../support/database.js';

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';
const HOUR = 3_600_000;

let console: TestConsole;
let clock: TestClock;
beforeAll(async () => {
  clock = new TestClock();
  console = await TestConsole.open({ ROLE: 'console' }, clock);
}, 60_000);
afterAll(() => console.close());
beforeEach(() =>
  emptied(console.dataSource, 'silences, timers, unsettled, entity_states, entity_tasks, audit_log'),
);

const problem = (status: number, code: string) => ({
  status,
  body: expect.objectContaining({ status, code }),
});
const pathsOf = ({ body }: Told): string[] =>
  (body as { errors: { path: string }[] }).errors.map(({ path }) => path);
const auditOf = async (action: string) =>
  (
    await console.get<{ items: { actor: string; subject: string; detail: unknown }[] }>(
      'admin',
      `/audit?action=${action}`,
    )
  ).items;
const iso = (ms: number): string => new Date(ms).toISOString();

interface Silence {
  id: string;
  state: string;
  endsAt: string;
  startsAt: string;
  endsSoon: boolean;
  warnings: string[];
}
interface Page<T> {
  items: T[];
  next: string | null;
}

describe('silences', () => {
  const body = (changes: object = {}): object => ({
    matcher: { rule: 'payroll-*' },
    for: '2h',
    reason: 'the upgrade',
    ...changes,
  });
  const add = async (changes: object = {}): Promise<Silence> => {
    const told = await console.ask('operator', '/silences', { json: body(changes) });
    expect([told.status, told.text]).toEqual([201, expect.any(String)]);
    return told.body as Silence;
  };
  const list = (query = ''): Promise<Page<Silence>> => console.get('viewer', `/silences${query}`);

  it('are added for a time, and it stands who did it and why', async () => {
    const now = clock.now();
    const matcher = {
      rule: 'payroll-*',
      action: 'tell',
      owner: '人事',
      conditions: { all: [{ fact: 'process_id', operator: 'equal', value: '7' }] },
    };
    const silence = await add({ matcher });
    expect(silence).toEqual({
      id: expect.any(String),
      state: 'active',
      matcher,
      startsAt: iso(now),
      endsAt: iso(now + 2 * HOUR),
      author: 'operator/test',
      reason: 'the upgrade',
      createdAt: iso(now),
      endedBy: null,
      endsSoon: false,
      masked: false,
      warnings: [],
    });
    expect(await auditOf('silence.add')).toEqual([
      expect.objectContaining({
        actor: 'operator/test',
        subject: `silence:${silence.id}`,
        // What facts are compared with may be personal.
        detail: {
          rule: 'payroll-*',
          action: 'tell',
          owner: '人事',
          facts: ['process_id'],
          startsAt: iso(now),
          endsAt: iso(now + 2 * HOUR),
          reason: 'the upgrade',
        },
      }),
    ]);
    const { items } = await list();
    expect(items).toEqual([expect.objectContaining({ id: silence.id, matcher, state: 'active' })]);
  });

  it('may begin later, and end at a moment', async () => {
    const now = clock.now();
    const until = await add({
      startsAt: iso(now + HOUR),
      endsAt: '2026-11-02T20:00:00+08:00',
      for: undefined,
    });
    expect(until).toMatchObject({
      state: 'pending',
      startsAt: iso(now + HOUR),
      endsAt: '2026-11-02T12:00:00.000Z',
    });
    // From its beginning on; what is past is now.
    expect(await add({ startsAt: iso(now + HOUR) })).toMatchObject({ endsAt: iso(now + 3 * HOUR) });
    expect(await add({ startsAt: iso(now - HOUR) })).toMatchObject({
      startsAt: iso(now),
      endsAt: iso(now + 2 * HOUR),
    });
  });

  it('are told by how they stand, and that they end soon', async () => {
    const long = await add({ for: '5h' });
    const short = await add({ for: '30m' });
    const coming = await add({ startsAt: iso(clock.now() + HOUR) });
    const standing = async (state: string): Promise<string[]> =>
      (await list(`?state=${state}`)).items.map(({ id }) => id);
    expect(await standing('active')).toEqual([short.id, long.id]);
    expect(await standing('pending')).toEqual([coming.id]);
    expect((await list()).items.map(({ endsSoon }) => endsSoon)).toEqual([false, true, false]);
    clock.advance(HOUR);
    expect(await standing('ended')).toEqual([short.id]);
    expect(await standing('active')).toEqual([coming.id, long.id]);
    expect((await list('?limit=1')).items).toHaveLength(1);
    const { next } = await list('?limit=2');
    expect((await list(`?cursor=${next ?? ''}`)).items.map(({ id }) => id)).toEqual([long.id]);
  });

  it('are ended by a person, once', async () => {
    const { id } = await add();
    clock.advance(1000);
    const ended = await console.ask('operator', `/silences/${id}/end`, { json: { reason: 'done early' } });
    expect(ended).toMatchObject({
      status: 200,
      body: { id, state: 'ended', endedBy: 'operator/test', endsAt: iso(clock.now()) },
    });
    expect(await auditOf('silence.end')).toEqual([
      expect.objectContaining({ subject: `silence:${id}`, detail: { reason: 'done early' } }),
    ]);
    const again = await console.ask('operator', `/silences/${id}/end`, { method: 'POST' });
    expect(again).toMatchObject(problem(409, 'SILENCE_ENDED'));
    expect(await auditOf('silence.end')).toHaveLength(1);
    for (const other of ['nothing', UNKNOWN])
      expect(await console.ask('operator', `/silences/${other}/end`, { method: 'POST' })).toMatchObject(
        problem(404, 'SILENCE_UNKNOWN'),
      );
  });

  it.each<[string, object, string[]]>([
    ['nothing', { matcher: {} }, ['matcher']],
    ['no reason', { reason: ' ' }, ['reason']],
    ['no end', { for: undefined }, ['']],
    ['two ends', { endsAt: '2026-12-01T00:00:00Z' }, ['']],
    ['a bare number', { for: '2' }, ['for']],
    ['no time at all', { for: '0h' }, ['for']],
    ['working time', { for: '2 workdays' }, ['for']],
    ['two years', { for: '730d' }, ['for']],
    ['a time without a zone', { for: undefined, endsAt: '2026-12-01T00:00:00' }, ['endsAt']],
    ['an end that is past', { for: undefined, endsAt: '2026-11-01T00:00:00Z' }, ['endsAt']],
    [
      'an end before the beginning',
      { for: undefined, startsAt: '2026-12-02T00:00:00Z', endsAt: '2026-12-01T00:00:00Z' },
      ['endsAt'],
    ],
    ['a name that no rule has', { matcher: { rule: 'Pay Roll' } }, ['matcher.rule']],
    ['an unknown part', { matcher: { rule: 'a', target: 'http:x' } }, ['matcher']],
    ['conditions that are none', { matcher: { conditions: 'status = 3' } }, ['matcher.conditions']],
    [
      'an unknown operator',
      { matcher: { conditions: { any: [{ fact: 'a', operator: 'eqal', value: 1 }] } } },
      ['matcher.conditions.any.0.operator'],
    ],
    [
      'a number that has lost digits',
      { matcher: { conditions: { all: [{ fact: 'a', operator: 'equal', value: 2 ** 53 }] } } },
      ['matcher.conditions.all.0.value'],
    ],
    [
      'a named condition',
      { matcher: { conditions: { condition: 'late' } } },
      ['matcher.conditions.condition'],
    ],
  ])('are refused with %s, each place told', async (_, changes, paths) => {
    const told = await console.ask('operator', '/silences', { json: body(changes) });
    expect(told).toMatchObject(problem(400, 'REQUEST_INVALID'));
    expect(pathsOf(told)).toEqual(paths);
    expect((await list()).items).toEqual([]);
    expect(await auditOf('silence.add')).toEqual([]);
  });

  it('say what may be a slip of the pen', async () => {
    const { warnings } = await add({
      matcher: { conditions: { all: [{ fact: 'proces_id', operator: 'equal', value: '7' }] } },
    });
    expect(warnings).toEqual([expect.stringContaining('Did you mean "process_id"?')]);
  });

  it('are not for viewers to make or end, who do not see whom conditions are about either', async () => {
    const { id } = await add({
      matcher: {
        conditions: {
          all: [
            { fact: 'user_id', operator: 'equal', value: 'canary-person' },
            {
              not: { any: [{ fact: 'lookup.boss', path: '$.name', operator: 'in', value: ['canary-boss'] }] },
            },
            { fact: 'status', operator: 'equal', value: 'DONE' },
          ],
        },
      },
    });
    expect(await console.ask('viewer', '/silences', { json: body() })).toMatchObject(
      problem(403, 'ROLE_MISSING'),
    );
    expect(await console.ask('viewer', `/silences/${id}/end`, { method: 'POST' })).toMatchObject(
      problem(403, 'ROLE_MISSING'),
    );
    const seen = await console.ask('viewer', '/silences');
    expect(seen.text).not.toContain('canary');
    expect((seen.body as Page<object>).items).toMatchObject([
      {
        masked: true,
        matcher: {
          conditions: {
            all: [
              { value: '•••' },
              { not: { any: [{ fact: 'lookup.boss', value: '•••' }] } },
              { value: 'DONE' },
            ],
          },
        },
      },
    ]);
    expect((await console.ask('operator', '/silences')).text).toContain('canary-person');
    expect(JSON.stringify(await auditOf('silence.add'))).not.toContain('canary');
  });
});

describe('timers', () => {
  const timer = (changes: Parameters<typeof insertTimer>[2] = {}): Promise<string> =>
    insertTimer(console.dataSource, clock.now(), changes);
  const ids = async (query = '', role: 'viewer' | 'operator' = 'viewer'): Promise<string[]> =>
    (await console.get<Page<{ id: string }>>(role, `/timers${query}`)).items.map(({ id }) => id);

  it('are listed by the time that they are due, a page at a time', async () => {
    const second = await timer({ subject: 'task:2', dueAt: clock.now() + 1 });
    const first = await timer({ subject: 'task:1' });
    const third = await timer({ subject: 'task:3', dueAt: clock.now() + 2, rule: 'other' });
    const cancelled = await timer({ subject: 'task:4', state: 'cancelled', code: 'PROCESS_ENDED' });
    expect(await ids()).toEqual([first, second, third]);
    expect(await ids('?state=cancelled')).toEqual([cancelled]);
    expect(await ids('?rule=other')).toEqual([third]);
    expect(await ids(`?dueBefore=${iso(clock.now() + 2)}`)).toEqual([first, second]);
    const page = await console.get<Page<{ id: string }>>('viewer', '/timers?limit=2');
    expect(await ids(`?cursor=${page.next ?? ''}`)).toEqual([third]);
  });

  it('take no cursor but their own', async () => {
    const cursor = (text: string): string => Buffer.from(text).toString('base64url');
    for (const one of [
      'x',
      cursor(UNKNOWN),
      cursor(`1 ${'x'.repeat(36)}`),
      cursor(`${'9'.repeat(18)} ${UNKNOWN}`),
    ])
      expect(await console.ask('viewer', `/timers?cursor=${one}`)).toMatchObject(
        problem(400, 'CURSOR_INVALID'),
      );
    for (const one of [`${'9'.repeat(17)} ${UNKNOWN}`, `-${'9'.repeat(17)} ${UNKNOWN}`])
      expect(await console.ask('viewer', `/timers?cursor=${cursor(one)}`)).toMatchObject({ status: 200 });
  });

  it.each(['armed', 'asking', 'fetching'])('that are %s are cancelled by a person', async (state) => {
    const id = await timer({ state });
    clock.advance(5);
    const told = await console.ask('operator', `/timers/${id}/cancel`, { json: { reason: 'by phone' } });
    expect(told).toMatchObject({
      status: 200,
      body: {
        id,
        state: 'cancelled',
        code: 'CANCELLED_BY_PERSON',
        reason: 'by phone',
        updatedAt: iso(clock.now()),
      },
    });
    expect(await auditOf('timer.cancel')).toEqual([
      expect.objectContaining({
        actor: 'operator/test',
        subject: `timer:${id}`,
        detail: { reason: 'by phone' },
      }),
    ]);
    expect(await console.ask('operator', `/timers/${id}/cancel`, { method: 'POST' })).toMatchObject(
      problem(409, 'TIMER_STATE'),
    );
  });

  it('of which nothing is to come, or that are not there, are not', async () => {
    const id = await timer({ state: 'finished' });
    const cancel = (one: string, role: 'viewer' | 'operator' = 'operator'): Promise<Told> =>
      console.ask(role, `/timers/${one}/cancel`, { method: 'POST' });
    expect(await cancel(id)).toMatchObject(problem(409, 'TIMER_STATE'));
    expect(await cancel(UNKNOWN)).toMatchObject(problem(404, 'TIMER_UNKNOWN'));
    expect(await cancel('nothing')).toMatchObject(problem(404, 'TIMER_UNKNOWN'));
    expect(await cancel(id, 'viewer')).toMatchObject(problem(403, 'ROLE_MISSING'));
    expect(await auditOf('timer.cancel')).toEqual([]);
  });

  it('wait for whoever decides in the lane: what was sent meanwhile is not undone', async () => {
    const id = await timer();
    const other = await console.database.open(1);
    const deciding = other.createQueryRunner();
    await deciding.startTransaction();
    await waitForLanes(deciding.manager, [laneOf('process:7')]);
    const cancelled = console.dataSource.transaction((tx) => cancelTimer(tx, id, null, clock.now()));
    await deciding.query(`update timers set state = 'finished', sent = '{24h}' where id = $1`, [id]);
    await deciding.commitTransaction();
    await deciding.release();
    expect(await cancelled).toEqual({ done: false, state: 'finished' });
    await other.destroy();
  });

  it('keep a reason from viewers: it may repeat what an event holds', async () => {
    await timer({ state: 'cancelled', code: 'CANCELLED_BY_PERSON', reason: 'canary asked for it' });
    const seen = await console.ask('viewer', '/timers?state=cancelled');
    expect(seen.body).toMatchObject({ items: [{ code: 'CANCELLED_BY_PERSON', reason: '•••' }] });
    expect((await console.ask('operator', '/timers?state=cancelled')).text).toContain('canary asked');
  });
});

describe('unsettled verdicts', () => {
  it('are listed by whether they can still be settled', async () => {
    const open = await insertUnsettled(console.dataSource, clock.now() + 1);
    const expired = await insertUnsettled(console.dataSource, clock.now(), { rule: 'other' });
    const events = async (query: string): Promise<string[]> =>
      (await console.get<Page<{ eventId: string }>>('viewer', `/unsettled${query}`)).items.map(
        ({ eventId }) => eventId,
      );
    expect(await events('?state=open')).toEqual([open]);
    expect(await events('?state=expired')).toEqual([expired]);
    expect(await events('?rule=other')).toEqual([expired]);
    expect(await console.get('viewer', '/unsettled?limit=1')).toEqual({
      items: [
        {
          eventId: open,
          eventType: null,
          rule: 'remind',
          entity: 'process:7',
          missing: ['task.previousStatus'],
          state: 'open',
          decidedAt: expect.any(String),
          until: iso(clock.now() + 1),
        },
      ],
      next: expect.any(String),
    });
    const { next } = await console.get<Page<unknown>>('viewer', '/unsettled?limit=1');
    expect(await events(`?limit=1&cursor=${next ?? ''}`)).toEqual([expired]);
    expect(await console.ask('viewer', '/unsettled?state=lost')).toMatchObject(
      problem(400, 'REQUEST_INVALID'),
    );
  });
});

describe('what is known of an approval', () => {
  const place = (tells: 'task' | 'node' | 'process', status: number, phase: Phase): EventPlace => ({
    process: '7',
    node: tells === 'process' ? null : '5',
    task: tells === 'task' ? '1' : null,
    tells,
    status,
    phase,
  });
  const event = (time: number, of: EventPlace, eventType: string): ObservedEvent => ({
    id: UNKNOWN,
    eventType: `corehr.process.${eventType}`,
    eventId: `e${time}`,
    orderTime: clock.now() + time,
    statusRank: time,
    place: of,
  });
  const save = (): Promise<void> =>
    saveState(
      console.dataSource,
      'process:7',
      [
        event(1, place('task', 1, 'open'), 'approver.updated_v2'),
        event(3, place('task', 3, 'done'), 'approver.updated_v2'),
        event(2, place('node', 1, 'open'), 'node.updated_v2'),
        event(4, place('process', 9, 'done'), 'updated_v2'),
      ],
      clock.now(),
    );

  it('is its status, nodes, tasks and history in the words of the catalogue', async () => {
    await save();
    const at = (time: number): string => iso(clock.now() + time);
    const label = { zh: expect.any(String), en: expect.any(String) };
    const open = { zh: '待办', en: 'to do' };
    const done = { zh: '已完成', en: 'done' };
    expect(await console.get('viewer', '/entities/process:7')).toEqual({
      entity: 'process:7',
      status: { value: 9, label, phase: 'done', since: at(4) },
      endedAt: iso(clock.now()),
      updatedAt: iso(clock.now()),
      nodes: [
        {
          id: '5',
          status: { value: 1, label, phase: 'open', since: at(2) },
          seen: 1,
          pending: 0,
          done: 1,
          rejected: 0,
          cancelled: 0,
          complete: true,
        },
      ],
      tasks: [{ id: '1', node: '5', status: { value: 3, label: done, phase: 'done', since: at(3) } }],
      history: [
        {
          at: at(1),
          level: 'task',
          id: '1',
          eventId: 'e1',
          from: null,
          fromLabel: null,
          to: 1,
          toLabel: open,
          kind: 'first',
        },
        {
          at: at(2),
          level: 'node',
          id: '5',
          eventId: 'e2',
          fromLabel: null,
          to: 1,
          toLabel: label,
          kind: 'first',
        },
        {
          at: at(3),
          level: 'task',
          id: '1',
          eventId: 'e3',
          from: 1,
          fromLabel: open,
          to: 3,
          toLabel: done,
          kind: 'forward',
        },
        {
          at: at(4),
          level: 'process',
          id: '7',
          eventId: 'e4',
          fromLabel: null,
          to: 9,
          toLabel: label,
          kind: 'first',
        },
      ],
      timers: [],
      unsettled: [],
      events: [],
      deliveries: [],
      masked: true,
    });
  });

  it('says since when a status is so, however often it is told', async () => {
    await saveState(
      console.dataSource,
      'process:7',
      [1, 2, 3].map((time) => event(time, place('task', time === 1 ? 3 : 1, 'open'), 'approver.updated_v2')),
      clock.now(),
    );
    const { tasks } = await console.get<{ tasks: { status: object }[] }>('viewer', '/entities/process:7');
    expect(tasks).toMatchObject([{ status: { value: 1, since: iso(clock.now() + 2) } }]);
  });

  it('has what is to come of it, and what is open', async () => {
    const id = await insertTimer(console.dataSource, clock.now());
    const eventId = await insertUnsettled(console.dataSource, clock.now());
    await insertTimer(console.dataSource, clock.now(), { entity: 'process:70' });
    expect(await console.get('operator', '/entities/process:7')).toMatchObject({
      entity: 'process:7',
      status: null,
      updatedAt: null,
      timers: [{ id }],
      unsettled: [{ eventId, state: 'expired' }],
      masked: false,
    });
  });

  it('is nothing for what nobody has heard of', async () => {
    await save();
    for (const entity of ['process:8', '7', 'process', 'process:7%00', `process:${'7'.repeat(90)}`])
      expect(await console.ask('viewer', `/entities/${entity}`)).toMatchObject(
        problem(404, 'ENTITY_UNKNOWN'),
      );
  });

  it('is found whatever its id looks like', async () => {
    for (const entity of [
      'process:a/b',
      'process:a?b',
      'process:流程',
      'process:__proto__',
      `process:${'x'.repeat(200)}`,
    ]) {
      await insertTimer(console.dataSource, clock.now(), { entity });
      expect(await console.get('viewer', `/entities/${encodeURIComponent(entity)}`)).toMatchObject({
        entity,
      });
    }
  });
});
