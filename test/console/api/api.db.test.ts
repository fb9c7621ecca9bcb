// The real service with all roles, its database, a real receiver.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestConsole } from '../../support/console.js';
import { type SeededConsole, openSeeded, SEEDED_TYPE, visitPush } from '../../support/seeded-console.js';
import { until } from '../../support/door.js';
import { pushOf } from '../../support/feishu.js';
import { put } from '../../support/folder.js';

let seeded: SeededConsole;
let console: TestConsole;
beforeAll(async () => {
  seeded = await openSeeded();
  console = seeded.console;
}, 60_000);
afterAll(() => seeded.close());

interface Listed {
  items: { id: string; eventId: string; state: string; rule: string }[];
  next: string | null;
}

const problem = (status: number, code: string) => ({
  status,
  body: expect.objectContaining({ status, code }),
});
const auditOf = (action: string) =>
  console.get<{ items: { actor: string; subject: string; detail: Record<string, unknown> }[] }>(
    'admin',
    `/audit?action=${action}`,
  );
const deliveryOf = async (rule: string, state = 'dead'): Promise<string> => {
  const { items } = await console.get<Listed>('viewer', `/deliveries?rule=${rule}&state=${state}&limit=1`);
  return items[0]?.id ?? '';
};

describe('lists', () => {
  it('give a page at a time, the newest first, without a row twice or left out', async () => {
    for (let at = 0; at < 6; at += 1)
      await console.push(visitPush({ status: 1, visit_id: `page-${at}` }, { event_id: `page-${at}` }));
    const all = await console.get<Listed>('viewer', '/events');
    expect(all.next).toBeNull();
    const walked: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: Listed = await console.get<Listed>(
        'viewer',
        `/events?limit=3${next === '' ? '' : `&cursor=${next}`}`,
      );
      expect(page.items.length).toBeLessThanOrEqual(3);
      walked.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(walked).toEqual(all.items.map(({ id }) => id));
    expect(walked).toEqual([...walked].sort().reverse());
    expect(walked).toHaveLength(7);
  });

  it('refuse what they do not know, and say each place', async () => {
    for (const [path, places] of [
      ['/events?limit=0', ['limit']],
      ['/events?limit=201', ['limit']],
      ['/events?limit=x&state=gone', ['limit', 'state']],
      ['/events?colour=red', ['']],
      ['/events?limit=1&limit=2', ['limit']],
      ['/events?since=yesterday', ['since']],
      ['/events?text=a%00b', ['text']],
      ['/events?text=', ['text']],
      ['/deliveries?kind=pigeon', ['kind']],
      ['/stream?topics=weather', ['topics']],
      ['/rules?colour=red', ['']],
      [`/events/${seeded.event.id}?colour=red`, ['']],
    ] as const) {
      const told = await console.ask('viewer', path);
      expect(told).toMatchObject(problem(400, 'REQUEST_INVALID'));
      expect((told.body as { errors: { path: string }[] }).errors.map((one) => one.path)).toEqual(places);
    }
  });

  it('take no cursor but their own', async () => {
    for (const cursor of [
      'x',
      'AAAA',
      Buffer.from('not a uuid').toString('base64url'),
      `${Buffer.from(seeded.event.id).toString('base64url')}=`,
    ])
      expect(await console.ask('viewer', `/events?cursor=${cursor}`)).toMatchObject(
        problem(400, 'CURSOR_INVALID'),
      );
    expect(
      await console.ask('viewer', `/rule-sets?cursor=${Buffer.from(seeded.event.id).toString('base64url')}`),
    ).toMatchObject(problem(400, 'CURSOR_INVALID'));
  });

  it('tell decisions', async () => {
    const { items } = await console.get<Listed>('viewer', '/evaluations?verdict=matched');
    expect(items).toEqual([
      expect.objectContaining({
        eventId: seeded.event.id,
        eventType: SEEDED_TYPE,
        matched: 2,
        occasion: 'live',
      }),
    ]);
  });
});

