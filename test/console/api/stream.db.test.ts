// The real service with all roles, its database, real connections.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import type { UserRole } from '../../../src/config/config.js';
import { ChangeFeed, type Listener } from '../../../src/console/api/change-feed.js';
import { TestConsole } from '../../support/console.js';
import {
  CANARIES,
  openSeeded,
  type SeededConsole,
  SEEDED_TYPE,
  visitPush,
} from '../../support/seeded-console.js';
import { until } from '../../support/door.js';
import { EventStream } from '../../support/event-stream.js';
import { envelopeOf, pushOf } from '../../support/feishu.js';

let seeded: SeededConsole;
let console: TestConsole;
let feed: ChangeFeed;
const open: EventStream[] = [];
let pushed = 0;

beforeAll(async () => {
  seeded = await openSeeded();
  console = seeded.console;
  feed = console.service.app.get(ChangeFeed, { strict: false });
}, 60_000);
afterEach(async () => {
  for (const stream of open.splice(0)) stream.close();
  await until(() => feed.size === 0);
});
afterAll(() => seeded.close());

async function listen(role: UserRole, query = '', lastId?: string): Promise<EventStream> {
  const stream = await EventStream.open(console.url, console.tokens[role], {
    query,
    ...(lastId === undefined ? {} : { lastId }),
  });
  open.push(stream);
  if (stream.status === 200) await stream.has('ready');
  return stream;
}

/** The sender's id. */
async function push(changes: Record<string, unknown> = {}): Promise<string> {
  pushed += 1;
  await console.push(visitPush(changes, { event_id: `streamed-${pushed}` }));
  return `streamed-${pushed}`;
}

