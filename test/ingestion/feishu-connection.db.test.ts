// Real: the service, PostgreSQL, the SDK, sockets. The platform's side is played frame by frame.
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeFrame } from '../../src/cli/fake-feishu/frame.js';
import { type BareSocket, BarePlatform, eventFrame } from '../support/bare-platform.js';
import { Door, until } from '../support/door.js';
import { APP, approverEvent, envelopeOf } from '../support/feishu.js';
import { emptied } from '../support/database.js';

const SECRET = 'canary-app-secret-0b7d';
const SETTINGS = {
  FEISHU_APP_ID: APP.id,
  FEISHU_APP_SECRET: SECRET,
  FEISHU_MODE: 'long-connection',
} as const;

interface VectorFrame {
  readonly SeqID: string;
  readonly LogID: string;
  readonly service: number;
  readonly method: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly payload_utf8: string;
}
interface Vector {
  readonly id: string;
  readonly hex?: string;
  readonly hex_in_send_order?: readonly string[];
  readonly expect?: { readonly acks: readonly VectorFrame[] };
}
const vectors = new Map(
  (
    JSON.parse(readFileSync('test/fixtures/feishu-vectors.json', 'utf8')) as { ws_frames: Vector[] }
  ).ws_frames.map((vector) => [vector.id, vector]),
);
const framesOf = (id: string): Buffer[] => {
  const { hex, hex_in_send_order: several } = vectors.get(id)!;
  return (several ?? [hex ?? '']).map((text) => Buffer.from(text, 'hex'));
};

/** An envelope as the long connection has it: the token is empty. */
const envelope = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string =>
  envelopeOf(approverEvent(changes), { token: '', ...header });

let platform: BarePlatform;
let door: Door;
let socket: BareSocket;
beforeAll(async () => {
  platform = await BarePlatform.start();
  door = await Door.open({ ...SETTINGS, FEISHU_DOMAIN: platform.url });
  socket = await platform.socket();
});
afterAll(async () => {
  await door.close();
  await platform.close();
});
beforeEach(() => emptied(door, 'event_keys, events'));

let messages = 0;
const messageId = (): string => `m-${(messages += 1)}`;

/** Sends an event and answers the code of its acknowledgement. */
async function codeOf(body: string | Buffer): Promise<number> {
  const id = messageId();
  socket.send(eventFrame(id, body));
  return (await socket.ack(id)).code;
}

interface Row {
  readonly origin: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly source: string;
  readonly raw: Buffer;
  readonly content: Buffer | null;
  readonly root_entity: string | null;
}
const rows = (): Promise<Row[]> => door.query<Row>('select * from events order by id');

describe('published frames', () => {
  it('frame-01: the first thing sent is a ping, to the byte', () => {
    expect(socket.bytes[0]).toEqual(framesOf('frame-01-ping')[0]);
  });

  it.each(['frame-03-event-single', 'frame-04-event-two-fragments', 'frame-06-unregistered-event'])(
    '%s is stored and acknowledged once',
    async (id) => {
      const before = socket.acks.length;
      socket.send(...framesOf(id));
      await until(() => socket.acks.length > before);
      const ack = socket.acks[before]!;
      const [expected] = vectors.get(id)!.expect!.acks;
      expect({
        SeqID: String(ack.seqId),
        LogID: String(ack.logId),
        service: ack.service,
        method: ack.method,
        headers: ack.headers.map(([key, value]) => ({ key, value: key === 'biz_rt' ? '0' : value })),
      }).toEqual({
        SeqID: expected!.SeqID,
        LogID: expected!.LogID,
        service: expected!.service,
        method: expected!.method,
        headers: expected!.headers,
      });
      // Not as the SDK for a type that nobody registered: that one answers with a text, and keeps nothing.
      expect(ack.payload?.toString('utf8')).toBe('{"code":200}');
      const sent = framesOf(id)
        .map((bytes) => decodeFrame(bytes))
        .sort((a, b) => Number(a.seqId - b.seqId));
      const body = Buffer.concat(sent.map(({ payload }) => payload!));
      expect(await rows()).toEqual([
        expect.objectContaining({
          origin: `feishu:${APP.id}`,
          source: 'feishu-long-connection',
          event_id: '5e3702a84e847582be8db7fb73283c02',
          event_type: id.includes('06') ? 'never.registered_v1' : 'corehr.process.approver.updated_v2',
          raw: body,
          content: null,
        }),
      ]);
      expect(socket.acks).toHaveLength(before + 1);
    },
  );

  it('frame-05: what is not stored is acknowledged with 500, and with 200 when it comes again', async () => {
    await door.query('alter table events rename to gone');
    const before = socket.acks.length;
    socket.send(...framesOf('frame-05-handler-throws'));
    await until(() => socket.acks.length > before);
    expect(socket.acks[before]!.payload?.toString('utf8')).toBe('{"code":500}');
    await door.query('alter table gone rename to events');
    socket.send(...framesOf('frame-05-handler-throws'));
    await until(() => socket.acks.length > before + 1);
    expect(socket.acks[before + 1]!.payload?.toString('utf8')).toBe('{"code":200}');
    expect(await rows()).toHaveLength(1);
  });
});

