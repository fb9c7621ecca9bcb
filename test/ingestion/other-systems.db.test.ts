// Real: HTTP server, PostgreSQL, and as clients the libraries of CloudEvents and of Standard Webhooks.
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import type { StoredEvent } from '../../src/events/event-store.js';
import { factsOf } from '../../src/events/event-facts.js';
import { Door, type Request } from '../support/door.js';
import { APP, APP_SETTINGS, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { githubPush, SOURCE_SECRETS, sourceSettings } from '../support/sources.js';

const token = { type: 'bearer', secret: ['{{ secrets.GITHUB }}', '{{ secrets.TOKEN }}'] };
const SOURCES = {
  apps: {
    // Other apps have other events with the same ids.
    hr: { appId: 'cli_0123456789abcdef', encryptKey: '{{ secrets.GITHUB }}' },
  },
  sources: {
    github: {
      format: 'json',
      verify: { type: 'hmac', secret: '{{ secrets.GITHUB }}' },
      id: { header: 'x-github-delivery' },
      type: { header: 'x-github-event' },
      typePrefix: 'github.',
    },
    svix: {
      format: 'json',
      verify: { type: 'standard-webhooks', secret: '{{ secrets.STANDARD }}' },
      fields: 'data',
    },
    crm: {
      format: 'json',
      verify: token,
      id: { path: 'meta.id' },
      type: { value: 'crm.changed' },
      time: { path: 'meta.at' },
      fields: 'data.object',
      types: ['crm.*'],
    },
    free: { format: 'json', verify: token, id: { path: 'id' }, type: { path: 'kind' } },
    relay: { format: 'json', verify: token, id: { path: 'id' }, type: { path: 'kind' }, types: ['corehr.*'] },
    mesh: { format: 'cloudevents', verify: token },
    signed: {
      format: 'cloudevents',
      verify: { type: 'standard-webhooks', secret: '{{ secrets.STANDARD }}' },
    },
    sealed: {
      format: 'cloudevents',
      verify: { type: 'hmac', secret: '{{ secrets.GITHUB }}', header: 'x-sign' },
    },
  },
};
const BEARER = { authorization: `Bearer ${SOURCE_SECRETS.TOKEN}` };
const standard = new Webhook(SOURCE_SECRETS.STANDARD);

let door: Door;
beforeAll(async () => {
  door = await Door.open({ ...APP_SETTINGS, ...sourceSettings(SOURCES) });
});
afterAll(() => door.close());

/** Sends what is genuine, and answers it as stored. */
async function stored(request: Request, path: string, eventId: string): Promise<StoredEvent> {
  const answer = await door.push(request, path);
  expect([answer.status, answer.body]).toEqual([200, '{"msg":"success"}']);
  const { events, row } = await rowOf(eventId);
  expect(row.origin).toBe(path.replace('/webhook/', ''));
  return events;
}

async function rowOf(eventId: string): Promise<{ events: StoredEvent; row: { origin: string } }> {
  const rows = await door.query<StoredEvent>(
    `select id, received_at as "receivedAt", origin, event_id as "eventId", event_type as "eventType", source,
            create_time as "createTime", root_entity as "rootEntity", raw, content, transport
       from events where event_id = $1`,
    [eventId],
  );
  expect(rows).toHaveLength(1);
  return { events: rows[0]!, row: rows[0]! };
}

const refused = async (
  request: Request,
  path: string,
  status: number,
): Promise<{ code: string; detail: string }> =>
  JSON.parse((await door.refusesPush(request, status, path)).body) as { code: string; detail: string };

const signedBy = (body: string, id: string = randomUUID(), at = new Date()): Request => ({
  body,
  headers: {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': standard.sign(id, at, body),
  },
});
const withToken = (body: object | string, headers: Record<string, string> = {}): Request => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...BEARER, ...headers },
});

