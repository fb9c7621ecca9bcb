// The whole service in this process on PostgreSQL; an HTTP server and an SMTP server, both real.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { SmtpProcess } from '../support/smtp-process.js';

const PASSWORD = 'a password';

const folder = temporaryFolder('notices');
const smtp = new SmtpProcess();
let database: TestDatabase;
let dataSource: DataSource;
let receiver: Receiver;
let service: TestService;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
  // Gone for good, for deliveries and for what tells of them.
  receiver = await startReceiver((_, response) => {
    response.statusCode = 410;
    response.end();
  });
  await smtp.start(PASSWORD);
  const rule = {
    name: 'done',
    owner: 'people-ops',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
    actions: [{ type: 'http', name: 'tell', url: `${receiver.url}/approvals` }],
  };
  const owners = {
    'people-ops': {
      tell: [
        { type: 'email', to: ['ops@example.com'] },
        { type: 'http', url: `${receiver.url}/notices`, headers: { authorization: '{{ secrets.PAGER }}' } },
      ],
    },
  };
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'rules', 'done.rule.json'), JSON.stringify(rule));
  writeFileSync(join(folder, 'rules', 'owners.json'), JSON.stringify(owners));
  service = await startService({
    ...APP_SETTINGS,
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    RULES_DIR: join(folder, 'rules'),
    SMTP_URL: `smtp://aftersign:${PASSWORD}@127.0.0.1:${smtp.port}?requireTLS=false`,
    MAIL_FROM: 'aftersign@example.com',
    OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
    PUBLIC_URL: 'https://aftersign.example.com',
    SECRET_PAGER: 'a secret',
  });
}, 60_000);

afterAll(async () => {
  await service.close();
  await smtp.stop();
  await receiver.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The deliveries, once so many are there and all have ended. */
async function ended(count: number): Promise<string[]> {
  for (const end = Date.now() + 30_000; ;) {
    const rows = await dataSource.query<{ rule: string; action: string; state: string }[]>(
      'select rule, action, state from action_keys order by id',
    );
    if (rows.length >= count && rows.every(({ state }) => ['delivered', 'dead'].includes(state)))
      return rows.map(({ rule, action, state }) => `${rule} ${action} ${state}`);
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(rows)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('the owner of a rule is told of a dead letter by mail and by HTTP, and nobody of what became of that', async () => {
  const push = pushOfApprover({ status: 3 });
  const { url } = service;
  const answer = await fetch(`${url}/webhook/event`, {
    method: 'POST',
    headers: push.headers,
    body: push.body,
  });
  expect(answer.status).toBe(200);

  expect(await ended(3)).toEqual([
    'done tell dead',
    'aftersign:notice people-ops-1 delivered',
    'aftersign:notice people-ops-2 dead',
  ]);
  // What is raised is raised in the transaction that makes a delivery dead: nothing comes behind.
  const about = `http:127.0.0.1:${receiver.port}`;
  expect(await dataSource.query('select kind, subject, rules, state from notices')).toEqual([
    { kind: 'deliveries-dead', subject: about, rules: ['done'], state: 'told' },
  ]);

  const [mail, ...others] = smtp.mails;
  expect(others).toEqual([]);
  expect(mail?.envelope.to).toEqual(['ops@example.com']);
  expect(mail?.subject).toContain(about);
  expect(mail?.text).toContain('https://aftersign.example.com');
  const posted = receiver.received.filter(({ path }) => path === '/notices');
  expect(posted).toMatchObject([{ method: 'POST', headers: { authorization: 'a secret' } }]);
  expect(JSON.parse(posted[0]?.body ?? '')).toMatchObject({
    kind: 'deliveries-dead',
    subject: mail?.subject,
    text: mail?.text.trimEnd(),
    detail: { subject: about },
  });
}, 60_000);
