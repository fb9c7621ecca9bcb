import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import type { RenderedRequest } from '../../src/action/action.js';
import { AddressGuard } from '../../src/action/address-guard.js';
import { EmailSender } from '../../src/action/email-sender.js';
import type { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { HttpSender } from '../../src/action/http-sender.js';
import { OutboundHttp } from '../../src/action/outbound-http.js';
import type { EmailRequest } from '../../src/action/sender.js';
import { type DrillResult, TargetDrill } from '../../src/action/target-drill.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { TestClock } from '../support/clock.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { appAt, platformOf, sendersOver } from '../support/senders.js';

// Real: the drill, senders, sockets, TLS, SMTP. Fake: Feishu (our own fake), the clock, the names *.test.
const TLS = {
  cert: readFileSync(new URL('../fixtures/tls/localhost.crt', import.meta.url), 'utf8'),
  key: readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url), 'utf8'),
};
const APP_ID = 'cli_9f5343c580712544';
const clock = new TestClock(Date.UTC(2026, 10, 23));

let receiver: Receiver;
let fake: FakeFeishu;
let platform: FeishuPlatform;
let http: OutboundHttp;
let smtp: SMTPServer;
const secure = createTlsServer(TLS, (_request, response) => response.end());
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
const mails: string[] = [];
const closers: (() => unknown)[] = [];

/** Also one with other settings of the mail server. */
function drillWith(login: string | null, query = ''): TargetDrill {
  const mailServer =
    login === null
      ? null
      : { smtpUrl: `smtp://${login}localhost:${portOf(smtp.server)}${query}`, ca: TLS.cert };
  const email = mailServer && new EmailSender({ ...mailServer, from: 'ops@example.com' });
  if (email) closers.push(() => email.close());
  const senders = { ...sendersOver(new HttpSender(http, platform, clock), platform, clock), email };
  const secrets = new Map([
    ['TOKEN', 'planted-secret'],
    ['HOOK', `${fake.url}/open-apis/bot/v2/hook/planted-hook`],
  ]);
  return new TargetDrill({ senders, http, platform, mailServer, secrets, clock });
}

beforeAll(async () => {
  receiver = await startReceiver((_request, response) => response.end('planted-secret'));
  fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'app-secret' }], clock });
  fake.bots.set('planted-hook', {});
  platform = platformOf({ apps: [appAt(fake.url, { appSecret: 'app-secret' })], clock });
  http = new OutboundHttp({
    guard: new AddressGuard([{ kind: 'host', host: 'localhost', port: null }]),
    ca: TLS.cert,
    lookup: (name, _options, callback) => {
      if (name === 'gone.test') callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
      else callback(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  smtp = new SMTPServer({
    ...TLS,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ password }, _session, done) => {
      if (password === 'right') done(null, { user: 'u' });
      else done(Object.assign(new Error('wrong'), { responseCode: 535 }));
    },
    onData: (stream, _session, done) => {
      stream.on('data', (chunk: Buffer) => mails.push(chunk.toString('latin1')));
      stream.on('end', () => {
        done();
      });
    },
  });
  smtp.on('error', () => undefined);
  smtp.listen(0, '127.0.0.1');
  secure.listen(0, '127.0.0.1');
  await Promise.all([once(smtp.server, 'listening'), once(secure, 'listening')]);
});
afterAll(async () => {
  for (const close of closers) await close();
  await Promise.all([http.close(), platform.close(), receiver.close(), fake.stop()]);
  secure.close();
  secure.closeAllConnections();
  await new Promise<void>((resolve) => {
    smtp.close(resolve);
  });
});

const request = (url: string): RenderedRequest => ({
  kind: 'http',
  content: { method: 'POST', url, headers: {}, body: { a: 1 }, timeoutMs: 5000, success: null },
  secrets: [{ at: ['headers', 'authorization'], pieces: [{ secret: 'TOKEN' }], encode: false }],
  retry: null,
});
const mail: RenderedRequest = {
  kind: 'email',
  content: {
    to: ['a@x.test'],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Hello',
    text: 'Text',
    html: null,
  } satisfies EmailRequest,
  secrets: [],
  retry: null,
};
const drill = (stored: RenderedRequest, send = true, by = drillWith(null)) => by.run('one', stored, { send });
const shown = ({ steps }: DrillResult) =>
  steps.map(({ step, code }) => (code === null ? step : `${step} ${code}`));
const detailOf = ({ steps }: DrillResult, step: string) => steps.find((one) => one.step === step)?.detail;

