// The whole line with nothing replaced: the built service, PostgreSQL, an SMTP server and an HTTP server, each real.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP, APP_SETTINGS, type Push, pushOfApprover } from '../support/feishu.js';
import { freePort, ServiceProcess } from '../support/process.js';
import { temporaryFolder } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { type Mail, SmtpProcess } from '../support/smtp-process.js';

const CANARIES = {
  encryptKey: APP.encryptKey,
  token: APP.token,
  bearer: 'canary-bearer-5fd1',
  smtpPassword: 'canary-smtp-81ac',
  appSecret: 'canary-app-secret-77',
};
const HOSTILE = [
  'evil@other.example',
  'a@example.com\r\nBcc: evil@other.example',
  'a@example.com, evil@other.example',
  '"a@example.com" <evil@other.example>',
  'evil@other.example,a@example.com',
  'a@example.com>\r\nRCPT TO:<evil@other.example',
];
const RULES = [
  {
    name: 'done',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: '{{ secrets.RECEIVER }}',
        headers: { authorization: 'Bearer {{ secrets.BEARER }}' },
        body: { status: '{{ event.status }}', who: '{{ event.applicant | default: "nobody" }}' },
      },
      {
        type: 'email',
        name: 'mail',
        to: ['hr@example.com'],
        cc: ['payroll@example.com'],
        subject: '续签已通过：{{ event.process_id }}',
        text: '状态 {{ event.status | label: "zh" }}，申请人 {{ event.applicant | default: "无" }}',
        html: '<p>状态 <b>{{ event.status | label: "zh" }}</b>，申请人 {{ event.applicant | default: "无" }}</p>',
      },
    ],
  },
  {
    name: 'hostile',
    trigger: '*',
    conditions: { all: [{ fact: 'biz_type', operator: 'equal', value: 'hostile' }] },
    actions: [
      {
        type: 'email',
        name: 'mail',
        to: ['{{ event.recipient }}'],
        allowRecipientFromEvent: ['example.com'],
        subject: 's',
        text: 't',
      },
    ],
  },
];

