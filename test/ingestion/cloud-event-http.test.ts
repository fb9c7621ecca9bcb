// Pure: what beside the body makes a CloudEvent.
import { describe, expect, it } from '@jest/globals';
import { cloudEventTransport, STRUCTURED } from '../../src/ingestion/cloud-event-http.js';
import type { RequestHeaders } from '../../src/ingestion/verified.js';

const CE = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' };
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function attributeOf(value: string): unknown {
  const transport = cloudEventTransport({ ...CE, 'ce-subject': value }, true);
  return 'kind' in transport ? transport.code : transport.attributes?.['subject'];
}

describe('the mode of a CloudEvent', () => {
  it.each<[string, RequestHeaders]>([
    ['its media type', { 'content-type': 'application/cloudevents+json' }],
    [
      'its media type with parameters, in any case',
      { 'content-type': 'Application/CloudEvents+JSON; charset=UTF-8' },
    ],
    ['its media type beside attributes', { ...CE, 'content-type': 'application/cloudevents+json' }],
    ['its media type without a format', { 'content-type': 'application/cloudevents' }],
    ['plain JSON without attributes', { 'content-type': 'application/json' }],
    ['no content-type and no attributes', {}],
    ['attributes without an id', { 'ce-source': '/s', 'content-type': 'application/json' }],
  ])('is structured by %s, whatever covers the headers', (_, headers) => {
    expect(cloudEventTransport(headers, true)).toBe(STRUCTURED);
    expect(cloudEventTransport(headers, false)).toBe(STRUCTURED);
  });

  it('is binary by the headers, whose names are attributes', () => {
    const headers = {
      ...CE,
      'content-type': ' text/plain ',
      'ce-datacontenttype': 'text/html',
      'ce-a-b': 'no attribute',
      'ce-': 'none',
      'ce-Upper': 'none',
      'x-ce-c': 'none',
    };
    expect(cloudEventTransport(headers, true)).toEqual({
      format: 'cloudevents',
      attributes: { specversion: '1.0', id: '1', source: '/s', type: 'a' },
      contentType: 'text/plain',
    });
    expect(cloudEventTransport(CE, true)).not.toHaveProperty('contentType');
  });

  it('is refused as binary where the signature does not cover headers', () => {
    for (const headers of [CE, { 'ce-id': '1' }, { 'ce-specversion': '1.0' }])
      expect(cloudEventTransport(headers, false)).toMatchObject({
        status: 400,
        code: 'ATTRIBUTES_NOT_SIGNED',
        detail: expect.stringContaining('application/cloudevents+json'),
      });
  });

  it.each([
    ['application/cloudevents-batch+json; charset=utf-8', 'CLOUDEVENTS_BATCH'],
    ['application/cloudevents-batch', 'CLOUDEVENTS_BATCH'],
    ['application/cloudevents+avro', 'MEDIA_TYPE_UNKNOWN'],
    ['application/cloudevents+xml', 'MEDIA_TYPE_UNKNOWN'],
  ])('is refused: %s', (contentType, code) => {
    expect(cloudEventTransport({ ...CE, 'content-type': contentType }, true)).toMatchObject({
      status: 415,
      code,
    });
  });
});

describe('an attribute in a header', () => {
  it.each([
    ['plain', 'plain'],
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['%e2%82%ac', '€'],
    ['%41', 'A'],
    ['%2541', '%41'],
    ['100%', '100%'],
    ['%zz%4', '%zz%4'],
    ['"quoted \\"text\\" %20 \\\\"', 'quoted "text"   \\'],
    ['"half', '"half'],
    [latin1('直接'), '直接'],
    ['', ''],
  ])('%j is %j', (header, expected) => {
    expect(attributeOf(header)).toBe(expected);
  });

  it.each(['%C0%A0', '%E2%82', '%ff', '\u00ff', '%ED%A0%80'])('%j is not UTF-8 and refused', (header) => {
    expect(attributeOf(header)).toBe('BODY_INVALID');
  });
});