describe('a drill of an HTTP target', () => {
  it('goes step by step to a marked request with a key of its own, and shows no secret', async () => {
    const result = await drill(request(`http://localhost:${receiver.port}/hook`));
    expect(shown(result)).toEqual(['name', 'connection', 'tls', 'answer']);
    expect(result).toMatchObject({ target: 'one', ok: true });
    expect(JSON.stringify(result)).not.toContain('planted-secret');
    expect(receiver.received).toMatchObject([
      {
        path: '/hook',
        headers: {
          'aftersign-drill': '1',
          'idempotency-key': expect.stringMatching(/^drill-[\w-]{36}$/) as unknown,
          authorization: 'planted-secret',
        },
      },
    ]);
  });

  it('sends nothing when it is told so', async () => {
    const before = receiver.received.length;
    expect(shown(await drill(request(`http://localhost:${receiver.port}/`), false))).toEqual([
      'name',
      'connection',
      'tls',
    ]);
    expect(receiver.received).toHaveLength(before);
  });

  it('tells the protocol, the certificate and its days', async () => {
    const result = await drill(request(`https://localhost:${portOf(secure)}/`));
    expect(result.ok).toBe(true);
    expect(detailOf(result, 'tls')).toMatch(/^TLSv1\.3, certificate localhost, valid for \d+ days\.$/);
  });

  it.each([
    ['a name that is none', () => 'https://gone.test/', ['name NAME_NOT_FOUND']],
    ['an address that is not public', () => 'http://10.1.2.3/', ['name ADDRESS_FORBIDDEN']],
    ['a name that leads to one', () => 'http://inside.test/', ['name ADDRESS_FORBIDDEN']],
    ['a closed port', () => 'http://localhost:1/', ['name', 'connection TARGET_REFUSED']],
    [
      'a port without TLS',
      () => `https://localhost:${receiver.port}/`,
      ['name', 'connection', 'tls TLS_FAILED'],
    ],
  ])('ends at the step that fails: %s', async (_, url, steps) => {
    const result = await drill(request(url()));
    expect([shown(result), result.ok]).toEqual([steps, false]);
  });

  it('needs the secrets that a delivery needs', async () => {
    const unset: RenderedRequest = {
      ...request('http://localhost/'),
      secrets: [{ at: ['headers', 'a'], pieces: [{ secret: 'UNSET' }], encode: false }],
    };
    expect(shown(await drill(unset))).toEqual(['name SECRET_MISSING']);
  });
});

describe('a drill of a Feishu target', () => {
  const text = { text: 'Hello', card: null };

  it('marks the message of an app, behind its login', async () => {
    const content = { ...text, app: null, eventApp: null, to: { kind: 'open_id' as const, id: 'ou_1' } };
    const result = await drill({ kind: 'feishu-message', content, secrets: [], retry: null });
    expect(shown(result)).toEqual(['name', 'connection', 'tls', 'login', 'answer']);
    expect(JSON.stringify(fake.messages)).toContain('[Drill 演练] Hello');
  });

  it('marks the message to a bot, whose URL is a secret', async () => {
    const result = await drill({
      kind: 'feishu-bot',
      content: { ...text, url: '', signSecret: null },
      secrets: [{ at: ['url'], pieces: [{ secret: 'HOOK' }], encode: false }],
      retry: null,
    });
    expect(shown(result)).toEqual(['name', 'connection', 'tls', 'answer']);
    expect(JSON.stringify(fake.botMessages)).toContain('[Drill 演练] Hello');
    expect(JSON.stringify(result)).not.toContain('planted-hook');
  });
});

describe('a drill of the mail server', () => {
  it('goes over STARTTLS and login to a marked mail', async () => {
    const result = await drill(mail, true, drillWith('u:right@'));
    expect(shown(result)).toEqual(['name', 'connection', 'tls', 'login', 'answer']);
    expect(detailOf(result, 'tls')).toContain('certificate localhost');
    // The mark as the subject's encoded word holds it.
    expect(mails.join('')).toMatch(/^Subject: =\?UTF-8\?/m);
  });

  it.each([
    ['a wrong password', 'u:wrong@', '', ['name', 'connection', 'tls', 'login SMTP_AUTH_FAILED']],
    [
      'a certificate that fits another name',
      'u:right@',
      '?tls.servername=other.test',
      ['name', 'connection', 'tls SMTP_TLS_FAILED'],
    ],
    ['no mail server', null, '', ['name SMTP_NOT_CONFIGURED']],
  ])('ends at the step that fails: %s', async (_, login, query, steps) => {
    expect(shown(await drill(mail, true, drillWith(login, query)))).toEqual(steps);
  });
});