describe('one event, all the way', () => {
  const folder = temporaryFolder('flow');
  const smtp = new SmtpProcess();
  let database: TestDatabase;
  let dataSource: DataSource;
  let receiver: Receiver;
  let service: ServiceProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open(2);
    receiver = await startReceiver((_, response) => {
      response.end(JSON.stringify({ echo: CANARIES.bearer }));
    });
    await smtp.start(CANARIES.smtpPassword);
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules', 'all.rule.json'), JSON.stringify(RULES));
    const port = await freePort();
    service = new ServiceProcess(
      {
        ...APP_SETTINGS,
        FEISHU_APP_SECRET: CANARIES.appSecret,
        PORT: String(port),
        DATABASE_URL: database.url,
        DATA_DIR: join(folder, 'data'),
        RULES_DIR: join(folder, 'rules'),
        SMTP_URL: `smtp://aftersign:${CANARIES.smtpPassword}@127.0.0.1:${smtp.port}?requireTLS=false`,
        MAIL_FROM: 'Aftersign 审批 <ops@example.com>',
        OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
        SECRET_RECEIVER: `${receiver.url}/approvals?key=1`,
        SECRET_BEARER: CANARIES.bearer,
        LOG_LEVEL: 'trace',
      },
      port,
    );
    await service.start();
  }, 60_000);

  afterAll(async () => {
    await service.kill();
    await smtp.stop();
    await receiver.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function send(push: Push): Promise<number> {
    const answer = await fetch(`${service.url}/webhook/event`, {
      method: 'POST',
      headers: push.headers,
      body: push.body,
    });
    await answer.text();
    return answer.status;
  }

  /** The deliveries of an event, once all have ended. */
  async function deliveriesOf(
    push: Push,
  ): Promise<{ action: string; state: string; code: string | null; key: string }[]> {
    for (const end = Date.now() + 20_000; ;) {
      const rows = await dataSource.query<
        { action: string; state: string; code: string | null; key: string }[]
      >(
        `select d.action, a.state, a.code, a.key from event_keys k join deliveries d on d.event_id = k.id
           join action_keys a on a.id = d.id where k.event_id = $1 order by d.action`,
        [push.eventId],
      );
      if (rows.length > 0 && rows.every(({ state }) => ['delivered', 'dead'].includes(state))) return rows;
      if (Date.now() > end) throw new Error(`still ${JSON.stringify(rows)}\n${service.log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const mailWith = (key: string | undefined): Mail | undefined =>
    smtp.mails.find(({ headers }) =>
      headers.some((header) => header.key === 'idempotency-key' && header.value === key),
    );

  it('becomes an HTTP request and an e-mail, both with their keys', async () => {
    const applicant = '张三 <script>alert(1)</script> {{ secrets.BEARER }}';
    const push = pushOfApprover({ status: 3, applicant });
    expect(await send(push)).toBe(200);
    const deliveries = await deliveriesOf(push);
    expect(deliveries.map(({ action, state }) => `${action} ${state}`)).toEqual([
      'mail delivered',
      'tell delivered',
    ]);
    const [mailKey, httpKey] = deliveries.map(({ key }) => key);

    const request = receiver.received.find(({ headers }) => headers['idempotency-key'] === httpKey);
    expect(request).toMatchObject({
      method: 'POST',
      path: '/approvals?key=1',
      headers: { authorization: `Bearer ${CANARIES.bearer}` },
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({ status: 3, who: applicant });

    const mail = mailWith(mailKey);
    expect(mail?.envelope).toEqual({
      from: 'ops@example.com',
      to: ['hr@example.com', 'payroll@example.com'],
    });
    expect(mail?.user).toBe('aftersign');
    expect(mail?.from).toEqual({ name: 'Aftersign 审批', address: 'ops@example.com' });
    expect(mail?.subject).toBe('续签已通过：7072306364927985196');
    expect(mail?.headers).toContainEqual(
      expect.objectContaining({ key: 'message-id', value: `<${mailKey ?? ''}@example.com>` }),
    );
    expect(mail?.text.trim()).toBe(`状态 已完成，申请人 ${applicant}`);
    expect(mail?.html.trim()).toBe(
      '<p>状态 <b>已完成</b>，申请人 张三 &lt;script&gt;alert(1)&lt;/script&gt; {{ secrets.BEARER }}</p>',
    );
  });

  it('has one effect when it comes fifty times', async () => {
    const push = pushOfApprover({ status: 3 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(push)));
    expect(new Set(answers)).toEqual(new Set([200]));
    const [mail, tell] = await deliveriesOf(push);
    expect(receiver.received.filter(({ headers }) => headers['idempotency-key'] === tell?.key)).toHaveLength(
      1,
    );
    expect(smtp.mails.filter(({ headers }) => headers.some(({ value }) => value === mail?.key))).toHaveLength(
      1,
    );
  });

  it.each(HOSTILE)('with the recipient %j sends no mail, and says why', async (recipient) => {
    const before = smtp.mails.length;
    const push = pushOfApprover({ biz_type: 'hostile', recipient });
    expect(await send(push)).toBe(200);
    expect(await deliveriesOf(push)).toEqual([
      expect.objectContaining({ state: 'dead', code: 'ADDRESS_INVALID' }),
    ]);
    expect(smtp.mails.length).toBe(before);
  });

  it('mails a recipient from the event whose domain the rule allows', async () => {
    const push = pushOfApprover({ biz_type: 'hostile', recipient: 'zhang.san@example.com' });
    expect(await send(push)).toBe(200);
    const [mail] = await deliveriesOf(push);
    expect(mailWith(mail?.key)?.envelope.to).toEqual(['zhang.san@example.com']);
  });

  it('leaves no secret in the log at its most talkative, in a table, in the metrics or in health', async () => {
    const answers = await Promise.all(
      ['/metrics', '/health/ready', '/health/live'].map(async (path) =>
        (await fetch(service.url + path)).text(),
      ),
    );
    const tables = await dataSource.query<{ name: string }[]>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    const rows = await Promise.all(
      tables.map(async ({ name }) =>
        (await dataSource.query<{ t: string }[]>(`select r::text as t from "${name}" r`))
          .map(({ t }) => t)
          .join('\n'),
      ),
    );
    const dump = rows.join('\n');
    // bytea shows as hex: the canaries are looked for in both forms.
    expect(dump.length).toBeGreaterThan(1000);
    for (const [name, canary] of Object.entries(CANARIES)) {
      for (const form of [
        canary,
        Buffer.from(canary).toString('hex'),
        Buffer.from(canary).toString('base64'),
      ]) {
        expect({ name, in: 'a table', found: dump.includes(form) }).toEqual({
          name,
          in: 'a table',
          found: false,
        });
        expect({ name, in: 'the log', found: service.log.includes(form) }).toEqual({
          name,
          in: 'the log',
          found: false,
        });
        expect({ name, in: 'an answer', found: answers.join().includes(form) }).toEqual({
          name,
          in: 'an answer',
          found: false,
        });
      }
    }
    expect(service.log).toContain('event.received');
    expect(service.log).toContain('event.evaluated');
    expect(service.log).toContain('action.attempted');
    expect(service.log).not.toContain('张三');
  });

  it('is not lost when the service is asked to stop, which takes less than 10 s and exits 0', async () => {
    const pushes = Array.from({ length: 100 }, () => pushOfApprover({ status: 1 }));
    const answers = Promise.allSettled(pushes.map(send));
    const started = Date.now();
    expect(await service.stop()).toBe(0);
    expect(Date.now() - started).toBeLessThan(10_000);
    const acknowledged = (await answers).flatMap((answer, index) =>
      answer.status === 'fulfilled' && answer.value === 200 ? [pushes[index]!.eventId] : [],
    );
    const rows = await dataSource.query<{ event_id: string }[]>(
      'select event_id from event_keys where event_id = any($1::text[])',
      [acknowledged],
    );
    expect(new Set(rows.map(({ event_id }) => event_id))).toEqual(new Set(acknowledged));
  });
});
