// The real service with sources of every form; what it gives out, another real service takes in again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestConsole } from '../../support/console.js';
import { until } from '../../support/door.js';
import { envelopeOf, pushOf } from '../../support/feishu.js';
import { temporaryFolder } from '../../support/folder.js';

const SECRET = 'a secret of the sources';
const SOURCES = {
  sources: {
    orders: {
      format: 'json',
      types: ['order.*'],
      verify: { type: 'bearer', secret: '{{ secrets.SOURCES }}' },
      id: { path: 'number' },
      type: { path: 'what' },
      time: { path: 'at' },
    },
    hub: {
      format: 'json',
      types: ['hub.*'],
      verify: { type: 'hmac', secret: '{{ secrets.SOURCES }}' },
      id: { header: 'x-hub-delivery' },
      type: { header: 'x-hub-event' },
      typePrefix: 'hub.',
    },
    clouds: {
      types: ['com.example.*'],
      verify: { type: 'bearer', secret: '{{ secrets.SOURCES }}' },
      format: 'cloudevents',
    },
  },
};

let from: TestConsole;
let to: TestConsole;
beforeAll(async () => {
  const file = join(temporaryFolder('sources'), 'sources.json');
  writeFileSync(file, JSON.stringify(SOURCES));
  const settings = { SOURCES_FILE: file, SECRET_SOURCES: SECRET };
  [from, to] = [await TestConsole.open(settings), await TestConsole.open(settings)];
  await pushAll(from);
  await indexed(from);
}, 60_000);
afterAll(async () => {
  await from.close();
  await to.close();
});

/** Until every event can be found by what is in it. */
async function indexed({ dataSource }: TestConsole): Promise<void> {
  await until(async () => {
    const [row] = await dataSource.query<[{ left: number }]>(
      'select count(*)::int as left from events e where not exists (select 1 from event_search s where s.id = e.id)',
    );
    return row.left === 0;
  });
}

const BEARER = { authorization: `Bearer ${SECRET}` };
const json = { 'content-type': 'application/json' };
const LONG = '98765432109876543210';

async function pushAll(console: TestConsole): Promise<void> {
  const push = (path: string, body: string, headers: Record<string, string>) =>
    console.push({ body, headers }, path);
  // A long number as a number, and blanks that only the line has to lose.
  const envelope = envelopeOf(
    { process_id: 'LONG', note: 'a  b\n"c d\\', status: 3 },
    { event_id: 'feishu-1' },
  );
  const spread = JSON.stringify(JSON.parse(envelope) as object, null, 2).replace('"LONG"', LONG);
  await console.push(pushOf(spread));
  await push(
    '/webhook/orders',
    `{\n "number": ${LONG}, "what": "order.paid",\r\n "at": "2026-11-02T09:00:00Z", "name": "Mü ller" }`,
    {
      ...json,
      ...BEARER,
    },
  );
  const hub = '{ "ref": "main" ,\n "size": 12345678901234567890 }';
  const signature = `sha256=${createHmac('sha256', SECRET).update(hub).digest('hex')}`;
  await push('/webhook/hub', hub, {
    ...json,
    'x-hub-signature-256': signature,
    'x-hub-delivery': 'd-1',
    'x-hub-event': 'push',
  });
  const ce = (id: string) => ({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/shop',
    'ce-type': 'com.example.done',
    'ce-traceid': '%C3%A9%20t',
  });
  await push('/webhook/clouds', '{ "long": 12345678901234567890,\n "a": 1 }', {
    ...json,
    ...BEARER,
    ...ce('binary-json'),
  });
  await push('/webhook/clouds', '{"a": 1}', {
    'content-type': 'text/plain',
    ...BEARER,
    ...ce('binary-text'),
  });
  await push('/webhook/clouds', '', { ...json, ...BEARER, ...ce('binary-empty') });
  const structured = {
    specversion: '1.0',
    id: 'structured',
    source: '/shop',
    type: 'com.example.done',
    data: { b: 'x\ty' },
  };
  await push('/webhook/clouds', JSON.stringify(structured, null, 1), {
    'content-type': 'application/cloudevents+json',
    ...BEARER,
  });
}

