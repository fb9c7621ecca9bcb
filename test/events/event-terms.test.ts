import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CatalogueEntry, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { StoredEvent } from '../../src/events/event-store.js';
import { MOST_TERMS, standingTerms, termsOf } from '../../src/events/event-terms.js';
import { wordsOf } from '../../src/events/words.js';

const catalogue = loadBuiltInCatalogue();
const TYPE = 'corehr.process.approver.updated_v2';
const entryOf = (fields: CatalogueEntry['fields'], more: Partial<CatalogueEntry> = {}): CatalogueEntry => ({
  eventType: 'shop.order',
  label: { zh: '订单', en: 'order' },
  entities: {},
  fields,
  ...more,
});
const label = { zh: '字段', en: 'field' };

function stored(body: unknown, changes: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: '0190d1c2-0000-7000-8000-000000000000',
    receivedAt: new Date(0),
    origin: 'webhook:shop',
    eventId: 'E-17',
    eventType: 'shop.order',
    source: 'webhook',
    createTime: null,
    rootEntity: null,
    raw: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    content: null,
    transport: { format: 'json', fields: [] },
    erasedAt: null,
    ...changes,
  };
}
const feishu = (event: object): StoredEvent =>
  stored(
    {
      schema: '2.0',
      header: { event_id: 'e1', event_type: TYPE, app_id: 'cli_a', tenant_key: 't' },
      event,
    },
    { eventType: TYPE, eventId: 'e1', origin: 'feishu:cli_a', source: 'feishu-webhook', transport: null },
  );

describe('the words of a text', () => {
  it.each([
    ['Renewal-record 2026', ['renewal', 'record', '2026']],
    ['people_7182520625066475540_72', ['people', '7182520625066475540', '72']],
    ['审批已完成', ['审批', '批已', '已完', '完成']],
    ['请 PO-17 张', ['请', 'po', '17', '张']],
    ['ひらがなとカタ', ['ひら', 'らが', 'がな', 'なと', 'とカ', 'カタ']],
    ['안녕 Grüße ＦＵＬＬ', ['안녕', 'grüße', 'full']],
    ['li@corp.example', ['li', 'corp', 'example']],
    ['!? …', []],
  ])('of %p are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('the terms of an event', () => {
  it('are its type with the patterns that mean it, its entities, its status and its fields', () => {
    const event = feishu({
      process_id: '7072306364927985196',
      approver_id: '71',
      type: 1,
      status: 3,
      biz_type: 'Renewal_record',
      node_id: '72',
    });
    const terms = termsOf({ ...event, rootEntity: 'process:7072306364927985196' }, catalogue.find(TYPE));
    expect(terms).toEqual(
      expect.arrayContaining([
        `type=${TYPE}`,
        'type=corehr.*',
        'type=corehr.process.*',
        'type=corehr.process.approver.*',
        'source=feishu-webhook',
        'origin=feishu:cli_a',
        'entity=process:7072306364927985196',
        'entity=7072306364927985196',
        'entity=71',
        'entity=72',
        'status=3',
        `status=${TYPE}=3`,
        'biz_type=renewal_record',
        'renewal',
        'record',
        'e1',
      ]),
    );
    // A field of the name of another kind of term is told apart; an entity's id is no word besides.
    expect(terms).toContain('event.type=1');
    expect(terms).not.toContain('type=1');
    expect(terms).not.toContain('71');
  });

  it('hold the values of personal fields under a prefix, however deep they are', () => {
    const entry = entryOf(
      {
        who: { type: 'string', label, personal: true },
        list: {
          type: 'array',
          label,
          items: { type: 'object', label, fields: { name: { type: 'string', label, personal: true } } },
        },
        all: { type: 'object', label, personal: true },
        buyer: { type: 'string', label, personal: true },
      },
      { entities: { buyer: 'buyer' }, rootEntity: 'buyer' },
    );
    const terms = termsOf(
      stored(
        { who: 'ada', list: [{ name: '张三', note: 'free' }], all: { deep: [['secret']] }, buyer: 'B9' },
        { rootEntity: 'buyer:B9' },
      ),
      entry,
    );
    expect(terms).toEqual(
      expect.arrayContaining(['~ada', '~张三', '~secret', 'free', '~entity=b9', '~entity=buyer:b9']),
    );
    for (const plain of ['ada', '张三', 'secret', 'who=ada', 'buyer=b9', 'entity=b9', 'b9'])
      expect(terms).not.toContain(plain);
  });

  it('of a type that nobody knows take the field "status" for its status', () => {
    expect(termsOf(stored({ status: 'PAID' }), null)).toEqual(
      expect.arrayContaining(['status=paid', 'paid', 'e', '17', 'origin=webhook:shop']),
    );
  });

  it('cannot be forged by the names of fields', () => {
    const terms = termsOf(
      stored({
        'status=corehr.process.updated_v2': 2,
        '~entity': 'x',
        type: 'corehr.x',
        Source: 's',
        verdict: 'matched',
      }),
      null,
    );
    expect(terms.filter((term) => /^(?:status|type|source|verdict|~)/.test(term))).toEqual([
      'type=shop.order',
      'type=shop.*',
      'source=webhook',
    ]);
  });

  it.each([
    ['no JSON', stored('{"a"')],
    ['erased', stored('', { erasedAt: new Date() })],
    ['no envelope', stored('[]', { transport: null })],
  ])('of an event that cannot be read (%s) are those of its envelope', (_, event) => {
    const terms = termsOf(event, null).filter((term) => !['e', '17'].includes(term));
    expect(terms).toEqual(['type=shop.order', 'type=shop.*', 'source=webhook', 'origin=webhook:shop']);
  });

  it('of a deep, a wide and a long event are as few as of any', () => {
    const deep = `{"a":${'['.repeat(100_000)}"x"${']'.repeat(100_000)},"b":"after"}`;
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`f${n}`, n])));
    const long = JSON.stringify({ a: 'word '.repeat(200_000), ['k'.repeat(100_000)]: 'v' });
    for (const text of [deep, wide, long]) {
      const terms = termsOf(stored(text), null);
      expect(terms.length).toBeLessThanOrEqual(MOST_TERMS - 4);
      expect(Math.max(...terms.map((term) => term.length))).toBeLessThanOrEqual(210);
      expect(terms).toContain('type=shop.order');
    }
  });

  it('are text that PostgreSQL takes, whatever a sender writes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })),
        (body) => {
          for (const term of termsOf(stored({ ...body, odd: '\u0000\ud800x' }), null)) {
            expect(term).not.toContain('\u0000');
            expect(term.isWellFormed()).toBe(true);
            expect(term).not.toBe('');
          }
        },
      ),
    );
  });
});

describe('the standing of an event', () => {
  it.each([
    ['undecided', null, ['state=open']],
    ['waiting', null, ['state=open']],
    ['quarantined', null, ['state=quarantined']],
    ['decided', null, ['state=decided']],
    ['decided', { matched: 2, unknown: 0, errors: 0 }, ['state=decided', 'verdict=matched']],
    [
      'decided',
      { matched: 0, unknown: 1, errors: 3 },
      ['state=decided', 'verdict=not matched', 'verdict=unknown', 'verdict=error'],
    ],
  ] as const)('%s with %j is %j', (state, evaluation, terms) => {
    expect(standingTerms(state, evaluation)).toEqual(terms);
  });
});
