// The real service, its database, a real receiver of deliveries and look-ups. Every GET route of the router is asked
// about an event that holds a canary in each place that viewers may not read.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UserRole } from '../../../src/config/config.js';
import {
  CANARIES,
  openSeeded,
  PLANTED,
  SEEDED_TYPE,
  type SeededConsole,
} from '../../support/seeded-console.js';
import { editedAnnouncement, endedBacktest } from '../../support/backtests.js';
import { APP } from '../../support/feishu.js';
import { routesOf } from '../../support/routes.js';
import { insertTimer, insertUnsettled, saveState } from '../../support/state-rows.js';

let seeded: SeededConsole;
let deliveries: { id: string; rule: string }[];
let backtest: string;
beforeAll(async () => {
  seeded = await openSeeded();
  const { console, event } = seeded;
  const path = `/deliveries?event=${event.id}`;
  deliveries = (await console.get<{ items: typeof deliveries }>('admin', path)).items;
  await withState();
  backtest = (await endedBacktest(seeded, { after: editedAnnouncement(seeded) })).id;
}, 60_000);
afterAll(() => seeded.close());

/** Timers, verdicts and a silence about the person of the event, and an approval that is nobody's. */
async function withState(): Promise<void> {
  const { console, event } = seeded;
  const { dataSource } = console;
  const now = Date.now();
  const entity = `employee:${CANARIES.employee}`;
  const subject = `process:${CANARIES.employee}`;
  const timer = { entity, subject, reason: `because of ${CANARIES.name}`, dueAt: now + 86_400_000 };
  await insertTimer(dataSource, now, timer);
  await insertTimer(dataSource, now, { ...timer, state: 'cancelled' });
  await insertUnsettled(dataSource, now + 86_400_000, { entity });
  const matching = (fact: string, value: string) => ({ fact, operator: 'equal', value });
  const conditions = {
    all: [
      matching('applicant', CANARIES.name),
      { any: [{ ...matching('contact', CANARIES.phone), path: '$.phone' }] },
      { not: matching('lookup.person.secretary', CANARIES.answered) },
    ],
  };
  const silence = { matcher: { rule: 'nobody', conditions }, for: '2h', reason: 'a test' };
  const added = await console.ask('operator', '/silences', { json: silence });
  expect(added.status).toBe(201);
  const place = { process: '7', node: null, task: null, tells: 'process', status: 1, phase: 'open' } as const;
  const told = { id: event.id, eventType: SEEDED_TYPE, eventId: 'e', orderTime: now, statusRank: 1, place };
  for (const one of ['process:7', entity]) await saveState(dataSource, one, [told], now);
  await withShadow();
  await withReplays();
}

/** What a rule in shadow mode would have sent: the same as its twin, and to another receiver. */
async function withShadow(): Promise<void> {
  const { dataSource } = seeded.console;
  const ids = deliveries.map(({ id }) => id);
  await dataSource.query(
    `insert into shadow_rules (rule, rule_set, shadow_of)
     select d.rule || '-new', a.hash, d.rule from deliveries d, rule_set_activations a where d.id = any($1::uuid[])`,
    [ids],
  );
  await dataSource.query(
    `insert into shadow_keys (key, id, rule, twin_key)
     select action_key, id, rule || '-new', action_key from deliveries where id = any($1::uuid[])`,
    [ids],
  );
  await dataSource.query(
    `insert into shadow_deliveries (id, action_key, shadow_of, twin_key, event_id, occasion, rule, action, kind, target,
                                    entity, cause, generation, decided_at, due_at, state, code, reason, request)
     select id, action_key, rule, action_key, event_id, occasion, rule || '-new', action, kind, 'email:' || $2, entity, cause,
            0, created_at, created_at, 'dead', 'TEMPLATE_VALUE_MISSING', 'of ' || $3, request
       from deliveries where id = any($1::uuid[])`,
    [ids, CANARIES.mail, CANARIES.name],
  );
}

const REPLAYS = { replay: randomUUID(), recall: randomUUID() };

/** A replay of the event, and a recall of all deliveries. */
async function withReplays(): Promise<void> {
  const { dataSource } = seeded.console;
  await dataSource.query(
    `insert into replays (id, kind, created_at, created_by, purpose, rule_set, only_rule, filter, state, due_at, updated_at)
     select u.id, u.kind, now(), 'rosa', 'a wrong rule', a.hash, u.rule, '{}', 'done', now(), now()
       from (values ($1::uuid, 'replay', null), ($2::uuid, 'recall', 'announce')) as u (id, kind, rule), rule_set_activations a`,
    [REPLAYS.replay, REPLAYS.recall],
  );
  await dataSource.query(
    `insert into replay_events (replay_id, place, event_id, entity, state, counts)
     select u.id, 0, $1, 'process:7', 'done', '{"sent": 1}' from unnest($2::uuid[]) as u (id)`,
    [seeded.event.id, Object.values(REPLAYS)],
  );
  await dataSource.query(
    `insert into recall_deliveries (recall_id, delivery_id, entity, rule_set, outcome)
     select $1, id, entity, null, 'person' from deliveries where id = any($2::uuid[])`,
    [REPLAYS.recall, deliveries.map(({ id }) => id)],
  );
}