interface Detail {
  origin: string;
  eventId: string;
  eventType: string;
  createTime: string | null;
  facts: { name: string; value: unknown }[];
  body: unknown;
}
async function everything(console: TestConsole): Promise<Map<string, Detail>> {
  const { items } = await console.get<{ items: { id: string }[] }>('admin', '/events');
  const details = await Promise.all(items.map(({ id }) => console.get<Detail>('admin', `/events/${id}`)));
  return new Map(details.map((one) => [`${one.origin} ${one.eventId}`, one]));
}
const exported = async (query = ''): Promise<{ lines: string[]; type: string | null }> => {
  const { text, headers, status } = await from.ask('operator', `/events/export${query}`);
  expect(status).toBe(200);
  return { lines: text.split('\n').filter((line) => line !== ''), type: headers.get('content-type') };
};
const take = async (lines: readonly string[], query = '') =>
  await to.ask('admin', `/events/import${query}`, {
    method: 'POST',
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });

describe('events that are taken out', () => {
  it('are a line each, the oldest first, with every digit', async () => {
    const { lines, type } = await exported();
    expect(type).toBe('application/x-ndjson');
    expect(lines).toHaveLength(7);
    expect(lines[0]).toContain(`"process_id":${LONG}`);
    expect(lines[0]).toContain(String.raw`"note":"a  b\n\"c d\\"`);
    expect(lines[1]).toBe(
      `{"number":${LONG},"what":"order.paid","at":"2026-11-02T09:00:00Z","name":"Mü ller"}`,
    );
    expect(lines[2]).toBe(
      '{"headers":{"x-hub-delivery":"d-1","x-hub-event":"push"},"body":{"ref":"main","size":12345678901234567890}}',
    );
    expect(JSON.parse(lines[3] ?? '')).toMatchObject({
      specversion: '1.0',
      id: 'binary-json',
      traceid: 'é t',
      datacontenttype: 'application/json',
    });
    expect(lines[3]).toContain('"data":{"long":12345678901234567890,"a":1}');
    expect(JSON.parse(lines[4] ?? '')).toMatchObject({ data: '{"a": 1}', datacontenttype: 'text/plain' });
    expect(JSON.parse(lines[5] ?? '')).not.toHaveProperty('data');
  });

  it('come in again as what they were', async () => {
    const { lines } = await exported();
    const [feishu = '', order = '', hub = '', ...clouds] = lines;
    for (const [some, query] of [
      [[feishu, ...clouds], ''],
      [[order], '?source=orders'],
      [[hub], '?source=hub'],
    ] as const) {
      const { status, body } = await take(some, query);
      expect({ status, body }).toEqual({
        status: 200,
        body: { lines: some.map((_, at) => ({ line: at + 1, outcome: 'stored' })) },
      });
      expect((await take(some, query)).body).toEqual({
        lines: some.map((_, at) => ({ line: at + 1, outcome: 'duplicate' })),
      });
    }
    const [before, after] = [await everything(from), await everything(to)];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, was] of before) {
      const is = after.get(key);
      const facts = (one: Detail | undefined) =>
        Object.fromEntries(
          (one?.facts ?? []).filter(({ name }) => name !== 'source').map(({ name, value }) => [name, value]),
        );
      expect([key, facts(is)]).toEqual([key, facts(was)]);
      expect(is).toMatchObject({ eventType: was.eventType, createTime: was.createTime });
    }
  });

  it('are those that the filters name; what was erased is left out', async () => {
    expect((await exported('?origin=hub')).lines).toHaveLength(1);
    expect((await exported('?type=com.example.*')).lines).toHaveLength(4);
    expect((await exported('?since=2100-01-01')).lines).toEqual([]);
    await from.dataSource.query(
      `update events set raw = '', content = null, transport = null, erased_at = now() where origin = 'hub'`,
    );
    expect((await exported('?origin=hub')).lines).toEqual([]);
    expect((await exported()).lines).toHaveLength(6);
  });

  it('are refused for a wrong filter before anything is sent', async () => {
    const told = await from.ask('operator', '/events/export?status=no-such-status');
    expect(told).toMatchObject({ status: 400, body: { code: 'STATUS_UNKNOWN' } });
    expect(told.headers.get('content-disposition')).toBeNull();
    expect((await from.ask('operator', '/events/export?limit=5')).status).toBe(400);
  });

  it('stand in the audit log, by the names of the filters alone', async () => {
    await exported('?text=Zhang');
    const { items } = await from.get<{ items: object[] }>('admin', '/audit?action=events.export&limit=1');
    expect(items).toEqual([
      expect.objectContaining({ actor: 'operator/test', detail: { filters: ['text'] } }),
    ]);
    const { items: imports } = await to.get<{ items: object[] }>('admin', '/audit?action=events.import');
    expect(imports).toContainEqual(
      expect.objectContaining({ subject: 'source:hub', detail: { lines: 1, events: 1, onlyStore: false } }),
    );
  });

  it('go through many stretches, and end when the reader goes', async () => {
    const count = 1200;
    const rows = Array.from({ length: count }, (_, at) => envelopeOf({ n: at }, { event_id: `many-${at}` }));
    for (let at = 0; at < count; at += 400)
      expect((await take(rows.slice(at, at + 400), '?onlyStore=true')).status).toBe(200);
    await indexed(to);
    const { text } = await to.ask('operator', '/events/export?type=corehr.process.*');
    const lines = text.trim().split('\n');
    expect(lines).toHaveLength(count + 1);
    expect(lines.slice(1, 400).every((line) => line.includes('"many-'))).toBe(true);
    const cut = new AbortController();
    const answer = await fetch(`${to.url}/api/v1/events/export`, {
      headers: { authorization: `Bearer ${to.tokens.operator}` },
      signal: cut.signal,
    });
    await answer.body?.getReader().read();
    cut.abort();
    expect((await to.ask('operator', '/events?limit=1')).status).toBe(200);
  });
});

