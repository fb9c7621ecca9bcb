// Real: HTTP server, PostgreSQL, the published vectors byte by byte. Nothing is faked but the age limit, which is off.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStore } from '../../src/events/event-store.js';
import { startService, type TestService } from '../support/app.js';
import { createTestDatabase, type TestDatabase, emptied } from '../support/database.js';

interface Vector {
  readonly id: string;
  readonly encrypt_key: string;
  readonly verification_token: string;
  readonly request: { readonly headers: Record<string, string>; readonly body: string };
  readonly expect:
    | { readonly outcome: 'accept'; readonly event_type: string; readonly dedupe_id: string }
    | {
        readonly outcome: 'challenge';
        readonly response: { readonly status: number; readonly json: unknown };
      }
    | { readonly outcome: 'reject' };
}
const vectors = (
  JSON.parse(readFileSync('test/fixtures/feishu-vectors.json', 'utf8')) as { webhook: Vector[] }
).webhook;

describe('published webhook vectors', () => {
  let database: TestDatabase;
  const services = new Map<string, TestService>();

  const serviceOf = async ({ encrypt_key, verification_token }: Vector): Promise<TestService> => {
    const known = services.get(encrypt_key);
    if (known) return known;
    const service = await startService({
      DATABASE_URL: database.url,
      ROLE: 'ingest',
      FEISHU_ENCRYPT_KEY: encrypt_key,
      FEISHU_VERIFICATION_TOKEN: verification_token,
      FEISHU_SIGNATURE_MAX_AGE: 'off',
    });
    services.set(encrypt_key, service);
    return service;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    for (const service of services.values()) await service.close();
    await database.drop();
  });

  beforeEach(async () => {
    const dataSource = await database.open(1);
    await emptied(dataSource, 'event_keys, events');
    await dataSource.destroy();
  });

  it.each(vectors)('$id gets what it expects', async (vector) => {
    const service = await serviceOf(vector);
    const dataSource = await database.open(1);
    const count = async (): Promise<number> =>
      Number((await dataSource.query<{ n: string }[]>('select count(*) as n from event_keys'))[0]?.n);
    const before = await count();
    const answer = await fetch(`${service.url}/webhook/event`, {
      method: 'POST',
      headers: vector.request.headers,
      body: vector.request.body,
    });
    const body: unknown = await answer.json();
    const { expect: expected } = vector;
    switch (expected.outcome) {
      case 'accept': {
        expect(answer.status).toBe(200);
        const [row] = await dataSource.query<{ event_type: string; id: string }[]>(
          'select event_type, id from events where event_id = $1',
          [expected.dedupe_id],
        );
        expect(row?.event_type).toBe(expected.event_type);
        const stored = await service.app.get(EventStore, { strict: false }).find(row?.id ?? '');
        expect(stored?.raw.toString('utf8').replaceAll(/\*{8,}/g, vector.verification_token)).toBe(
          vector.request.body,
        );
        break;
      }
      case 'challenge':
        expect([answer.status, body]).toEqual([expected.response.status, expected.response.json]);
        expect(await count()).toBe(before);
        break;
      case 'reject':
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        expect(body).toEqual({ status: answer.status, code: expect.any(String), detail: expect.any(String) });
        expect(await count()).toBe(before);
        break;
    }
    await dataSource.destroy();
  });
});
