import { describe, expect, it } from '@jest/globals';
import { RecordedLineReader } from '../../src/cli/recorded-line-reader.js';
import type { WebhookSource } from '../../src/config/sources.js';
import { recordedLine } from '../../src/console/api/recorded-line.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { factsOf } from '../../src/events/event-facts.js';
import type { StoredEvent } from '../../src/events/event-store.js';
import type { RecordedEvent } from '../../src/rules/backtest/recorded-event.js';
import { envelopeOf } from '../support/feishu.js';

const AT = Date.UTC(2026, 10, 2, 9);
const hub: WebhookSource = {
  name: 'hub',
  path: '/webhook/hub',
  types: ['hub.*'],
  verification: { kind: 'bearer', secrets: [] },
  format: {
    kind: 'json',
    id: { header: 'x-id' },
    type: { header: 'x-type' },
    time: null,
    fields: ['data'],
    typePrefix: 'hub.',
  },
};

const stored = (changes: Partial<StoredEvent>): StoredEvent => ({
  id: '01a2315b-0000-7000-8000-000000000001',
  receivedAt: new Date(AT),
  origin: 'feishu:cli_a',
  eventId: 'e1',
  eventType: 'corehr.process.approver.updated_v2',
  source: 'feishu-long-connection',
  createTime: new Date(AT - 5),
  rootEntity: 'process:7',
  raw: Buffer.from(envelopeOf({ process_id: '7', note: '"aftersign":"recorded/1",\n}{', big: 1 })),
  content: null,
  transport: null,
  erasedAt: null,
  ...changes,
});

const recorded = (changes: Partial<StoredEvent>): RecordedEvent => ({
  event: stored(changes),
  decidedAt: AT + 20,
  lookups: { person: { request: 'GET /"x"', value: { 'a,"event":': ['}'] }, fetchedAt: AT } },
  cause: 'feishu:cli_a/other',
  steps: [{ rule: 'r', subject: null, step: '24h', at: AT + 1000, pending: true }],
});

/** Without `webhookSources`: whoever reads the file need not know them. */
const reader = new RecordedLineReader({
  catalogue: loadBuiltInCatalogue(),
  source: null,
  webhookSources: [],
  apps: [],
});

const read = (line: Buffer | null): RecordedEvent => {
  const made = reader.read(line ?? Buffer.alloc(0), 1);
  if (typeof made === 'string') throw new Error(made);
  return made;
};

describe('a recorded line', () => {
  it.each<[string, Partial<StoredEvent>]>([
    ['a Feishu event', {}],
    ['an encrypted one', { raw: Buffer.from('{"encrypt":"x"}'), content: stored({}).raw }],
    [
      'a body with its id in headers',
      {
        origin: 'hub',
        source: 'webhook',
        eventType: 'hub.done',
        raw: Buffer.from('{ "data": {"n": 12345678901234567890, "s": "é"} }'),
        transport: { format: 'json', fields: ['data'] },
      },
    ],
    [
      'a CloudEvent whose attributes were headers',
      {
        origin: 'clouds',
        source: 'webhook',
        raw: Buffer.from('{"a": 1}'),
        transport: {
          format: 'cloudevents',
          attributes: { specversion: '1.0', id: 'e1', source: '/s', type: 't' },
          contentType: 'application/json',
        },
      },
    ],
  ])('of %s says all of it again, without what is declared', (_, changes) => {
    const before = recorded(changes);
    const line = recordedLine(before, before.event.origin === 'hub' ? hub : undefined);
    expect(line?.includes('\n')).toBe(false);
    const after = read(line);
    const { raw, content, transport, ...said } = before.event;
    expect([raw.length, content, transport]).not.toEqual([0, 0, 0]);
    expect(after).toMatchObject({ ...before, event: said });
    expect(factsOf(after.event)).toEqual(factsOf(before.event));
  });

  it('of an erased event is none', () => {
    expect(recordedLine(recorded({ erasedAt: new Date(AT), raw: Buffer.alloc(0) }), undefined)).toBeNull();
  });

  it.each([
    ['{"aftersign":"recorded/2","event":{}}', 'recorded/2'],
    ['{"aftersign":"recorded/1"}', '"event"'],
    ['{"aftersign":"recorded/1","event":{"a":1}}', 'event is missing'],
    [`{"aftersign":"recorded/1","lookups":[1],"event":${envelopeOf({})}}`, '"lookups"'],
    [`{"aftersign":"recorded/1","steps":[{"rule":"r"}],"event":${envelopeOf({})}}`, '"steps"'],
    [`{"aftersign":"recorded/1","declared":"hub","event":${envelopeOf({})}}`, '"hub"'],
  ])('says what is wrong with %s', (line, said) => {
    expect(reader.read(Buffer.from(line), 1)).toEqual(expect.stringContaining(said));
  });
});