describe('ids that lead nowhere', () => {
  it.each([
    ['/events/nothing', 'EVENT_UNKNOWN'],
    ['/events/%00', 'EVENT_UNKNOWN'],
    ['/events/0198c0de-0000-7000-8000-000000000000', 'EVENT_UNKNOWN'],
    ['/events/%F0%9F%92%A5', 'EVENT_UNKNOWN'],
    ['/events/nothing/evaluations', 'EVENT_UNKNOWN'],
    ['/deliveries/nothing', 'DELIVERY_UNKNOWN'],
    ['/deliveries/0198c0de-0000-7000-8000-000000000000', 'DELIVERY_UNKNOWN'],
    ['/rule-sets/nothing', 'RULE_SET_UNKNOWN'],
    ['/rule-sets/abcdef', 'RULE_SET_UNKNOWN'],
    ['/rules/nothing', 'RULE_UNKNOWN'],
    ['/rules/%00', 'RULE_UNKNOWN'],
  ])('%s is told as %s', async (path, code) => {
    expect(await console.ask('viewer', path)).toMatchObject(problem(404, code));
  });

  it('a delivery that is not there cannot be acted on', async () => {
    for (const id of ['nothing', '0198c0de-0000-7000-8000-000000000000'])
      expect(await console.ask('operator', `/deliveries/${id}/redrive`, { method: 'POST' })).toMatchObject(
        problem(404, 'DELIVERY_UNKNOWN'),
      );
  });
});

describe('acting on deliveries', () => {
  it('sends a dead one again, with its key, and writes down who did it', async () => {
    const id = await deliveryOf('announce');
    const before = seeded.receiver.received.length;
    const told = await console.ask('operator', `/deliveries/${id}/redrive`, {
      json: { reason: 'the receiver is mended' },
    });
    expect(told).toMatchObject({ status: 200, body: { id, rule: 'announce' } });
    await until(() => seeded.receiver.received.length > before);
    const keys = seeded.receiver.received.flatMap(({ headers }) => headers['idempotency-key'] ?? []);
    expect(new Set(keys).size).toBe(1);
    const { items } = await auditOf('delivery.redrive');
    expect(items[0]).toMatchObject({
      actor: 'operator/test',
      subject: `delivery:${id}`,
      detail: { reason: 'the receiver is mended' },
    });
    await until(async () => (await deliveryOf('announce')) === id);
    expect(await console.get('admin', `/deliveries/${id}`)).toMatchObject({
      redrivenAt: expect.any(String),
      attempts: [{ attempt: 1 }, { attempt: 2 }],
    });
  });

  it('refuses what its state forbids, and writes nothing down', async () => {
    const id = await deliveryOf('invite');
    const audited = (await auditOf('delivery.release')).items.length;
    const told = await console.ask('operator', `/deliveries/${id}/release`, { method: 'POST' });
    expect(told).toMatchObject(problem(409, 'DELIVERY_STATE'));
    expect((told.body as { detail: string }).detail).toContain(
      'is dead: release is for held ones. Possible is redrive and discard.',
    );
    expect((await auditOf('delivery.release')).items).toHaveLength(audited);
  });

  it('refuses one that has nothing to send', async () => {
    const id = await deliveryOf('invite');
    await console.dataSource.query(`update deliveries set request = 'null' where id = $1`, [id]);
    expect(await console.ask('operator', `/deliveries/${id}/redrive`, { method: 'POST' })).toMatchObject(
      problem(409, 'DELIVERY_NOT_RENDERED'),
    );
  });

  it('needs no body, and takes no other than a reason', async () => {
    const id = await deliveryOf('invite');
    const url = `/deliveries/${id}/cancel`;
    expect(await console.ask('operator', url, { method: 'POST' })).toMatchObject(
      problem(409, 'DELIVERY_STATE'),
    );
    expect(await console.ask('operator', url, { json: {} })).toMatchObject(problem(409, 'DELIVERY_STATE'));
    for (const json of [{ reason: '' }, { reason: 5 }, { why: 'x' }, [], 'x', 5])
      expect(await console.ask('operator', url, { json })).toMatchObject(problem(400, 'REQUEST_INVALID'));
    const text = { method: 'POST', body: 'reason=x', headers: { 'content-type': 'text/plain' } };
    expect(await console.ask('operator', url, text)).toMatchObject(problem(415, 'MEDIA_TYPE_UNKNOWN'));
  });

  it('can be on all that a filter finds, which must say something', async () => {
    const many = (json: unknown, what = 'redrive') =>
      console.ask('operator', `/deliveries/${what}`, { json });
    for (const json of [
      {},
      { filter: {} },
      { filter: { state: 'dead' } },
      { filter: { rule: 'a' }, limit: 0 },
    ])
      expect(await many(json)).toMatchObject(problem(400, 'REQUEST_INVALID'));
    expect(await many({ filter: { rule: 'invite' } }, 'discard')).toMatchObject(
      problem(400, 'REQUEST_INVALID'),
    );
    const filter = { rule: 'invite', since: '2020-01-01' };
    expect(await many({ filter, dryRun: true })).toMatchObject({
      status: 200,
      body: { matched: 1, done: 0 },
    });
    expect(await many({ filter })).toMatchObject({
      status: 200,
      body: { matched: 1, done: 0, skipped: [{ code: 'DELIVERY_NOT_RENDERED', count: 1 }], next: null },
    });
  });

  it('gives up a dead one with a reason only', async () => {
    const id = await deliveryOf('invite');
    const url = `/deliveries/${id}/discard`;
    expect(await console.ask('operator', url, { method: 'POST' })).toMatchObject(
      problem(400, 'REQUEST_INVALID'),
    );
  });

  it('is not for viewers', async () => {
    const id = await deliveryOf('invite');
    expect(await console.ask('viewer', `/deliveries/${id}/redrive`, { method: 'POST' })).toMatchObject(
      problem(403, 'ROLE_MISSING'),
    );
  });
});