describe('the stream', () => {
  it('tells of events, verdicts and deliveries, without their contents', async () => {
    const stream = await listen('operator');
    expect([...stream.headers]).toEqual(
      expect.arrayContaining([
        ['content-type', 'text/event-stream'],
        ['cache-control', 'no-store'],
        ['x-accel-buffering', 'no'],
      ]),
    );
    const eventId = await push();
    const [event] = await stream.has('events');
    expect(event?.data).toEqual({
      id: expect.any(String),
      eventId,
      origin: 'feishu:cli_9f5343c580712544',
      eventType: SEEDED_TYPE,
      source: 'feishu-webhook',
      receivedAt: expect.any(String),
      rootEntity: `employee:${CANARIES.employee}`,
    });
    const [verdict] = await stream.has('verdicts');
    expect(verdict?.data).toMatchObject({
      eventId: event?.data['id'],
      eventType: SEEDED_TYPE,
      matched: 2,
      rules: [
        { rule: 'announce', verdict: 'matched' },
        { rule: 'invite', verdict: 'matched' },
      ],
    });
    await until(() => stream.of('deliveries').filter(({ data }) => data['state'] === 'dead').length === 2);
    const mail = stream.of('deliveries').find(({ data }) => data['rule'] === 'invite');
    expect(mail?.data).toMatchObject({
      eventType: SEEDED_TYPE,
      kind: 'email',
      target: `email:${CANARIES.mail}`,
    });
    for (const { name, phone } of [CANARIES]) {
      expect(JSON.stringify(stream.messages)).not.toContain(name);
      expect(JSON.stringify(stream.messages)).not.toContain(phone);
    }
    const numbers = stream.messages.map(({ id }) => Number(id.split('-')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('tells of silences to whoever listens for them', async () => {
    const [stream, other] = [
      await listen('viewer', '?topics=silences'),
      await listen('viewer', '?rule=quiet'),
    ];
    const silence = { matcher: { rule: 'quiet' }, for: '1h', reason: 'a test' };
    const added = await console.ask('operator', '/silences', { json: silence });
    const [message] = await stream.has('silences');
    expect(message?.data).toMatchObject({
      id: (added.body as { id: string }).id,
      what: 'added',
      rule: 'quiet',
      reason: 'a test',
    });
    expect(other.of('silences')).toEqual([]);
  });

  it('keeps from viewers what personal values there are', async () => {
    const [viewer, operator] = [await listen('viewer'), await listen('operator')];
    await push();
    for (const stream of [viewer, operator])
      await until(() => stream.of('deliveries').some(({ data }) => data['rule'] === 'invite'));
    const text = JSON.stringify(viewer.messages);
    for (const canary of Object.values(CANARIES)) expect(text).not.toContain(canary);
    expect(viewer.of('events')[0]?.data).toMatchObject({ rootEntity: 'employee:•••' });
    expect(viewer.of('deliveries').find(({ data }) => data['rule'] === 'invite')?.data).toMatchObject({
      target: 'email:•••',
    });
    expect(JSON.stringify(operator.messages)).toContain(CANARIES.mail);
  });

  it('tells only what was asked for', async () => {
    const streams = {
      events: await listen('viewer', '?topics=events'),
      rule: await listen('viewer', '?rule=invite'),
      type: await listen('viewer', '?topics=events&type=corehr.*'),
      all: await listen('viewer'),
    };
    await push();
    await console.push(
      pushOf(
        envelopeOf(
          { process_id: '7' },
          { event_id: `other-${pushed}`, event_type: 'corehr.process.updated_v2' },
        ),
      ),
    );
    await until(() =>
      streams.all
        .of('deliveries')
        .some(({ data }) => data['rule'] === 'announce' && data['state'] === 'dead'),
    );
    await until(() => streams.type.of('events').length === 1 && streams.events.of('events').length === 2);
    await until(() => streams.rule.of('deliveries').some(({ data }) => data['state'] === 'dead'));
    expect(new Set(streams.events.messages.map(({ event }) => event))).toEqual(new Set(['ready', 'events']));
    expect(new Set(streams.rule.messages.map(({ event }) => event))).toEqual(
      new Set(['ready', 'verdicts', 'deliveries']),
    );
    expect(streams.rule.of('deliveries').every(({ data }) => data['rule'] === 'invite')).toBe(true);
    expect(streams.type.of('events')[0]?.data).toMatchObject({ eventType: 'corehr.process.updated_v2' });
  });

  it('goes on where somebody was cut off', async () => {
    const first = await listen('viewer', '?topics=events');
    const [a, b] = [await push(), await push()];
    const told = await first.has('events', 2);
    first.close();
    await until(() => feed.size === 0);
    const c = await push();
    const second = await listen('viewer', '?topics=events', told[0]?.id);
    const again = await second.has('events', 2);
    expect(told.map(({ data }) => data['eventId'])).toEqual([a, b]);
    expect(again.map(({ data }) => data['eventId'])).toEqual([b, c]);
    expect(again[0]?.id).toBe(told[1]?.id);
    expect(second.of('reset')).toEqual([]);
  });

  it('says so when it cannot', async () => {
    const stream = await listen('viewer');
    await push();
    const [last] = await stream.has('events');
    const [epoch = '', number = ''] = last?.id.split('-') ?? [];
    for (const id of ['x', '1', `${'0'.repeat(12)}-${number}`, `${epoch}-99999`, `${epoch}-x`])
      expect((await listen('viewer', '', id)).of('reset')).toHaveLength(1);
    expect((await listen('viewer', '', last?.id)).of('reset')).toEqual([]);
  });

  it('shows that it is alive, and ends with the login', async () => {
    const [viewer, operator] = [await listen('viewer'), await listen('operator')];
    await feed.beat();
    await until(() => viewer.comments > 0 && operator.comments > 0);
    await console.dataSource.query(
      `update tokens set revoked_at = now() where user_id = (select id from users where name = 'viewer')`,
    );
    await feed.beat();
    await viewer.end();
    expect(operator.ended).toBe(false);
    // One who reads more than a viewer may, and is made a viewer.
    await console.dataSource.query(`update users set role = 'viewer' where name = 'operator'`);
    await feed.beat();
    await operator.end();
    await console.dataSource.query(`update tokens set revoked_at = null`);
    await console.dataSource.query(`update users set role = 'operator' where name = 'operator'`);
  });

  it('lets 100 listen and no more', async () => {
    const streams = await Promise.all(Array.from({ length: 100 }, () => listen('viewer')));
    expect(streams.every(({ status }) => status === 200)).toBe(true);
    const refused = await console.ask('viewer', '/stream');
    expect(refused).toMatchObject({ status: 503, body: { code: 'STREAM_FULL' } });
    expect(refused.headers.get('retry-after')).toBe('10');
    streams[0]?.close();
    await until(() => feed.size === 99);
    expect((await listen('viewer')).status).toBe(200);
  });

  it('drops who does not read', async () => {
    const { hostname, port } = new URL(console.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${console.tokens.viewer}\r\n\r\n`,
    );
    socket.pause();
    await until(() => feed.size === 1);
    const [listener] = feed['listeners'] as ReadonlySet<Listener>;
    for (let at = 0; at < 200 && feed.size > 0; at += 1) {
      listener?.write(Buffer.alloc(256 * 1024));
      await new Promise(setImmediate);
    }
    await until(() => feed.size === 0);
    socket.destroy();
  });

  it('has a head alone for HEAD, and nobody listens then', async () => {
    const { status, headers } = await console.ask('viewer', '/stream', { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(feed.size).toBe(0);
  });
});

describe('a flood that begins on an empty database', () => {
  it('is told as far as it may be, and counted beyond that', async () => {
    const other = await TestConsole.open({ ROLE: 'ingest,console' });
    const stream = await EventStream.open(other.url, other.tokens.viewer);
    await stream.has('ready');
    const readers = other.service.app.get(ChangeFeed, { strict: false })['readers'];
    for (const { source } of readers) expect(await source.after('', 5)).toEqual({ count: 0, last: [] });
    const lines = Array.from({ length: 700 }, (_, at) => envelopeOf({ n: at }, { event_id: `flood-${at}` }));
    const headers = { 'content-type': 'application/x-ndjson' };
    expect(
      (await other.ask('admin', '/events/import', { method: 'POST', body: lines.join('\n'), headers }))
        .status,
    ).toBe(200);
    const told = (): number =>
      stream.of('events').length + stream.of('gap').reduce((sum, { data }) => sum + Number(data['count']), 0);
    await until(() => told() >= 700);
    expect(told()).toBe(700);
    expect(stream.of('events').length).toBeLessThan(400);
    expect(stream.of('gap')[0]?.data).toMatchObject({ topic: 'events' });
    stream.close();
    await other.close();
  });
});

describe('when the service stops', () => {
  it('the stream ends', async () => {
    const other = await TestConsole.open({ ROLE: 'console' });
    const stream = await EventStream.open(other.url, other.tokens.viewer);
    await stream.has('ready');
    await other.service.close();
    await stream.end();
    await other.database.drop();
  });
});
