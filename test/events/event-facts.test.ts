import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENVELOPE_FACTS, ENVELOPE_FIELDS, factsOf } from '../../src/events/event-facts.js';
import type { StoredEvent } from '../../src/events/event-store.js';

const CREATED = 1_608_725_989_000;

function stored(body: object, changes: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: '0190d1c2-0000-7000-8000-000000000000',
    receivedAt: new Date(CREATED + 5),
    origin: 'feishu:cli_9f5343c580712544',
    eventId: 'e1',
    eventType: 'approval_task',
    source: 'feishu-webhook',
    createTime: new Date(CREATED),
    rootEntity: null,
    raw: Buffer.from(JSON.stringify(body)),
    content: null,
    transport: null,
    erasedAt: null,
    ...changes,
  };
}
const rawOf = (body: unknown): Buffer => Buffer.from(JSON.stringify(body));
const v1 = (event: object): object => ({
  uuid: 'e1',
  ts: '1608725989.000',
  type: 'event_callback',
  event: { type: 'approval_task', app_id: 'cli_9f5343c580712544', tenant_key: 't1', ...event },
});
const v2 = (event: object): object => ({
  schema: '2.0',
  header: {
    event_id: 'e1',
    event_type: 'approval_task',
    create_time: String(CREATED),
    app_id: 'cli_real',
    tenant_key: 't1',
  },
  event,
});
const ENVELOPE = {
  event_type: 'approval_task',
  event_id: 'e1',
  create_time: CREATED,
  app_id: 'cli_real',
  tenant_key: 't1',
  source: 'feishu-webhook',
  cloudevent: null,
};