describe('targets and the report', () => {
  it('a target is tried with a marked send of a sample, and who did it is written down', async () => {
    const target = `http:127.0.0.1:${seeded.receiver.port}`;
    const test = (json: object) => console.ask('operator', '/targets/test', { json });
    expect(await test({ target: 'http:nowhere.example' })).toMatchObject(
      problem(404, 'DRILL_TARGET_UNKNOWN'),
    );
    expect(await test({ target, send: false })).toMatchObject({
      status: 200,
      body: {
        items: [{ target, ok: true, steps: [{ step: 'name' }, { step: 'connection' }, { step: 'tls' }] }],
      },
    });
    const before = seeded.receiver.received.length;
    const told = await test({ target });
    expect(told).toMatchObject({
      status: 200,
      body: { items: [{ target, ok: false }], left: [], more: 0 },
    });
    // What the service asks and sends by itself goes on meanwhile.
    const drills = seeded.receiver.received
      .slice(before)
      .filter(({ headers }) => headers['aftersign-drill'] !== undefined);
    expect(drills).toMatchObject([{ path: '/announce', headers: { 'aftersign-drill': '1' } }]);
    expect((await auditOf('target.test')).items).toMatchObject([
      { subject: `target:${target}`, detail: { send: true, targets: 1 } },
      { detail: { send: false } },
    ]);
    expect(await console.ask('viewer', '/targets/test', { json: { target } })).toMatchObject(
      problem(403, 'ROLE_MISSING'),
    );
  });

  it('the report is even, and people are one target for viewers', async () => {
    const report = await console.get<{ targets: { target: string }[] }>('viewer', '/report?since=2020-01-01');
    expect(report).toMatchObject({ balanced: true, total: { difference: 0 } });
    expect(report.targets.map(({ target }) => target)).toContain('email:•••');
    expect(await console.ask('viewer', '/report?since=2026-01-02&until=2026-01-01')).toMatchObject(
      problem(400, 'REPORT_EMPTY'),
    );
  });
});