describe('an event', () => {
  it('of version 1 is stored under its uuid, with the exact bytes', async () => {
    const body = JSON.stringify({
      uuid: 'v1-uuid',
      ts: '1502199207.7171419',
      token: '',
      type: 'event_callback',
      event: { type: 'approval_instance', app_id: APP.id, uuid: 'of-the-caller', instance_code: 'I-1' },
    });
    expect(await codeOf(body)).toBe(200);
    expect(await rows()).toEqual([
      expect.objectContaining({
        event_id: 'v1-uuid',
        event_type: 'approval_instance',
        raw: Buffer.from(body),
      }),
    ]);
  });

  it('of any type is stored, also those the SDK has a handler for, or takes for something else', async () => {
    const types = ['app_ticket', 'card.action.trigger', 'never.heard_of_v9', 'constructor', '__proto__'];
    for (const event_type of types) expect(await codeOf(envelope({}, { event_type }))).toBe(200);
    expect((await rows()).map(({ event_type }) => event_type)).toEqual(types);
  });

  it('that comes three times is there once, and acknowledged each time', async () => {
    const body = envelope();
    expect([await codeOf(body), await codeOf(body), await codeOf(body)]).toEqual([200, 200, 200]);
    expect(await door.count()).toEqual([1, 1]);
  });

  it('whose ids are long numbers keeps every digit', async () => {
    const id = '7072306364927985196';
    const body = envelope().replace(`"process_id":"${id}"`, `"process_id":7072306364927985197`);
    expect(body).toContain(':7072306364927985197');
    expect(await codeOf(body)).toBe(200);
    const [row] = await rows();
    expect(row?.raw.toString('utf8')).toBe(body);
    expect(row?.root_entity).toContain('7072306364927985197');
  });

  it('that names no app is of the app whose connection it came over', async () => {
    expect(await codeOf(envelope({}, { app_id: undefined, event_id: 'nameless' }))).toBe(200);
    expect(await rows()).toEqual([
      expect.objectContaining({ origin: `feishu:${APP.id}`, event_id: 'nameless' }),
    ]);
  });

  it('in fragments out of order, mixed with those of others, is whole', async () => {
    const bodies = ['续签审批🎉', 'plain', '部门负责人'].map((biz_type) =>
      Buffer.from(envelope({ biz_type })),
    );
    const frames = bodies.flatMap((body, index) => {
      const message = `mixed-${index}`;
      const cuts = [0, 1, Math.floor(body.length / 2), body.length];
      return [2, 0, 1].map((seq) => ({
        seq,
        frame: eventFrame(message, body.subarray(cuts[seq], cuts[seq + 1]), { sum: '3', seq: String(seq) }),
      }));
    });
    for (const wanted of [1, 2, 0])
      for (const { seq, frame } of frames) if (seq === wanted) socket.send(frame);
    for (const index of [0, 1, 2]) expect((await socket.ack(`mixed-${index}`)).code).toBe(200);
    expect(
      socket.acks.filter(({ headers }) => headers.some(([, value]) => value.startsWith('mixed'))),
    ).toHaveLength(3);
    expect((await rows()).map(({ raw }) => raw.toString('utf8')).sort()).toEqual(bodies.map(String).sort());
  });

  it('of 1 MiB is stored', async () => {
    const filler = 1024 * 1024 - Buffer.byteLength(envelope({ filler: '' }));
    const body = envelope({ filler: 'x'.repeat(filler) });
    expect(Buffer.byteLength(body)).toBe(1024 * 1024);
    expect(await codeOf(body)).toBe(200);
    expect((await rows())[0]?.raw).toHaveLength(1024 * 1024);
  });

  it('has its acknowledgement found by message id, whatever its numbers', async () => {
    socket.send({ ...eventFrame('numbers', envelope()), seqId: 2n ** 64n - 1n, logId: 2n ** 63n + 1n });
    expect((await socket.ack('numbers')).code).toBe(200);
  });

  it('among a thousand at once is acknowledged in time', async () => {
    const ids = Array.from({ length: 1000 }, () => messageId());
    const started = performance.now();
    for (const id of ids) socket.send(eventFrame(id, envelope()));
    for (const id of ids) expect((await socket.ack(id, 10_000)).code).toBe(200);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await door.count()).toEqual([1000, 1000]);
  });
});

