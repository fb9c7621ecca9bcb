// Pure: events of cases as they would be received.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import type { EventStep } from '../../../src/rules/cases/case-document.js';
import { caseEvent } from '../../../src/rules/cases/case-event.js';
import type { VirtualEvent } from '../../../src/rules/cases/virtual-room.js';

const APPROVER = 'corehr.process.approver.updated_v2';
const NOW = Date.parse('2026-01-05T09:00:00+08:00');
const catalogue = loadBuiltInCatalogue();
const read = (event: object, type?: string, eventTypes: readonly string[] = [APPROVER]): VirtualEvent =>
  caseEvent({ event, ...(type === undefined ? {} : { type }) } as EventStep, {
    catalogue,
    number: 2,
    now: NOW,
    eventTypes,
  });
const factsOf = (event: object, ...names: readonly string[]): unknown[] => {
  const { facts } = read(event).subject;
  return names.map((name) => facts.get(name));
};

describe('an event of a case', () => {
  it('in part is the sample of its type with other fields, ids and times of its place', () => {
    const { id, entity, subject, order } = read({ status: 3 });
    expect({ id, entity, order }).toEqual({
      id: '000000002',
      entity: 'process:7072306364927985196',
      order: { orderTime: NOW, statusRank: 3, eventId: 'case-2' },
    });
    expect(subject).toMatchObject({ key: 'feishu:cli_case/case-2', eventType: APPROVER, appId: 'cli_case' });
    expect(Object.fromEntries(subject.facts)).toEqual({
      ...catalogue.find(APPROVER)?.sample,
      status: 3,
      event_type: APPROVER,
      event_id: 'case-2',
      create_time: NOW,
      app_id: 'cli_case',
      tenant_key: 'case',
      source: 'feishu-webhook',
      cloudevent: null,
    });
  });

  it('in part may have a header in part', () => {
    const event = { header: { event_id: 'a', tenant_key: 't' }, event: { status: 2 } };
    expect(factsOf(event, 'event_id', 'tenant_key', 'app_id', 'status')).toEqual(['a', 't', 'cli_case', 2]);
    expect(factsOf({ header: { create_time: '-90m' } }, 'create_time', 'status')).toEqual([
      NOW - 5_400_000,
      1,
    ]);
    expect(factsOf({ header: { create_time: '2026-01-05T00:00:00Z' } }, 'create_time')).toEqual([
      NOW - 3_600_000,
    ]);
    expect(factsOf({ header: { create_time: '1767571200000' } }, 'create_time')).toEqual([1767571200000]);
    expect(factsOf({ event: { status: 2 } }, 'status')).toEqual([2]);
    const typed = read({ header: { event_type: 'corehr.process.updated_v2' }, event: { status: 9 } });
    expect(typed.subject.eventType).toBe('corehr.process.updated_v2');
  });

  it('of the older envelope has that in part too', () => {
    const { subject, entity } = read({ status: 'APPROVED' }, 'approval_task');
    expect(entity).toBe('process:81D31358-93AF-92D6-7425-01A5D67C4E71');
    expect(subject.key).toBe('feishu:cli_case/case-2');
    for (const [name, value] of [
      ['status', 'APPROVED'],
      ['app_id', 'cli_case'],
      ['event.app_id', 'cli_case'],
      ['type', 'approval_task'],
      ['create_time', NOW],
    ] as const)
      expect(subject.facts.get(name)).toBe(value);
  });

  it('is taken as it is when it is whole', () => {
    const header = { event_id: 'e', event_type: APPROVER, create_time: '1767571200000', app_id: 'cli_x' };
    const whole = read({ schema: '2.0', header, event: { process_id: '5', status: 4 } });
    expect(whole.subject.key).toBe('feishu:cli_x/e');
    expect([...whole.subject.facts.keys()].slice(0, 2)).toEqual(['process_id', 'status']);
    expect(whole.subject.facts.has('biz_type')).toBe(false);
    const older = read({ uuid: 'u', ts: '1767571200', event: { type: 'approval_task', status: 'PENDING' } });
    expect([older.subject.key, older.entity]).toEqual(['feishu:unknown/u', null]);
    const cloud = read({ specversion: '1.0', id: '1', source: '/a', type: 'acme.order', data: { total: 3 } });
    expect([cloud.subject.key, cloud.subject.facts.get('total'), cloud.subject.appId]).toEqual([
      'cloudevents//a 1',
      3,
      null,
    ]);
  });

  it('of a type that nobody knows has the fields it is given', () => {
    const { subject, entity } = read({ total: 3 }, 'acme.order');
    expect([subject.facts.get('total'), entity, subject.entity]).toEqual([
      3,
      null,
      'event:feishu:cli_case/case-2',
    ]);
  });

  it.each([
    [{ stauts: 3 }, `"stauts" is no field of ${APPROVER}. Did you mean "status"?`],
    [
      { create_time: '-1h' },
      `"create_time" is no field of ${APPROVER}. Write {"header": {"create_time": …}, "event": {…}}.`,
    ],
    [{ header: { evnt_id: 'a' } }, 'a header has no "evnt_id". Did you mean "event_id"?'],
    [
      { header: { event_id: 'ä' } },
      'this is no event: header.event_id is missing or not 1 to 128 characters of A-Z a-z 0-9 _ . : -',
    ],
    [{ schema: '2.0', event: {} }, 'this is no event: header is missing or not an object'],
    [
      { specversion: '1.0', id: '1', type: 'a' },
      'this is no CloudEvent: the attribute "source" is missing or no URI reference',
    ],
  ])('is refused when it cannot be read: %j', (event, message) => {
    expect(() => read(event)).toThrow(message);
  });

  it('needs a type where the rules listen to several, or to none', () => {
    expect(() => read({}, undefined, [APPROVER, 'b'])).toThrow(
      `the watched rules listen to 2 event types: say which one this event is of with "type", like "${APPROVER}"`,
    );
    expect(() => read({}, undefined, [])).toThrow('the watched rules listen to no event type');
    expect(() => read({}, 'aftersign.schedule')).toThrow('let time pass with "advance"');
  });
});