describe('rule sets', () => {
  it('one that was live can be made live again, and it stands who did it', async () => {
    const live = await console.get<{ hash: string; files: string[] }>('viewer', '/rule-sets/live');
    expect(live.files).toContain('announce.rule.json');
    const told = await console.ask('operator', `/rule-sets/${live.hash.slice(0, 12)}/activate`, {
      json: { reason: 'once more' },
    });
    expect(told).toMatchObject({ status: 200, body: { hash: live.hash, number: 2 } });
    const { items } = await console.get<{ items: unknown[] }>('viewer', '/rule-sets');
    expect(items).toEqual([
      expect.objectContaining({
        id: '2',
        number: 2,
        hash: live.hash,
        reason: 'once more',
        actor: 'operator/test',
        live: true,
      }),
      expect.objectContaining({ id: '1', number: 1, reason: 'files on disk', actor: null, live: false }),
    ]);
    const page = await console.get<Listed>('viewer', '/rule-sets?limit=1');
    expect(
      (await console.get<Listed>('viewer', `/rule-sets?limit=1&cursor=${page.next ?? ''}`)).items,
    ).toEqual([items[1]]);
    expect((await auditOf('rule-set.activate')).items[0]).toMatchObject({
      subject: `rule-set:${live.hash}`,
      detail: { number: 2 },
    });
  });

  it('what is wrong with the files on disk is told', async () => {
    // The analysis may have infos of sound rules too.
    const errors = async () => {
      const answer = await console.get<{ findings: { severity: string }[] }>('viewer', '/findings');
      return answer.findings.filter(({ severity }) => severity === 'error');
    };
    expect(await errors()).toEqual([]);
    put(seeded.rules, { 'broken.rule.json': '{"name": "broken"}' });
    await until(async () => (await errors()).length > 0);
    expect(await console.get('viewer', '/findings')).toMatchObject({
      checked: true,
      findings: expect.arrayContaining([
        expect.objectContaining({ file: 'broken.rule.json', severity: 'error' }),
      ]),
    });
  });
});

describe('explanations', () => {
  it('are those that the rule set of the decision gives', async () => {
    const { items } = await console.get<{
      items: {
        counts: Record<string, number>;
        explanations: { rule: string; nearMiss: boolean }[];
        differing: unknown[];
      }[];
    }>('viewer', `/events/${seeded.event.eventId}/evaluations`);
    expect(items[0]).toMatchObject({ counts: { matched: 2, 'near miss': 3 }, differing: [] });
    expect(items[0]?.explanations.map(({ rule }) => rule)).toEqual([
      'announce',
      'invite',
      'ask-first',
      'compare',
      'nearly',
    ]);
  });

  it('can be asked for of one rule', async () => {
    const path = `/events/${seeded.event.id}/evaluations?rule=`;
    const { items } = await console.get<{ items: { explanations: unknown[] }[] }>('viewer', `${path}nearly`);
    expect(items[0]?.explanations).toHaveLength(1);
    expect(await console.ask('viewer', `${path}nothing`)).toMatchObject(problem(404, 'RULE_UNKNOWN'));
  });

  it('are computed one at a time for a user', async () => {
    const path = `/events/${seeded.event.id}/evaluations`;
    const told = await Promise.all(Array.from({ length: 8 }, () => console.ask('viewer', path)));
    const statuses = told.map(({ status }) => status);
    expect(statuses).toContain(200);
    const busy = told.find(({ status }) => status !== 200);
    expect(busy).toMatchObject(problem(429, 'BUSY'));
    expect(busy?.headers.get('retry-after')).toBe('1');
    expect((await console.ask('viewer', path)).status).toBe(200);
  });

  it('cannot be had of an event that was erased', async () => {
    await console.push(visitPush({ status: 1 }, { event_id: 'to-be-erased' }));
    await until(
      async () =>
        (await console.get<{ state: string }>('viewer', '/events/to-be-erased')).state === 'decided',
    );
    await console.dataSource.query(
      `update events set raw = '', content = null, erased_at = now() where event_id = 'to-be-erased'`,
    );
    expect(await console.ask('viewer', '/events/to-be-erased/evaluations')).toMatchObject(
      problem(410, 'EVENT_ERASED'),
    );
    expect(await console.get('admin', '/events/to-be-erased')).toMatchObject({
      erased: true,
      facts: [],
      body: null,
      raw: null,
    });
  });
});

