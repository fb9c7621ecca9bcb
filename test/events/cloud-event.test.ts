// Pure. The events are written by the real library of CloudEvents.
import { describe, expect, it } from '@jest/globals';
import { CloudEvent, HTTP } from 'cloudevents';
import {
  CLOUD_EVENT_FIELD,
  type CloudEvent as Read,
  cloudEventFact,
  type CloudEventsTransport,
  readCloudEvent,
} from '../../src/events/cloud-event.js';

const TIME = '2026-11-02T09:00:00.000Z';
const event = (changes: object = {}): CloudEvent<unknown> =>
  new CloudEvent({ id: '1', source: '/s', type: 'com.example.a', time: TIME, ...changes });
const STRUCTURED: CloudEventsTransport = { format: 'cloudevents', attributes: null };
const BINARY: CloudEventsTransport = {
  format: 'cloudevents',
  attributes: { id: '1', source: '/s', type: 'com.example.a', specversion: '1.0' },
};

function read(body: unknown, transport: CloudEventsTransport = STRUCTURED): Read {
  const found = readCloudEvent(transport, Buffer.isBuffer(body) ? body : Buffer.from(String(body)));
  if (typeof found === 'string') throw new Error(found);
  return found;
}

describe('a structured CloudEvent', () => {
  it('is read as the library writes it', () => {
    const found = read(
      HTTP.structured(
        event({
          subject: '主题',
          dataschema: 'https://a.example/s',
          tenant: 't',
          n: 5,
          b: true,
          data: { x: 1 },
        }),
      ).body,
    );
    expect(found.data).toEqual({ x: 1 });
    expect(cloudEventFact(found)).toEqual({
      id: '1',
      source: '/s',
      type: 'com.example.a',
      time: TIME,
      subject: '主题',
      dataschema: 'https://a.example/s',
      extensions: { tenant: 't', n: '5', b: 'true' },
    });
  });

  it.each<[string, object, unknown]>([
    ['null', { data: null }, null],
    ['false', { data: false }, false],
    ['a text that looks like JSON', { data: '{"a":1}', datacontenttype: 'application/json' }, '{"a":1}'],
    ['XML', { data: '<a/>', datacontenttype: 'application/xml' }, '<a/>'],
    ['nothing', {}, undefined],
    ['bytes that are JSON', { data_base64: 'eyJhIjoxfQ==', datacontenttype: 'application/json' }, { a: 1 }],
    ['bytes without a type that are JSON', { data_base64: 'eyJhIjoxfQ==' }, { a: 1 }],
    ['bytes that are text', { data_base64: 'eyJhIjoxfQ==', datacontenttype: 'text/plain' }, '{"a":1}'],
    ['bytes that are no text', { data_base64: 'gP8=', datacontenttype: 'image/png' }, 'gP8='],
    ['bytes that should be JSON', { data_base64: 'gP8=', datacontenttype: 'application/json' }, 'gP8='],
  ])('has %s as its data', (_, members, expected) => {
    const body = { specversion: '1.0', id: '1', source: '/s', type: 'a', ...members };
    expect(read(JSON.stringify(body)).data).toEqual(expected);
  });

  it('leaves out what is null or no attribute, and keeps long numbers', () => {
    const body =
      '{"id":"1","subject":null,"BAD":"x","data_other":1,"__proto__":{"a":1},"n":12345678901234567890,"o":{"a":1},"data":{"id":98765432109876543210}}';
    const found = read(body);
    expect(cloudEventFact(found)).toEqual({
      id: '1',
      extensions: { n: '12345678901234567890', o: { a: 1 } },
    });
    expect(found.data).toEqual({ id: '98765432109876543210' });
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it.each([
    ['', 'the body is not JSON in UTF-8'],
    ['[]', 'the body is not a JSON object'],
    ['"a"', 'the body is not a JSON object'],
    ['{', 'the body is not JSON in UTF-8'],
  ])('is none: %j', (body, sentence) => {
    expect(readCloudEvent(STRUCTURED, Buffer.from(body))).toBe(sentence);
  });
});

describe('a binary CloudEvent', () => {
  it.each<[string, Buffer | string, string | undefined, unknown]>([
    ['JSON', '{"a":1}', 'application/json; charset=utf-8', { a: 1 }],
    ['JSON of a type of its own', '{"a":1}', 'application/vnd.example+json', { a: 1 }],
    ['JSON in upper case', '[1]', 'Application/JSON', [1]],
    ['JSON without a type', '{"a":1}', undefined, { a: 1 }],
    ['text without a type', 'hello', undefined, 'hello'],
    ['text', '{"a":1}', 'text/plain', '{"a":1}'],
    ['nothing', '', 'application/json', undefined],
    ['bytes', Buffer.from([128, 255]), 'application/octet-stream', 'gP8='],
    ['bytes without a type', Buffer.from([128, 255]), undefined, 'gP8='],
  ])('has %s as its data', (_, body, contentType, expected) => {
    const transport = { ...BINARY, ...(contentType === undefined ? {} : { contentType }) };
    const found = read(body, transport);
    expect(found.data).toEqual(expected);
    expect(cloudEventFact(found)).toEqual({
      id: '1',
      source: '/s',
      type: 'com.example.a',
      ...(contentType === undefined ? {} : { datacontenttype: contentType }),
      extensions: {},
    });
  });

  it.each(['{', 'text', Buffer.from([128, 255])])('is none when its JSON is not JSON: %j', (body) => {
    expect(readCloudEvent({ ...BINARY, contentType: 'application/json' }, Buffer.from(body))).toBe(
      'the content-type is application/json, and the body is not JSON in UTF-8',
    );
  });

  it('is read as the structured one is', () => {
    const written = event({
      subject: 'x',
      tenant: 't',
      n: 5,
      datacontenttype: 'application/json',
      data: { x: [1] },
    });
    const { headers, body } = HTTP.binary(written);
    const attributes = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith('ce-') ? [[name.slice(3), String(value)]] : [],
      ),
    );
    const contentType = String(headers['content-type']);
    const binary = read(body, { format: 'cloudevents', attributes, contentType });
    const structured = read(HTTP.structured(written).body);
    expect(binary.data).toEqual(structured.data);
    expect(cloudEventFact(binary)).toEqual(cloudEventFact(structured));
  });
});

describe('the fact cloudevent', () => {
  it('is described with all members that are not extensions', () => {
    expect(Object.keys(CLOUD_EVENT_FIELD.fields ?? {})).toEqual([
      'id',
      'source',
      'type',
      'subject',
      'time',
      'dataschema',
      'datacontenttype',
      'extensions',
    ]);
  });
});