/** Every address of a GET route that there is something at. */
function addresses(): string[] {
  const ids: Record<string, readonly string[]> = {
    '/api/v1/events/:id': [seeded.event.id, seeded.event.eventId],
    '/api/v1/events/:id/evaluations': [seeded.event.id, `${seeded.event.id}?rule=ask-first`],
    '/api/v1/events/:id/case': [seeded.event.id, `${seeded.event.id}?rule=announce`],
    '/api/v1/backtests/:id': [backtest],
    '/api/v1/deliveries/:id': deliveries.map(({ id }) => id),
    '/api/v1/shadow/:rule': deliveries.map(({ rule }) => `${rule}-new`),
    '/api/v1/shadow/:rule/deliveries': deliveries.map(({ rule }) => `${rule}-new`),
    '/api/v1/shadow-deliveries/:id': deliveries.map(({ id }) => id),
    '/api/v1/replays/:id': [REPLAYS.replay],
    '/api/v1/recalls/:id': [REPLAYS.recall],
    '/api/v1/recalls/:id/deliveries': [REPLAYS.recall],
    '/api/v1/recalls/selection/:rule': deliveries.map(({ rule }) => `${rule}?since=2020-01-01T00:00:00Z`),
    '/api/v1/rule-sets/:hash': ['live'],
    '/api/v1/rule-sets/:hash/rules': ['live'],
    '/api/v1/rule-sets/:hash/file': ['live?path=announce.rule.json'],
    '/api/v1/rules/:name': ['announce', 'invite', 'nearly', 'ask-first', 'compare'],
    '/api/v1/rules/:name/history': ['announce', 'invite', 'nearly', 'ask-first', 'compare'],
    '/api/v1/rules/:name/cases': ['announce'],
    '/api/v1/rules/:name/versions': ['announce'],
    '/api/docs/:asset': ['page-script.js'],
    '/api/v1/entities/:entity': ['process:7'],
  };
  return routesOf(seeded.console.service.app)
    .filter(({ method, path }) => method === 'GET' && path.startsWith('/api/'))
    .filter(({ path }) => !path.startsWith('/api/v1/login/oidc') && path !== '/api/v1/stream')
    .flatMap(({ path }) => {
      if (!path.includes('/:')) return [path];
      const given = ids[path];
      if (!given) throw new Error(`say in this test what to ask ${path} for`);
      return given.map((id) => {
        const [name = '', query] = id.split('?');
        return path.replace(/:\w+/, name) + (query === undefined ? '' : `?${query}`);
      });
    });
}

async function answersFor(role: UserRole): Promise<Map<string, { status: number; text: string }>> {
  const answers = new Map<string, { status: number; text: string }>();
  for (const path of addresses()) {
    const answer = await fetch(seeded.console.url + path, {
      headers: { authorization: `Bearer ${seeded.console.tokens[role]}` },
    });
    answers.set(path, { status: answer.status, text: await answer.text() });
  }
  return answers;
}

const holding = (answers: Map<string, { text: string }>, values: readonly string[]): string[] =>
  [...answers].flatMap(([path, { text }]) => {
    const decoded = text.replace(/[A-Za-z0-9+/]{80,}={0,2}/g, (base64) =>
      Buffer.from(base64, 'base64').toString(),
    );
    return values
      .filter((value) => text.includes(value) || decoded.includes(value))
      .map((value) => `${path}: ${value}`);
  });