describe('lines that are brought in', () => {
  it('are told one by one', async () => {
    const { status, body } = await take([
      '',
      'no json',
      envelopeOf({ a: 1 }, { event_id: 'good' }),
      '   ',
      '[]',
      envelopeOf({ a: 1 }, { event_id: 'good' }),
    ]);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        lines: [
          { line: 2, outcome: 'rejected', reason: 'it is not JSON in UTF-8' },
          { line: 3, outcome: 'stored' },
          { line: 5, outcome: 'rejected', reason: 'it is not a JSON object' },
          { line: 6, outcome: 'duplicate' },
        ],
      },
    });
  });

  it('can be stored alone', async () => {
    expect((await take([envelopeOf({ a: 1 }, { event_id: 'aside' })], '?onlyStore=true')).status).toBe(200);
    expect(await to.get('viewer', '/events/aside')).toMatchObject({
      state: 'decided',
      reason: expect.stringMatching(/^stored by an import/),
      verdicts: [],
    });
  });

  it.each([
    ['?source=nobody', 'SOURCE_UNKNOWN'],
    ['?onlyStore=yes', 'REQUEST_INVALID'],
    ['?limit=5', 'REQUEST_INVALID'],
  ])('with %s they are refused', async (query, code) => {
    expect(await take(['{}'], query)).toMatchObject({ status: 400, body: { code } });
  });

  it('must be lines', async () => {
    expect(await to.ask('admin', '/events/import', { json: {} })).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_INVALID' },
    });
    expect(await to.ask('admin', '/events/import', { method: 'POST' })).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_INVALID' },
    });
  });
});

it('sources are told without their secrets', async () => {
  const { text, body } = await from.ask('viewer', '/sources');
  expect(text).not.toContain(SECRET);
  expect((body as { items: object[] }).items).toEqual([
    expect.objectContaining({ name: 'default', kind: 'feishu', lastEventAt: expect.any(String) }),
    expect.objectContaining({
      name: 'orders',
      path: '/webhook/orders',
      format: 'json',
      verification: { on: true, ways: ['bearer'] },
      lastEventAt: expect.any(String),
    }),
    expect.objectContaining({ name: 'hub', verification: { on: true, ways: ['hmac'] } }),
    expect.objectContaining({ name: 'clouds', format: 'cloudevents', types: ['com.example.*'] }),
  ]);
});