describe('erasure', () => {
  it('counts without changing anything, then erases, and tells the audit log no value', async () => {
    await console.push(visitPush({ status: 1, applicant: 'Zhang Erased' }, { event_id: 'erase-me' }));
    // What is being sent is left alone: the delivery of the rule that compares names has to end first.
    await until(async () => {
      const { deliveries } = await console.get<{ deliveries: { state: string }[] }>(
        'viewer',
        '/events/erase-me',
      );
      return deliveries.length === 1 && deliveries[0]?.state === 'dead';
    });
    const { last } = await console.get<{ last: string }>('admin', '/erasures/days');
    const request = { values: ['Zhang Erased'], day: last };
    expect(await console.ask('admin', '/erasures', { json: { ...request, dryRun: true } })).toMatchObject({
      status: 200,
      body: { events: 1 },
    });
    expect(await console.get('admin', '/events/erase-me')).toMatchObject({ erased: false });
    expect(await console.ask('admin', '/erasures', { json: { ...request, dryRun: false } })).toMatchObject({
      status: 200,
      body: { events: 1 },
    });
    expect(await console.get('admin', '/events/erase-me')).toMatchObject({ erased: true, body: null });
    const { items } = await auditOf('events.erase');
    expect(items.map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ dryRun: false, values: 1, events: 1 }),
      expect.objectContaining({ dryRun: true, values: 1, events: 1 }),
    ]);
    expect(JSON.stringify(items)).not.toContain('Zhang');
  });

  it.each([
    [{ values: [], day: '2026-11-02', dryRun: true }],
    [{ values: ['abc'], day: '2026-11-02', dryRun: true }],
    [{ values: ['abcd'], day: '2026-02-30', dryRun: true }],
    [{ values: ['abcd'], day: '2026-11-02' }],
    [undefined],
  ])('refuses %j', async (json) => {
    expect(
      await console.ask('admin', '/erasures', json === undefined ? { method: 'POST' } : { json }),
    ).toMatchObject(problem(400, 'REQUEST_INVALID'));
  });
});

describe('a body of a hundred thousand levels', () => {
  it('is told as far as it can be written', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const text = JSON.stringify({
      schema: '2.0',
      header: {
        event_id: 'deep',
        event_type: SEEDED_TYPE,
        create_time: String(Date.now()),
        token: 'test-verification-token',
        app_id: 'cli_9f5343c580712544',
      },
      event: { visit_id: 'DEEP' },
    }).replace('"DEEP"', deep);
    await console.push(pushOf(text));
    expect(await console.get('admin', '/events/deep')).toMatchObject({
      body: null,
      raw: expect.any(String),
      eventType: SEEDED_TYPE,
    });
    await until(
      async () => (await console.get<{ state: string }>('viewer', '/events/deep')).state === 'decided',
    );
    expect(await console.ask('admin', '/events/deep/evaluations')).toMatchObject(
      problem(409, 'EVENT_TOO_DEEP'),
    );
  });
});

describe('with ROLE=console alone', () => {
  let alone: TestConsole;
  beforeAll(async () => {
    alone = await TestConsole.open({ ROLE: 'console' });
  });
  afterAll(() => alone.close());

  it('what other processes know is told as not known', async () => {
    expect(await alone.get('viewer', '/findings')).toEqual({ checked: false, ruleSet: null, findings: [] });
    const { items, received } = await alone.get<{ items: object[]; received: unknown }>('viewer', '/sources');
    expect(items).toEqual([
      expect.objectContaining({ name: 'default', connection: null, lastEventAt: null }),
    ]);
    expect(received).toBeNull();
    expect(await alone.get('viewer', '/rules')).toEqual({ ruleSet: null, items: [] });
    expect(await alone.ask('viewer', '/rule-sets/live')).toMatchObject(problem(404, 'RULE_SET_UNKNOWN'));
  });
});