describe('the facts of an event', () => {
  it('are its fields by their own names and the envelope', () => {
    expect(Object.fromEntries(factsOf(stored(v2({ status: 1, biz_type: 'x' }))))).toEqual({
      status: 1,
      biz_type: 'x',
      ...ENVELOPE,
    });
  });

  it('keep a field apart from the envelope fact of the same name, for any event type', () => {
    const typed = {
      app_id: 'cli_typed',
      create_time: 'yesterday',
      event_id: null,
      source: [1],
      event_type: 0,
      tenant_key: '',
      cloudevent: { id: 'typed' },
    };
    const facts = factsOf(stored(v2(typed), { eventType: 'unheard.of' }));
    expect(Object.fromEntries(facts)).toEqual({
      ...ENVELOPE,
      event_type: 'unheard.of',
      ...Object.fromEntries(Object.entries(typed).map(([name, value]) => [`event.${name}`, value])),
    });
  });

  it('of a v1 event have its app and tenant under both names', () => {
    const facts = factsOf(stored(v1({ app_id: 'cli_9f5343c580712544', status: 'PENDING' })));
    expect(facts.get('event.app_id')).toBe('cli_9f5343c580712544');
    expect(facts.get('app_id')).toBe('cli_9f5343c580712544');
    expect(facts.get('event.tenant_key')).toBe('t1');
    expect(facts.get('type')).toBe('approval_task');
  });

  it("never take a field that is really named event.app_id for the event's app_id, in whatever order they stand", () => {
    const one = factsOf(stored(v2({ 'event.app_id': 'literal', app_id: 'own' })));
    const other = factsOf(stored(v2({ app_id: 'own', 'event.app_id': 'literal' })));
    const alone = factsOf(stored(v2({ 'event.app_id': 'literal', 'event.other': 'kept' })));
    expect([one.get('event.app_id'), other.get('event.app_id')]).toEqual(['own', 'own']);
    expect(alone.has('event.app_id')).toBe(false);
    expect(alone.get('event.other')).toBe('kept');
  });

  it('neither hide the envelope nor are hidden, whatever their names', () => {
    const name = fc.oneof(
      fc.constantFrom(...ENVELOPE_FACTS),
      fc.constantFrom(...ENVELOPE_FACTS).map((fact) => `event.${fact}`),
      fc.constantFrom('__proto__', 'constructor', 'event.late', 'status'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([key]) => key }), (list) => {
        const text = `{"schema":"2.0","header":${JSON.stringify((v2({}) as { header: object }).header)},"event":{${list
          .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
          .join(',')}}}`;
        const facts = factsOf(stored({}, { raw: Buffer.from(text) }));
        for (const [key, value] of Object.entries(ENVELOPE)) expect(facts.get(key)).toBe(value);
        for (const [key, value] of list) {
          const ambiguous = ENVELOPE_FACTS.some((fact) => key === `event.${fact}`);
          const fact = (ENVELOPE_FACTS as readonly string[]).includes(key) ? `event.${key}` : key;
          if (!ambiguous) expect(facts.get(fact)).toBe(value);
        }
      }),
    );
  });

  it('have null where the sender said no time, no app and no tenant', () => {
    const body = { schema: '2.0', header: { event_id: 'e1', event_type: 'approval_task' }, event: {} };
    const facts = factsOf(stored(body, { createTime: null }));
    expect(['create_time', 'app_id', 'tenant_key'].map((name) => facts.get(name))).toEqual([
      null,
      null,
      null,
    ]);
  });

  const GITHUB = {
    source: 'webhook',
    origin: 'github',
    eventType: 'github.push',
    transport: { format: 'json', fields: [] },
  } as const;

  it('of another system are the members of its object, ids beyond 2^53 with all their digits', () => {
    const raw = Buffer.from('{"ref":"main","id":12345678901234567890,"sender":{"id":1},"source":"typed"}');
    expect(Object.fromEntries(factsOf(stored({}, { ...GITHUB, raw })))).toEqual({
      ...ENVELOPE,
      event_type: 'github.push',
      app_id: null,
      tenant_key: null,
      source: 'webhook',
      ref: 'main',
      id: '12345678901234567890',
      sender: { id: 1 },
      'event.source': 'typed',
    });
  });

  it.each<[string, readonly string[], unknown, unknown]>([
    ['a list', [], [{ a: 1 }], [{ a: 1 }]],
    ['a text', ['data', 'object'], { data: { object: 'a text' } }, 'a text'],
    ['null', ['data', 'object'], { data: { object: null } }, null],
  ])(
    'of another system with %s where the fields should be are the one fact data',
    (_, fields, body, data) => {
      const facts = factsOf(
        stored({}, { ...GITHUB, transport: { format: 'json', fields }, raw: rawOf(body) }),
      );
      expect(facts.get('data')).toEqual(data);
      expect(facts.size).toBe(ENVELOPE_FACTS.length + 1);
    },
  );

  it('of another system with nothing where the fields should be are the envelope alone', () => {
    for (const fields of [['data'], ['__proto__'], ['toString'], ['a', 'b']]) {
      const facts = factsOf(stored({ a: 1 }, { ...GITHUB, transport: { format: 'json', fields } }));
      expect([...facts.keys()].sort()).toEqual([...ENVELOPE_FACTS].sort());
    }
  });

  it('of a CloudEvent are the members of its data, and its attributes, which the data does not hide', () => {
    const body = {
      specversion: '1.0',
      id: '1',
      source: '/s',
      type: 'com.example.a',
      time: '2026-11-02T09:00:00Z',
      extensions: 'an extension of that name',
      count: 5,
      data: { cloudevent: 'typed', id: 'of the data' },
    };
    const facts = factsOf(
      stored(body, {
        eventType: 'com.example.a',
        eventId: '/s 1',
        transport: { format: 'cloudevents', attributes: null },
      }),
    );
    expect(facts.get('cloudevent')).toEqual({
      id: '1',
      source: '/s',
      type: 'com.example.a',
      time: '2026-11-02T09:00:00Z',
      extensions: { extensions: 'an extension of that name', count: '5' },
    });
    expect(facts.get('event.cloudevent')).toBe('typed');
    expect([facts.get('id'), facts.get('event_id'), facts.get('app_id')]).toEqual([
      'of the data',
      '/s 1',
      null,
    ]);
  });

  it('of the envelope are described, each with its labels', () => {
    expect(Object.keys(ENVELOPE_FIELDS)).toEqual([...ENVELOPE_FACTS]);
    expect(ENVELOPE_FIELDS['source']?.enum?.map(({ value }) => value)).toEqual([
      'feishu-webhook',
      'feishu-long-connection',
      'webhook',
      'reconcile',
      'schedule',
    ]);
  });
});
