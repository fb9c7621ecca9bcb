// Real: HTTP server, PostgreSQL, signatures, ciphertexts. Everything here is genuinely signed: what is hostile is the
// content that an employee typed, or the content-type.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { factsOf } from '../../src/events/event-facts.js';
import { type Answer, Connection, Door, type Request } from '../support/door.js';
import { APP, approverEvent, envelopeOf, pushOf, pushOfApprover } from '../support/feishu.js';

let door: Door;
beforeAll(async () => {
  door = await Door.open();
});
afterAll(() => door.close());

const id = (): string => randomBytes(16).toString('hex');

describe('what employees can type into genuine events', () => {
  it.each([
    ['100 000 levels', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['3000 numbers of 131 072 digits', `[${Array(3000).fill('1e131071').join(',')}]`],
    ['100 000 levels around a long id', `${'['.repeat(100_000)}12345678901234567${']'.repeat(100_000)}`],
    ['numbers beyond every range', '[1e999999,-1e999999,0.1e-999999,123456789012345678901234567890]'],
    ['NUL and lone surrogates', String.raw`"a\u0000b\ud800c\udfff\ude00"`],
    ['control characters, escaped', String.raw`"\u001b[31m\r\n\u202e\ufeff"`],
    ['a text of 500 kB', `"${'签'.repeat(166_000)}"`],
    [
      'names that JavaScript knows',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ],
    ['a thenable', '{"then":"x","toJSON":"x","toString":"x","valueOf":null,"length":-1}'],
    ['20 000 names', `{${Array.from({ length: 20_000 }, (_, n) => `"n${n}":0`).join(',')}}`],
    ['one name many times', `{${Array(5000).fill('"a":1').join(',')}}`],
  ])('A14, A15: %s is stored byte by byte', async (_, value) => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId }).replace(
      '"event":{',
      `"__proto__":{"polluted":1},"event":{"typed":${value},"__proto__":{"polluted":1},`,
    );
    const event = await door.stored(pushOf(text), eventId);
    expect(event.content?.toString('utf8') === text.replace(APP.token, '*'.repeat(APP.token.length))).toBe(
      true,
    );
    expect(factsOf(event).get('process_id')).toBe('7072306364927985196');
    expect(factsOf(event).get('__proto__')).toEqual({ polluted: 1 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', '..', '-', 'a:b.c-d_e'])(
    'A16: the event type %s is stored like any unknown one',
    async (event_type) => {
      const eventId = id();
      const push = pushOf(envelopeOf({ a: 1 }, { event_id: eventId, event_type }));
      const { eventType, rootEntity } = await door.stored(push, eventId);
      expect([eventType, rootEntity]).toEqual([event_type, null]);
    },
  );

  it.each(['approval_instance', 'leave_approvalV2', 'contact.user.created_v3', 'im.message.receive_v1'])(
    'both envelopes of %s are stored: v1 is known by uuid, v2 by event_id',
    async (type) => {
      const [uuid, eventId] = [id(), id()];
      const v1 = { uuid, token: APP.token, ts: '1502199207.7171419', type: 'event_callback' };
      const event = { type, app_id: APP.id, tenant_key: 't', uuid: 'chosen by the caller', status: 'DONE' };
      const first = await door.stored(pushOf(JSON.stringify({ ...v1, event })), uuid);
      const second = await door.stored(
        pushOf(envelopeOf({ status: 'DONE' }, { event_id: eventId, event_type: type })),
        eventId,
      );
      expect([first.eventType, second.eventType]).toEqual([type, type]);
      expect(first.createTime?.toISOString()).toBe('2017-08-08T13:33:27.717Z');
      expect([factsOf(first).get('status'), factsOf(second).get('status')]).toEqual(['DONE', 'DONE']);
    },
  );

  it('ids that came as numbers beyond 2^53 keep their digits, and the event its process', async () => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId })
      .replace('"7072306364927985196"', '7072306364927985196')
      .replace('"type":1', '"type":1,"list":[9007199254740993, -9007199254740993,9007199254740991,0.5]');
    const event = await door.stored(pushOf(text), eventId);
    expect(event.rootEntity).toBe('process:7072306364927985196');
    expect(factsOf(event).get('process_id')).toBe('7072306364927985196');
    expect(factsOf(event).get('list')).toEqual([
      '9007199254740993',
      '-9007199254740993',
      9007199254740991,
      0.5,
    ]);
  });

  it.each([
    ['NUL', String.raw`"7072\u00006364"`, null],
    ['lone surrogates', String.raw`"\ud800\udc00\ud800"`, 'process:𐀀\ufffd'],
    ['20 kB', `"${'7'.repeat(20_000)}"`, null],
    ['a list', '["7072306364927985196"]', null],
    ['an object', '{"length":1}', null],
    ['SQL', `"'; drop table events --"`, "process:'; drop table events --"],
  ])('a process id that is %s loses no event', async (_, value, rootEntity) => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId }).replace('"7072306364927985196"', value);
    expect((await door.stored(pushOf(text), eventId)).rootEntity).toBe(rootEntity);
  });

  it.each([
    ['yesterday', '"yesterday"'],
    ['a number', '1502199207717'],
    ['1e999', '1e999'],
    ['20 digits', '"15021992077171502199"'],
    ['16 nines', '"9999999999999999"'],
    ['negative', '"-1502199207"'],
    ['an object', '{"a":1}'],
    ['a text of 20 kB', `"${'1'.repeat(20_000)}"`],
  ])('a create_time that is %s loses no event', async (_, value) => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId });
    const header = /"create_time":"\d+"/;
    await door.stored(pushOf(text.replace(header, `"create_time":${value}`)), eventId);
  });

  it('leaves the verification token in no row', async () => {
    const rows = await door.query(
      `select id from events where position($1::bytea in raw) > 0 or position($1::bytea in content) > 0`,
      [Buffer.from(APP.token)],
    );
    expect(rows).toEqual([]);
  });
});

