// Real PostgreSQL; two instances, one of which evaluates no rules.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type TestService } from '../support/app.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_SETTINGS, envelopeOf, pushOf } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';

const TYPE = 'leave.request.changed_v1';
const ENTRY = {
  eventType: TYPE,
  label: { zh: '请假', en: 'leave' },
  entities: { process: 'request_id' },
  rootEntity: 'process',
  status: { field: 'state', order: ['open', 'closed'], terminal: ['closed'] },
  sample: { request_id: '1', state: 'open' },
  fields: {
    request_id: { type: 'string', label: { zh: '申请', en: 'request' } },
    state: {
      type: 'string',
      label: { zh: '状态', en: 'state' },
      enum: [
        { value: 'open', label: { zh: '进行中', en: 'open' } },
        { value: 'closed', label: { zh: '已结束', en: 'closed' } },
      ],
    },
  },
};

describe('the event types that a rules folder adds', () => {
  const rules = temporaryFolder('live-catalogue');
  let database: TestDatabase;
  const services: TestService[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    mkdirSync(join(rules, 'catalogue'), { recursive: true });
    writeFileSync(join(rules, 'catalogue', 'leave.event.json'), JSON.stringify(ENTRY));
    writeFileSync(
      join(rules, 'leave.rule.json'),
      JSON.stringify({
        name: 'leave-open',
        trigger: TYPE,
        conditions: { all: [{ fact: 'state', operator: 'equal', value: 'open' }] },
        actions: [{ type: 'http', name: 'tell', url: 'https://a.example/{{ event.request_id }}' }],
      }),
    );
    const settings = { ...APP_SETTINGS, DATABASE_URL: database.url, RULES_DIR: rules };
    services.push(await startService({ ...settings, ROLE: 'ingest' }));
    services.push(await startService({ ...settings, ROLE: 'rules,console' }));
  });
  afterAll(async () => {
    for (const service of services) await service.close();
    await database.drop();
  });

  it('say whose events they are and in which order, also to an instance that evaluates no rules', async () => {
    const [ingest] = services;
    // What it does every few seconds.
    await ingest!.app.get(LiveCatalogue, { strict: false }).refresh();
    const push = pushOf(
      envelopeOf({ request_id: '77', state: 'closed' }, { event_id: 'leave-1', event_type: TYPE }),
    );
    const answer = await fetch(`${ingest!.url}/webhook/event`, { method: 'POST', ...push });
    expect(answer.status).toBe(200);
    const dataSource = await database.open(1);
    expect(
      await dataSource.query(
        `select e.root_entity, k.status_rank from events e join event_keys k on k.id = e.id where e.event_id = 'leave-1'`,
      ),
    ).toEqual([{ root_entity: 'process:77', status_rank: 2 }]);
  });
});