describe('personal values', () => {
  it('stand in no answer to a viewer', async () => {
    const answers = await answersFor('viewer');
    expect(holding(answers, Object.values(CANARIES))).toEqual([]);
    const refused = [...answers]
      .filter(([, { status }]) => status !== 200)
      .map(([path, { status }]) => `${status} ${path}`);
    expect(refused.sort()).toEqual([
      '403 /api/v1/audit',
      '403 /api/v1/erasures/days',
      `403 /api/v1/events/${seeded.event.id}/case`,
      `403 /api/v1/events/${seeded.event.id}/case?rule=announce`,
      '403 /api/v1/events/export',
      '403 /api/v1/users',
    ]);
  });

  it('are there for operators, each of them, so that the test above can see them', async () => {
    const found = holding(await answersFor('operator'), Object.values(CANARIES));
    for (const value of Object.values(CANARIES)) expect(found.some((one) => one.endsWith(value))).toBe(true);
    const shadow = ['-new/deliveries', '/shadow-deliveries/'];
    for (const path of [
      '/events/',
      '/evaluations',
      '/deliveries/',
      '/backtests/',
      '/targets',
      '/export',
      '/overview',
      ...shadow,
    ])
      expect([path, found.some((one) => one.includes(path))]).toEqual([path, true]);
  });

  it('have stand-ins in a case of what happened', async () => {
    const answers = await answersFor('operator');
    const cases = [...answers].filter(([path]) => /\/case(?:\?|$)/.test(path));
    for (const [path, { text }] of cases) {
      const { passed, notes, document } = JSON.parse(text) as Record<string, unknown>;
      expect([path, passed, notes]).toEqual([path, true, []]);
      expect(JSON.stringify(document)).toContain('Hangzhou');
    }
    expect(cases).toHaveLength(2);
    expect(holding(new Map(cases), Object.values(CANARIES))).toEqual([]);
  });

  it('are masked where the rest of the value is not', async () => {
    const { console, event } = seeded;
    const told = await console.get<{
      masked: boolean;
      body: unknown;
      raw: unknown;
      facts: { name: string; value: unknown }[];
    }>('viewer', `/events/${event.id}`);
    const facts = Object.fromEntries(told.facts.map(({ name, value }) => [name, value]));
    expect(facts).toMatchObject({
      visit_id: 'visit-1',
      applicant: '•••',
      contact: { phone: '•••', city: 'Hangzhou' },
      guests: [{ name: '•••', badge: 17 }],
    });
    expect(told).toMatchObject({ masked: true, body: null, raw: null });
  });

  it('of a person are nothing to a viewer who asks what is known of it', async () => {
    const { console } = seeded;
    const path = `/entities/employee:${CANARIES.employee}`;
    expect(await console.ask('viewer', path)).toMatchObject({
      status: 404,
      body: { code: 'ENTITY_UNKNOWN' },
    });
    expect(await console.get('operator', path)).toMatchObject({
      timers: [{ reason: `because of ${CANARIES.name}` }, {}],
      deliveries: [{}, {}],
      events: [{ id: seeded.event.id }],
    });
  });

  it('cannot be guessed by a viewer: no filter finds them', async () => {
    const { console } = seeded;
    const ask = async (role: UserRole, path: string): Promise<number> =>
      (await console.get<{ items: unknown[] }>(role, path)).items.length;
    for (const [path, count] of [
      [`/events?text=${CANARIES.name}`, 1],
      [`/events?entity=${CANARIES.employee}`, 1],
      [`/events?entity=employee:${CANARIES.employee}`, 1],
      [`/deliveries?target=email:${CANARIES.mail}`, 1],
      [`/deliveries?entity=employee:${CANARIES.employee}`, 2],
      [`/deliveries?text=email:${CANARIES.mail}`, 1],
      [`/deliveries?text=employee:${CANARIES.employee}`, 2],
      [`/timers?entity=employee:${CANARIES.employee}`, 1],
      [`/unsettled?entity=employee:${CANARIES.employee}`, 1],
    ] as const) {
      expect([path, await ask('operator', path)]).toEqual([path, count]);
      expect([path, await ask('viewer', path)]).toEqual([path, 0]);
    }
    expect(await ask('viewer', `/events?type=${SEEDED_TYPE}&status=done`)).toBe(1);
  });
});

describe('secrets', () => {
  it('stand in no answer to anybody', async () => {
    const secrets = [...Object.values(PLANTED), APP.encryptKey, APP.token];
    const answers = await answersFor('admin');
    expect(holding(answers, secrets)).toEqual([]);
    expect([...answers].filter(([, { status }]) => status !== 200)).toEqual([]);
  });

  it('have their names where they will stand', async () => {
    const id = deliveries.find(({ rule }) => rule === 'announce')?.id ?? '';
    const { request } = await seeded.console.get<{ request: { headers: unknown; body: unknown } }>(
      'admin',
      `/deliveries/${id}`,
    );
    expect(request).toMatchObject({
      kind: 'http',
      headers: { authorization: 'Bearer {{ secrets.RECEIVER_TOKEN }}' },
      body: { who: CANARIES.name, phone: CANARIES.phone },
    });
    expect(
      seeded.receiver.received.some(
        ({ headers }) => headers.authorization === `Bearer ${PLANTED.RECEIVER_TOKEN}`,
      ),
    ).toBe(true);
  });
});
