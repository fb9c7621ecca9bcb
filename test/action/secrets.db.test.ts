// Real PostgreSQL, worker, senders, HTTP and SMTP servers that repeat what they get. Fake: Feishu (our own), the clock.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import type { DataSource } from 'typeorm';
import { compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { AddressGuard } from '../../src/action/address-guard.js';
import { actOnMany } from '../../src/action/delivery-acts.js';
import { DeliveryStore } from '../../src/action/delivery-store.js';
import { DeliveryWorker } from '../../src/action/delivery-worker.js';
import { EmailSender } from '../../src/action/email-sender.js';
import type { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { loadConfig } from '../../src/config/config.js';
import { Metrics } from '../../src/config/metrics.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { newDelivery } from '../support/deliveries.js';
import { TestLog } from '../support/log.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { scopeOf } from '../support/scope.js';
import { appAt, ClosableHttpSender, platformOf, sendersOver } from '../support/senders.js';

const APP_ID = 'cli_9f5343c580712544';
const PASSWORD = 'planted-of-smtp';
const KEY = Buffer.from('planted-signing-key-of-32-bytes!').toString('base64');
/** What an employee may type: it stands in an event, and is sent as it is. */
const TYPED = '{{ secrets.TOKEN }}';

describe('secrets', () => {
  const clock = new TestClock();
  const log = new TestLog();
  const metrics = new Metrics();
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  const mails: { readonly to: readonly string[]; readonly raw: string }[] = [];
  const refused = new Map<string, number>();
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: DeliveryStore;
  let receiver: Receiver;
  let smtp: SMTPServer;
  let fake: FakeFeishu;
  let platform: FeishuPlatform;
  let http: ClosableHttpSender;
  let email: EmailSender;
  let worker: DeliveryWorker;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    await withPartitions(dataSource, clock.now());
    receiver = await startReceiver(({ headers, body, path }, response) => {
      const said = JSON.stringify({ code: 19024, msg: `${JSON.stringify(headers)} ${body} ${path}` });
      response
        .writeHead(path.includes('fails') ? 503 : 400, { 'x-echo': headers['x-token'] ?? 'none' })
        .end(said);
    });
    smtp = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      authOptional: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: (_auth, _session, done) => {
        done(null, { user: 'u' });
      },
      onRcptTo: ({ address }, _session, done) => {
        const responseCode = refused.get(address);
        done(responseCode === undefined ? null : Object.assign(new Error('no'), { responseCode }));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString('latin1');
          mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw });
          if (!raw.includes('echo')) done();
          else done(Object.assign(new Error(`${PASSWORD} ${raw.slice(-300)}`), { responseCode: 554 }));
        });
      },
    });
    smtp.on('error', () => undefined);
    smtp.listen(0, '127.0.0.1');
    await once(smtp.server, 'listening');
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'planted-of-app' }], clock });
    writeFileSync(join(folder, 'TOKEN'), 'planted-first\n');
    const { secrets } = loadConfig({
      SECRETS_DIR: folder,
      SECRET_BODY: 'planted-"body"',
      SECRET_SIGN: `whsec_${KEY}`,
      SECRET_HOOK: `${receiver.url}/planted-hook`,
    });
    platform = platformOf({ apps: [appAt(fake.url, { appSecret: 'planted-of-app' })], clock, log });
    const guard = new AddressGuard([{ kind: 'host', host: '127.0.0.1', port: null }]);
    http = new ClosableHttpSender({ guard, ca: undefined }, clock);
    const { port } = smtp.server.address() as AddressInfo;
    email = new EmailSender({
      smtpUrl: `smtp://u:${PASSWORD}@127.0.0.1:${port}?requireTLS=false`,
      from: 'ops@example.com',
      ca: undefined,
    });
    const wakeup = new Wakeup(dataSource);
    store = new DeliveryStore(dataSource, wakeup);
    const instance = randomUUID();
    const states = { table: 'action_keys', ready: 'pending', taken: 'delivering' } as const;
    // The door to the platform lets a bot at the receiver through as well.
    const senders = sendersOver(http, platformOf({ apps: [appAt(receiver.url)], clock }), clock);
    const { feishuMessage } = sendersOver(http, platform, clock);
    worker = new DeliveryWorker(
      dataSource,
      new LeasedRows(dataSource, states, instance, 60),
      store,
      { ...senders, feishuMessage, email },
      { instance, secrets, wakeup, clock, log, metrics },
    );
  });
  afterAll(async () => {
    await Promise.all([http.close(), platform.close(), email.close(), receiver.close(), fake.stop()]);
    await new Promise<void>((resolve) => {
      smtp.close(resolve);
    });
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  /** Hands a delivery over as a decision renders it. */
  async function accept(document: object): Promise<string> {
    const action = compileAction(ACTION_DOCUMENT.parse({ name: 'tell', ...document }), (at, code) => {
      throw new Error(`${at.join('.')} ${code}`);
    });
    const scope = scopeOf({ note: TYPED }, { name: 'r' }, { items: [{ note: TYPED }] });
    const eventId = randomUUID();
    const delivery = newDelivery(eventId, { ...action.render(scope), kind: action.kind });
    await dataSource.transaction((tx) =>
      store.accept(tx, [{ delivery, eventId, occasion: 'live' }], clock.now()),
    );
    return (await store.findOfEvent(eventId))[0]!.id;
  }
  const stateOf = async (id: string) => {
    const [{ state, code } = { state: '', code: null }] = await store.findMany([id]);
    return [state, code];
  };

  /** Places of the database that hold a text. */
  async function placesOf(needle: string): Promise<string[]> {
    const columns = await dataSource.query<{ relation: string; name: string }[]>(
      `select table_name as relation, column_name as name from information_schema.columns
         join pg_class on relname = table_name and relkind in ('r', 'p') and not relispartition
        where table_schema = 'public' and data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')`,
    );
    expect(columns.length).toBeGreaterThan(40);
    const found: string[] = [];
    for (const { relation, name } of columns) {
      const rows = await dataSource.query<unknown[]>(
        `select 1 from "${relation}" where strpos("${name}"::text, $1) > 0 limit 1`,
        [needle],
      );
      if (rows.length > 0) found.push(`${relation}.${name}`);
    }
    return found;
  }

  it('are in no table and no log, whatever repeats them; what an employee typed is sent as it is, also redriven', async () => {
    const ids = await Promise.all(
      [
        {
          type: 'http',
          url: `${receiver.url}/x?t={{ secrets.TOKEN }}`,
          headers: { 'x-token': '{{ secrets.TOKEN }}' },
          body: { typed: '{{ event.note }}', secret: '{{ secrets.BODY }}' },
          sign: 'SIGN',
        },
        {
          type: 'feishu-bot',
          url: '{{ secrets.HOOK }}',
          sign: 'TOKEN',
          text: '{{ event.note }} {{ secrets.BODY }}',
        },
        { type: 'email', to: 'a@x.test', subject: 'echo', text: '{{ items.0.note }} {{ secrets.TOKEN }}' },
        { type: 'feishu-message', to: { open_id: 'ou_1' }, text: '{{ event.note }}', app: 'default' },
      ].map(accept),
    );
    await worker.drain();
    expect(await Promise.all(ids.map(stateOf))).toEqual([
      ['dead', 'HTTP_400'],
      ['dead', 'FEISHU_KEYWORD_MISSING'],
      ['dead', 'SMTP_REFUSED'],
      ['delivered', null],
    ]);
    await dataSource.transaction((tx) => actOnMany(tx, ids.slice(0, 3), 'redrive', null, clock.now()));
    await worker.drain();
    const bodies = receiver.received.map(({ body }) => body);
    expect(bodies.filter((body) => body.includes(TYPED) && body.includes('planted-'))).toHaveLength(4);
    expect(mails.filter(({ raw }) => raw.includes(`${TYPED} planted-first`))).toHaveLength(2);
    expect(JSON.stringify(fake.messages)).toContain(TYPED);
    // The scan finds what is there.
    expect((await placesOf(TYPED)).sort()).toEqual(['attempts.answer', 'deliveries.request']);
    expect(await placesOf('[redacted]')).toContain('attempts.answer');
    for (const needle of ['planted-', 'planted%', KEY, Buffer.from(PASSWORD).toString('base64')]) {
      expect(await placesOf(needle)).toEqual([]);
      expect(JSON.stringify(log.lines)).not.toContain(needle);
      expect(await metrics.registry.metrics()).not.toContain(needle);
    }
  });

  it('are read anew for each attempt', async () => {
    writeFileSync(join(folder, 'TOKEN'), 'planted-old');
    const id = await accept({
      type: 'http',
      url: `${receiver.url}/fails`,
      headers: { 'x-token': '{{ secrets.TOKEN }}' },
      retry: ['1s'],
    });
    await worker.drain();
    writeFileSync(join(folder, 'TOKEN'), 'planted-new');
    clock.advance(1000);
    await worker.drain();
    expect(await stateOf(id)).toEqual(['dead', 'RETRIES_USED_UP']);
    const sent = receiver.received
      .filter(({ path }) => path === '/fails')
      .map(({ headers }) => headers['x-token']);
    expect(sent).toEqual(['planted-old', 'planted-new']);
  });

  it('aside: a mail that some have got goes to the others alone, also over attempts and a redrive', async () => {
    mails.length = 0;
    refused.set('grey@x.test', 450).set('gone@x.test', 550);
    const id = await accept({
      type: 'email',
      to: ['gone@x.test', 'a@x.test', 'grey@x.test'],
      subject: 's',
      text: 't',
      retry: ['1m', '1m'],
    });
    await worker.drain();
    expect(await stateOf(id)).toEqual(['pending', 'SMTP_DEFERRED']);
    refused.delete('grey@x.test');
    clock.advance(60_000);
    await worker.drain();
    expect(await stateOf(id)).toEqual(['dead', 'RECIPIENT_REFUSED']);
    refused.clear();
    await dataSource.transaction((tx) => actOnMany(tx, [id], 'redrive', null, clock.now()));
    await worker.drain();
    expect(await stateOf(id)).toEqual(['delivered', null]);
    expect(mails.map(({ to }) => to)).toEqual([['a@x.test'], ['grey@x.test'], ['gone@x.test']]);
  });
});