describe('content types', () => {
  const bytesOf = (type: string | null, { headers, body }: Request): string =>
    [
      'POST /webhook/event HTTP/1.1',
      'host: 127.0.0.1',
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers)
        .filter(([name]) => name !== 'content-type')
        .map(([name, value]) => `${name}: ${value}`),
      ...(type === null ? [] : [`content-type:${type}`]),
      `\r\n${body.toString('utf8')}`,
    ].join('\r\n');

  it.each([
    null,
    '',
    ' application/json\t',
    ' application/json\ta',
    '\tapplication/json',
    '   application/json',
    ' ;',
    ' application/json;',
    ' application/json;charset',
    ' application/json; charset=utf-7',
    ' application/x-www-form-urlencoded',
    ' multipart/form-data; boundary=x',
    ' text/plain',
    ' text/html',
    ' application/octet-stream',
    ' __proto__/__proto__',
    ' json',
    ' a/b, application/json',
    ` application/json; a=${'b'.repeat(10_000)}`,
  ])('A45: the same checks with %j', async (type) => {
    const send = async (request: Request): Promise<Answer | null> => {
      const connection = new Connection(door.port).send(bytesOf(type, request));
      const answer = await connection.answer();
      connection.destroy();
      return answer;
    };
    const { body, headers } = pushOfApprover();
    const forged = { ...headers, 'x-lark-signature': 'a'.repeat(64) };
    await door.refuses(() => send({ body, headers: forged }), [401, 415], body);
    await door.refuses(() => send({ body, headers: {} }), [401, 415], body);
    const rows = await door.count();
    const genuine = await send({ body, headers });
    expect([200, 415]).toContain(genuine?.status);
    const added = genuine?.status === 200 ? 1 : 0;
    expect(await door.count()).toEqual(rows.map((count) => count + added));
  });
});
