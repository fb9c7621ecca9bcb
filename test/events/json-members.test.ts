import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonMembers } from '../../src/events/json-members.js';

const texts = (json: string): Record<string, string> | null => {
  const members = jsonMembers(Buffer.from(json));
  return members && Object.fromEntries([...members].map(([name, bytes]) => [name, bytes.toString()]));
};

describe('the members of a JSON object', () => {
  it('are the bytes as they stand there', () => {
    expect(
      texts(
        ' { "a" : 12345678901234567890 ,"b":{"c":[1,"}]\\""]}, "d\\u00e9":"x\\\\","e":null,"f":-1.5e3}\n',
      ),
    ).toEqual({
      a: '12345678901234567890',
      b: '{"c":[1,"}]\\""]}',
      dé: '"x\\\\"',
      e: 'null',
      f: '-1.5e3',
    });
    expect(texts('{}')).toEqual({});
    expect(texts('{"a":1,"a":2}')).toEqual({ a: '2' });
  });

  it.each([
    '',
    '[]',
    '1',
    '{',
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1',
    '{"a":"x}',
    '{"a":1,}',
    '{"a":{}',
    '{"a":1} x',
    '{a:1}',
    '{,}',
  ])('are none of %j', (json) => {
    expect(jsonMembers(Buffer.from(json))).toBeNull();
  });

  it('are those that a parser finds, in any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.boolean(),
        (object, spread) => {
          const json = Buffer.from(JSON.stringify(object, null, spread ? 2 : 0));
          const members = jsonMembers(json);
          expect(members).not.toBeNull();
          const parsed = JSON.parse(json.toString()) as Record<string, unknown>;
          expect(new Set(members?.keys())).toEqual(new Set(Object.keys(parsed)));
          for (const [name, bytes] of members ?? [])
            expect(JSON.parse(bytes.toString())).toEqual(parsed[name]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