describe('what is no event of this app', () => {
  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"event"'],
    ['a number', '7'],
    ['cut off', envelope().slice(0, -1)],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['without an event', '{"schema":"2.0","header":{"event_id":"e","event_type":"t"}}'],
    ['without an id', envelope({}, { event_id: undefined })],
    ['encrypted', '{"encrypt":"AAAA"}'],
    ['of another app', envelope({}, { app_id: 'cli_0000000000000000' })],
    ['of another app, version 1', '{"uuid":"u","event":{"type":"t","app_id":"cli_0000000000000000"}}'],
  ])('%s is acknowledged with 500 and has a line in the log', async (_, body) => {
    const before = door.service.log.lines.length;
    expect(await codeOf(body)).toBe(500);
    expect(await door.count()).toEqual([0, 0]);
    const lines = door.service.log.lines.slice(before).filter(({ level }) => level !== 'debug');
    expect(lines.map(({ fields }) => fields['event'])).toEqual(['event.refused']);
    expect(await codeOf(envelope())).toBe(200);
  });

  it.each([
    ['a frame cut off', framesOf('frame-03-event-single')[0]!.subarray(0, 60)],
    ['noise', randomBytes(200)],
    ['nothing', Buffer.alloc(0)],
    ['a frame without its required fields', Buffer.from('2a0d0a047479706512056576656e74', 'hex')],
    ['a card', eventFrame('no-ack', envelope(), { type: 'card' })],
    ['no type', eventFrame('no-ack', envelope(), { type: null })],
    ['a ping', { ...eventFrame('no-ack', ''), method: 0, headers: [['type', 'ping']] as const }],
    ['another method', { ...eventFrame('no-ack', envelope()), method: 7 }],
    ['no "sum"', eventFrame('no-ack', envelope(), { sum: null })],
    ['no "seq"', eventFrame('no-ack', envelope(), { seq: null })],
    ['a "sum" of billions', eventFrame('no-ack', envelope(), { sum: '4294967295' })],
    ['a "seq" beyond "sum"', eventFrame('no-ack', envelope(), { sum: '2', seq: '2' })],
    ['a fragment without a message id', eventFrame('no-ack', envelope(), { message_id: null, sum: '2' })],
    ['more than 1 MiB', eventFrame('no-ack', envelope({ filler: 'x'.repeat(1024 * 1024) }))],
  ])('%s is not acknowledged, and the next event is stored', async (_, frame) => {
    const before = socket.acks.length;
    socket.send(frame);
    expect(await codeOf(envelope())).toBe(200);
    expect(socket.acks).toHaveLength(before + 1);
    expect(await door.count()).toEqual([1, 1]);
  });

  it('a text message is not acknowledged, and the next event is stored', async () => {
    socket.socket.send(envelope());
    expect(await codeOf(envelope())).toBe(200);
    expect(await door.count()).toEqual([1, 1]);
  });
});

describe('the service', () => {
  it('did all that over one socket', () => {
    expect(platform.sockets).toHaveLength(1);
    expect(socket.closed).toBe(false);
  });

  it('sends what the platform wants to know, and the app secret nowhere else', () => {
    expect(platform.discoveries.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { AppID: APP.id, AppSecret: SECRET },
    ]);
    expect(platform.discoveries[0]?.headers['user-agent']).toMatch(/^oapi-node-sdk\/1\.74\.0/);
  });

  it('shows the connection in its health and in its metrics', async () => {
    const health = await fetch(`${door.service.url}/health/ready`);
    expect([health.status, await health.json()]).toEqual([
      200,
      expect.objectContaining({
        ready: true,
        connections: [{ app: 'default', state: 'connected', since: expect.stringMatching(/^20.*Z$/) }],
      }),
    ]);
    const metrics = await (await fetch(`${door.service.url}/metrics`)).text();
    expect(metrics).toContain('aftersign_feishu_connected{app="default"} 1');
    for (const outcome of ['stored', 'duplicate', 'refused', 'failed'])
      expect(metrics).toMatch(
        new RegExp(
          `aftersign_events_received_total{source="feishu-long-connection",outcome="${outcome}"} [1-9]`,
        ),
      );
  });

  it('logs no secret, no address of a socket and nothing of what is in an event', () => {
    const { lines } = door.service.log;
    expect(lines.length).toBeGreaterThan(100);
    const log = JSON.stringify(lines);
    for (const hidden of [SECRET, 'canary-ticket', '/ws/v2', 'renewal_record', '7072306364927985187', '续签'])
      expect(log).not.toContain(hidden);
  });
});