describe('GitHub', () => {
  it('is taken by its signature, its event by the headers', async () => {
    const id = randomUUID();
    const body = '{"ref":"refs/heads/main","after":"1481a2de","id":12345678901234567890,"名":"王"}';
    const event = await stored(githubPush(body, { id }), '/webhook/github', id);
    expect(event).toMatchObject({
      eventType: 'github.push',
      source: 'webhook',
      createTime: null,
      content: null,
    });
    expect(event.raw.toString('utf8')).toBe(body);
    const facts = factsOf(event);
    expect([facts.get('ref'), facts.get('id'), facts.get('名'), facts.get('event_type')]).toEqual([
      'refs/heads/main',
      '12345678901234567890',
      '王',
      'github.push',
    ]);
  });

  it('has its event once, however often it comes', async () => {
    const id = randomUUID();
    const pushes = Array.from({ length: 20 }, () => door.push(githubPush('{}', { id }), '/webhook/github'));
    for (const { status } of await Promise.all(pushes)) expect(status).toBe(200);
    await rowOf(id);
  });

  it('A01: a signature that does not fit gets one and the same answer', async () => {
    const { body, headers } = githubPush('{"a":1}');
    const { 'x-hub-signature-256': signature = '', ...rest } = headers;
    const sha1 = createHmac('sha1', SOURCE_SECRETS.GITHUB).update(body).digest('hex');
    const texts = new Set<string>();
    for (const value of [
      null,
      '',
      signature.slice(0, -1),
      signature.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
      `sha1=${sha1}`,
      `${signature},${signature}`,
    ]) {
      const request = { body, headers: value === null ? rest : { ...rest, 'x-hub-signature-256': value } };
      const { status, body: text } = await door.refusesPush(request, 401, '/webhook/github');
      texts.add(`${status} ${text}`);
    }
    expect(texts.size).toBe(1);
  });

  it('A02: a body changed by one space gets 401', async () => {
    const { body, headers } = githubPush('{"a":1}');
    await door.refusesPush({ body: `${body} `, headers }, 401, '/webhook/github');
  });

  it.each<[string, Partial<Record<string, string>>, string]>([
    [
      'no event id',
      { 'x-github-delivery': '' },
      'the id of the event is missing: there is no header x-github-delivery',
    ],
    [
      'no event type',
      { 'x-github-event': '' },
      'the type of the event is missing: there is no header x-github-event',
    ],
    [
      'an odd type',
      { 'x-github-event': 'a b' },
      'the type of the event is not 1 to 128 characters of A-Z a-z 0-9 _ . : -',
    ],
    [
      'an endless id',
      { 'x-github-delivery': 'a'.repeat(501) },
      'the id of the event is longer than 500 characters or has control characters',
    ],
  ])('with %s gets 400 and a sentence', async (_, changes, detail) => {
    const { body, headers } = githubPush('{"a":1}');
    const given = Object.fromEntries(
      Object.entries({ ...headers, ...changes }).filter(([, value]) => value !== ''),
    );
    expect(await refused({ body, headers: given as Record<string, string> }, '/webhook/github', 400)).toEqual(
      { status: 400, code: 'BODY_INVALID', detail },
    );
  });

  it.each(['', 'payload=%7B%7D', '{"a":', '\u0000', Buffer.from([255, 254])])(
    'with a body that is no JSON (%j) gets 400',
    async (body) => {
      const { headers } = githubPush('');
      const signature = createHmac('sha256', SOURCE_SECRETS.GITHUB).update(body).digest('hex');
      const request = { body, headers: { ...headers, 'x-hub-signature-256': `sha256=${signature}` } };
      expect((await refused(request, '/webhook/github', 400)).detail).toBe('the body is not JSON in UTF-8');
    },
  );

  it('A14, A15: deep bodies and bodies with odd keys are stored as they are', async () => {
    for (const body of [
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":"x"}',
      `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      '[1,2]',
      '"text"',
      'null',
      '{"a":"\\u0000\\ud800"}',
    ]) {
      const id = randomUUID();
      const event = await stored(githubPush(body, { id }), '/webhook/github', id);
      expect(event.raw.toString('utf8')).toBe(body);
      expect(factsOf(event).get('event_id')).toBe(id);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('a Standard Webhooks sender', () => {
  it('is taken as the library signs, its event by the header and the recommended members', async () => {
    const id = `msg_${randomUUID()}`;
    const body = JSON.stringify({
      type: 'user.created',
      timestamp: '2022-11-03T20:26:10.344522Z',
      data: { id: 'u1', status: 3 },
    });
    const event = await stored(signedBy(body, id), '/webhook/svix', id);
    expect(event.eventType).toBe('user.created');
    expect(event.createTime).toEqual(new Date('2022-11-03T20:26:10.344Z'));
    expect(Object.fromEntries(factsOf(event))).toMatchObject({
      id: 'u1',
      status: 3,
      app_id: null,
      cloudevent: null,
    });
    // The same event sent again later, signed anew.
    expect((await door.push(signedBy(body, id, new Date(Date.now() - 60_000)), '/webhook/svix')).status).toBe(
      200,
    );
    await rowOf(id);
  });

  it.each<[string, (request: Request) => Request]>([
    ['another body', ({ headers, body }) => ({ headers, body: `${String(body)} ` })],
    ['another id', ({ headers, body }) => ({ body, headers: { ...headers, 'webhook-id': 'other' } })],
    ['no signature', ({ headers, body }) => ({ body, headers: { ...headers, 'webhook-signature': '' } })],
    ['a bearer token instead', ({ body }) => ({ body, headers: BEARER })],
  ])('is refused with %s', async (_, change) => {
    const answer = await refused(change(signedBy('{"type":"a"}')), '/webhook/svix', 401);
    expect(answer.detail).toBe('The signature or the token does not fit this source.');
  });

  it('A04: is refused when it is six minutes old or ahead', async () => {
    for (const minutes of [-6, 6]) {
      const request = signedBy('{"type":"a"}', 'm', new Date(Date.now() + minutes * 60_000));
      await door.refusesPush(request, 401, '/webhook/svix');
    }
  });

  it('with no type gets 400 and the place where it should be', async () => {
    expect((await refused(signedBy('{"data":{}}'), '/webhook/svix', 400)).detail).toBe(
      'the type of the event is missing: there is no text and no whole number at "type"',
    );
  });
});

describe('a sender of JSON with a bearer token', () => {
  const body = (meta: object): object => ({ meta, data: { object: { amount: 5 } } });

  it('has its parts in the declared places, whole numbers too', async () => {
    const event = await stored(
      withToken('{"meta":{"id":98765432109876543210,"at":1793610000},"data":{"object":{"amount":5}}}'),
      '/webhook/crm',
      '98765432109876543210',
    );
    expect(event).toMatchObject({
      eventType: 'crm.changed',
      transport: { format: 'json', fields: ['data', 'object'] },
    });
    expect(event.createTime).toEqual(new Date('2026-11-02T09:00:00Z'));
    expect(factsOf(event).get('amount')).toBe(5);
    await stored(withToken(body({ id: 7, at: 'yesterday' })), '/webhook/crm', '7');
    await stored(withToken(body({ id: 'ein Id, 编号' })), '/webhook/crm', 'ein Id, 编号');
  });

  it('may show its old secret or its new one, and no other', async () => {
    for (const secret of [SOURCE_SECRETS.GITHUB, SOURCE_SECRETS.TOKEN]) {
      const request = withToken(body({ id: randomUUID() }), { authorization: `Bearer ${secret}` });
      expect((await door.push(request, '/webhook/crm')).status).toBe(200);
    }
    for (const authorization of ['Bearer wrong', '', SOURCE_SECRETS.TOKEN, `Basic ${SOURCE_SECRETS.TOKEN}`])
      await door.refusesPush(withToken(body({ id: 'x' }), { authorization }), 401, '/webhook/crm');
    await door.refusesPush({ body: '{"meta":{"id":"x"}}', headers: {} }, 401, '/webhook/crm');
  });

  it.each([1.5, 'endless', true, null, '', [], { a: 1 }, 'a\u0000b', '\ud800', 'a\u0085'])(
    'with the id %j gets 400',
    async (id) => {
      const text = id === 'endless' ? '{"meta":{"id":1e400}}' : JSON.stringify(body({ id }));
      expect((await refused(withToken(text), '/webhook/crm', 400)).code).toBe('BODY_INVALID');
    },
  );

  it('has ids of its own: those of another origin are other events', async () => {
    const id = randomUUID();
    for (const path of ['/webhook/free', '/webhook/crm'])
      expect((await door.push(withToken({ id, kind: 'a', meta: { id } }), path)).status).toBe(200);
    const origins = await door.query<{ origin: string }>(
      'select origin from event_keys where event_id = $1 order by origin',
      [id],
    );
    expect(origins).toEqual([{ origin: 'crm' }, { origin: 'free' }]);
  });

  it.each([
    'corehr.process.approver.updated_v2',
    'corehr.anything',
    'approval_task',
    'approval.task.of.mine',
  ])('cannot pass for Feishu with an event of type %s', async (kind) => {
    expect(await refused(withToken({ id: '1', kind }), '/webhook/free', 403)).toMatchObject({
      code: 'EVENT_TYPE_NOT_ALLOWED',
      detail: expect.stringContaining('"typePrefix"'),
    });
  });

  it('may send the types that its "types" name, and no others', async () => {
    const ok = await door.push(withToken({ id: '1', kind: 'corehr.mine' }), '/webhook/relay');
    expect(ok.status).toBe(200);
    expect(await refused(withToken({ id: '2', kind: 'order.paid' }), '/webhook/relay', 403)).toMatchObject({
      detail: expect.stringContaining('"types"'),
    });
  });
});

describe('a sender of CloudEvents', () => {
  const event = (changes: object = {}): CloudEvent<unknown> =>
    new CloudEvent({
      source: 'https://a.example/shop',
      type: 'com.example.order.paid',
      data: { amount: 5, source: 'typed' },
      ...changes,
    });
  const keyOf = ({ source, id }: CloudEvent<unknown>): string => `${source} ${id}`;

  it.each(['binary', 'structured'] as const)('is taken in %s mode as the library sends it', async (mode) => {
    const one = event({ subject: 'order-1', tenant: 't1', time: '2026-11-02T09:00:00.000Z' });
    const send = emitterFor(httpTransport(`${door.service.url}/webhook/mesh`), {
      mode: mode === 'binary' ? Mode.BINARY : Mode.STRUCTURED,
    });
    await send(one, { headers: BEARER });
    const { events } = await rowOf(keyOf(one));
    expect(events).toMatchObject({ origin: 'mesh', eventType: 'com.example.order.paid', source: 'webhook' });
    expect(events.createTime).toEqual(new Date('2026-11-02T09:00:00Z'));
    const facts = factsOf(events);
    expect(facts.get('cloudevent')).toMatchObject({
      id: one.id,
      source: 'https://a.example/shop',
      subject: 'order-1',
      extensions: { tenant: 't1' },
    });
    expect([facts.get('amount'), facts.get('source'), facts.get('event.source')]).toEqual([
      5,
      'webhook',
      'typed',
    ]);
  });

  it('has one event by both modes, and two by two of its sources', async () => {
    const one = event();
    const other = one.cloneWith({ source: 'https://a.example/other' });
    for (const { headers, body } of [HTTP.binary(one), HTTP.structured(one), HTTP.structured(other)]) {
      const request = { body: String(body), headers: { ...(headers as Record<string, string>), ...BEARER } };
      expect((await door.push(request, '/webhook/mesh')).status).toBe(200);
    }
    const rows = await door.query<{ event_id: string }>(
      `select event_id from event_keys where event_id like '% ' || $1 order by 1`,
      [one.id],
    );
    expect(rows.map((row) => row.event_id)).toEqual([keyOf(other), keyOf(one)]);
  });

  it('may send attributes with any characters, and bytes', async () => {
    const one = {
      'ce-specversion': '1.0',
      'ce-id': '%E7%BC%96%E5%8F%B7%201',
      'ce-source': '/s',
      'ce-type': 'a.b',
      'ce-subject': 'a%00b',
    };
    const request = {
      body: Buffer.from([128, 0, 255]),
      headers: { ...one, 'content-type': 'application/octet-stream', ...BEARER },
    };
    expect((await door.push(request, '/webhook/mesh')).status).toBe(200);
    const { events } = await rowOf('/s 编号 1');
    expect(factsOf(events).get('data')).toBe('gAD/');
    expect(factsOf(events).get('cloudevent')).toMatchObject({ subject: 'a\u0000b' });
  });

  it.each<[string, object, string]>([
    ['no specversion', { specversion: undefined }, '"specversion" is not "1.0"'],
    ['version 0.3', { specversion: '0.3' }, '"specversion" is not "1.0"'],
    ['no id', { id: undefined }, '"id" is missing'],
    ['an empty id', { id: '' }, '"id" is missing'],
    ['no source', { source: null }, '"source" is missing'],
    ['a source with a blank', { source: '/a b' }, 'no URI reference'],
    ['no type', { type: {} }, '"type" is missing'],
    ['an odd type', { type: 'a b' }, 'the type of the event is not'],
    ['an id with a control character', { id: 'a\nb' }, 'control characters'],
    ['an endless id', { id: 'a'.repeat(500) }, 'longer than 500'],
  ])('with %s gets 400 and a sentence', async (_, changes, sentence) => {
    const body = { specversion: '1.0', id: '1', source: '/s', type: 'a.b', ...changes };
    const answer = await refused(
      withToken(body, { 'content-type': 'application/cloudevents+json' }),
      '/webhook/mesh',
      400,
    );
    expect(answer).toMatchObject({ code: 'BODY_INVALID', detail: expect.stringContaining(sentence) });
  });

  it('is not lost for a time that is none', async () => {
    const one = { specversion: '1.0', id: randomUUID(), source: '/s', type: 'a.b', time: 'yesterday' };
    const stored = await door.push(withToken(one), '/webhook/mesh');
    expect(stored.status).toBe(200);
    const { events } = await rowOf(`/s ${one.id}`);
    expect(events.createTime).toBeNull();
    expect(factsOf(events).get('cloudevent')).toMatchObject({ time: 'yesterday' });
  });

  it('gets 415 for a batch', async () => {
    const request = withToken([event().toJSON()], { 'content-type': 'application/cloudevents-batch+json' });
    expect(await refused(request, '/webhook/mesh', 415)).toMatchObject({
      code: 'CLOUDEVENTS_BATCH',
      detail: expect.stringContaining('each event by itself'),
    });
  });

  it('with a signature over the body is taken in structured mode alone', async () => {
    const [one, other] = [event(), event()];
    const body = String(HTTP.structured(one).body);
    const mode = { 'content-type': 'application/cloudevents+json' };
    const { headers } = signedBy(body);
    expect((await door.push({ body, headers: { ...headers, ...mode } }, '/webhook/signed')).status).toBe(200);
    const sealed = createHmac('sha256', SOURCE_SECRETS.GITHUB).update(body).digest('hex');
    expect(
      (await door.push({ body, headers: { 'x-sign': sealed, ...mode } }, '/webhook/sealed')).status,
    ).toBe(200);
    // The signed body with attributes that nobody signed.
    const attributes = HTTP.binary(other).headers as Record<string, string>;
    for (const [path, proof] of [
      ['/webhook/signed', headers],
      ['/webhook/sealed', { 'x-sign': sealed }],
    ] as const) {
      const answer = await refused({ body, headers: { ...attributes, ...proof } }, path, 400);
      expect(answer.code).toBe('ATTRIBUTES_NOT_SIGNED');
    }
    expect(await door.query('select 1 from event_keys where event_id = $1', [keyOf(other)])).toEqual([]);
  });

  it('without its token gets 401, whatever else is wrong', async () => {
    for (const contentType of [
      'application/cloudevents-batch+json',
      'application/cloudevents+json',
      'text/plain',
    ])
      await door.refusesPush({ body: '[', headers: { 'content-type': contentType } }, 401, '/webhook/mesh');
  });

  it('that asks first is told that its events are welcome', async () => {
    const ask = (path: string): Promise<Response> =>
      fetch(door.service.url + path, {
        method: 'OPTIONS',
        headers: { 'webhook-request-origin': 'eventemitter.example.com', 'webhook-request-rate': '120' },
      });
    const answer = await ask('/webhook/mesh');
    expect([
      answer.status,
      answer.headers.get('webhook-allowed-origin'),
      answer.headers.get('webhook-allowed-rate'),
    ]).toEqual([204, '*', '*']);
    for (const path of ['/webhook/github', '/webhook/nobody', '/webhook/event'])
      expect((await ask(path)).status).toBe(404);
  });
});

describe('the doors of a service', () => {
  it('are those of the settings: an app has its own path and secrets', async () => {
    const push = pushOf(envelopeOf(approverEvent()));
    await door.refusesPush(push, 401, '/webhook/feishu/hr');
    expect((await door.push(push)).status).toBe(200);
  });

  it.each([
    '/webhook/nobody',
    '/webhook/feishu/nobody',
    '/webhook/feishu',
    '/webhook/__proto__',
    '/webhook/feishu/__proto__',
  ])('POST %s is none', async (path) => {
    expect((await refused(githubPush('{}'), path, 404)).code).toBe('SOURCE_NOT_CONFIGURED');
  });

  it('write each refusal and each event to the log with its door, and count both by the way they came in', async () => {
    const lines = door.service.log.lines.length;
    await door.push({ body: '{}', headers: {} }, '/webhook/github');
    await door.push(withToken({ id: randomUUID(), kind: 'a' }), '/webhook/free');
    expect(door.service.log.lines.slice(lines).map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ event: 'event.refused', path: '/webhook/github', code: 'NOT_AUTHENTIC' }),
      expect.objectContaining({ event: 'event.received', origin: 'free', eventType: 'a' }),
    ]);
    const metrics = await (await fetch(`${door.service.url}/metrics`)).text();
    for (const labels of [
      'source="webhook",outcome="stored"',
      'source="webhook",outcome="refused"',
      'source="feishu-webhook",outcome="stored"',
    ])
      expect(metrics).toContain(`aftersign_events_received_total{${labels}}`);
  });

  it('A42: no secret is in the log or the database', async () => {
    const rows = await door.query<{ row: string }>(
      `select (e.*)::text || encode(raw, 'escape') as row from events e`,
    );
    const all = JSON.stringify([rows, door.service.log.lines]);
    for (const secret of [...Object.values(SOURCE_SECRETS), APP.encryptKey, APP.token])
      expect(all.includes(secret)).toBe(false);
  });
});
