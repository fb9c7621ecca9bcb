import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { EmailSender, type EmailSenderOptions } from '../../src/action/email-sender.js';
import { isPlainAddress } from '../../src/action/mail-address.js';
import type { EmailRequest } from '../../src/action/sender.js';

// Real: sender, SMTP over sockets on 127.0.0.1, the mails as a reader's program parses them. Nothing is faked.
const CERTIFICATE = readFileSync(new URL('../fixtures/tls/localhost.crt', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url), 'utf8');

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly mail: Email;
}

interface MailServer {
  readonly port: number;
  readonly received: Received[];
  connections: number;
}

let closers: (() => Promise<unknown>)[] = [];

const refusal = (responseCode: number): Error => Object.assign(new Error('refused'), { responseCode });

async function mailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect(_session, callback) {
      made.connections += 1;
      callback();
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        void PostalMime.parse(raw).then((mail) => {
          const { mailFrom, rcptTo } = session.envelope;
          received.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            raw: raw.toString('latin1'),
            mail,
          });
          callback(null, 'queued as 1');
        });
      });
    },
    ...options,
  });
  // A client that breaks off is its business; without a listener it would end the test run.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const made: MailServer = { port: (server.server.address() as AddressInfo).port, received, connections: 0 };
  closers.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(resolve);
      }),
  );
  return made;
}

/** A server that is no proper one: what it does with a connection is up to the test. */
async function rawServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    return once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

function senderTo(port: number, options: Partial<EmailSenderOptions> = {}): EmailSender {
  const sender = new EmailSender({
    smtpUrl: `smtp://127.0.0.1:${port}`,
    from: 'Aftersign 审批 <ops@example.com>',
    ca: undefined,
    ...options,
  });
  closers.unshift(() => sender.close());
  return sender;
}

const mail = (rest: Partial<EmailRequest> = {}): EmailRequest => ({
  to: ['a@x.test'],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'Hello',
  text: 'Text',
  html: null,
  ...rest,
});

beforeEach(() => {
  closers = [];
});
afterEach(async () => {
  for (const close of closers) await close();
});

describe('a mail', () => {
  it('arrives as it was made: Chinese subject, text and HTML, all recipients', async () => {
    const server = await mailServer();
    const result = await senderTo(server.port).send(
      mail({
        to: ['a@x.test', 'b@x.test'],
        cc: ['c@x.test'],
        bcc: ['d@x.test', 'a@x.test'],
        replyTo: ['reply@x.test'],
        subject: '审批通过：差旅报销 ✅ — 很长的标题，很长的标题，很长的标题，很长的标题',
        text: '您好\n.\n第二行 ' + '长'.repeat(500),
        html: '<p>您好 <b>张三</b></p>',
      }),
      'key-1',
    );
    expect(result).toMatchObject({ outcome: 'delivered', code: null, status: 250, retryAfterMs: null });
    expect(result.answer).toContain('queued as 1');
    const [{ from, to, raw, mail: arrived }] = server.received as [Received];
    expect({ from, to }).toEqual({
      from: 'ops@example.com',
      to: ['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test'],
    });
    expect(arrived.subject).toBe('审批通过：差旅报销 ✅ — 很长的标题，很长的标题，很长的标题，很长的标题');
    expect(arrived.text).toContain('您好\n.\n第二行 ' + '长'.repeat(500));
    expect(arrived.html).toBe('<p>您好 <b>张三</b></p>');
    expect(arrived.from).toEqual({ name: 'Aftersign 审批', address: 'ops@example.com' });
    expect(arrived.replyTo).toEqual([{ name: '', address: 'reply@x.test' }]);
    expect(arrived.messageId).toBe('<key-1@example.com>');
    expect(arrived.headers).toContainEqual(
      expect.objectContaining({ key: 'idempotency-key', value: 'key-1' }),
    );
    expect(raw).not.toContain('d@x.test');
  });

  it('has the same Message-ID each time it is sent, and another one for another action', async () => {
    const server = await mailServer();
    const sender = senderTo(server.port, { from: 'ops@例子.example' });
    for (const key of ['key-1', 'key-1', 'key-2', '规则 a/b:c<d>', '规则 a/b:c<d>'])
      await sender.send(mail(), key);
    const ids = server.received.map(({ mail: { messageId } }) => messageId);
    expect(ids).toEqual([
      '<key-1@xn--fsqu00a.example>',
      '<key-1@xn--fsqu00a.example>',
      '<key-2@xn--fsqu00a.example>',
      expect.stringMatching(/^<[0-9a-f]{64}@xn--fsqu00a\.example>$/),
      ids[3],
    ]);
  });

  it('goes over a kept connection', async () => {
    const server = await mailServer();
    const sender = senderTo(server.port);
    for (const key of ['1', '2', '3'])
      expect(await sender.send(mail(), key)).toMatchObject({ outcome: 'delivered' });
    expect(server.connections).toBe(1);
  });

  it('may go to blind copies alone, with a text alone or HTML alone', async () => {
    const server = await mailServer();
    const sender = senderTo(server.port);
    await sender.send(mail({ to: [], bcc: ['d@x.test'], text: null, html: '<i>x</i>' }), '1');
    expect(server.received[0]).toMatchObject({ to: ['d@x.test'], mail: { html: '<i>x</i>\n' } });
    expect(server.received[0]!.raw).not.toContain('text/plain');
  });

  it('keeps line breaks of the subject and of the text out of its headers', async () => {
    const server = await mailServer();
    const evil = 'Hi\r\nBcc: evil@example.com\r\n\r\n<script>\0\u0085';
    await senderTo(server.port).send(
      mail({ subject: evil, text: evil, html: evil }),
      'k\r\nBcc: evil@example.com',
    );
    const [{ to, mail: arrived }] = server.received as [Received];
    expect(to).toEqual(['a@x.test']);
    expect(arrived.subject).toBe('Hi Bcc: evil@example.com <script>');
    expect(arrived.bcc).toBeUndefined();
    expect(arrived.headers.map(({ key }) => key).sort()).toEqual([
      'auto-submitted',
      'content-type',
      'date',
      'from',
      'idempotency-key',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ]);
  });
});

const HOSTILE = [
  'a@x.test\r\nBcc: evil@example.com',
  'a@x.test\nBcc: evil@example.com',
  'a@x.test\r\nRCPT TO:<evil@example.com>',
  'a@x.test>\r\nRCPT TO:<evil@example.com',
  'a@x.test, evil@example.com',
  'a@x.test,evil@example.com',
  'a@x.test; evil@example.com',
  'a@x.test evil@example.com',
  'A <a@x.test>',
  '<a@x.test>',
  '"a@x.test" <evil@example.com>',
  '"evil@example.com, "@x.test',
  '"a b"@x.test',
  'evil@example.com <a@x.test>',
  'Group: a@x.test, evil@example.com;',
  'a@x.test(comment)',
  'a@@x.test',
  'a@evil@x.test',
  'evil%example.com@x.test',
  'example.com!evil@x.test',
  '@example.com:a@x.test',
  'a@[127.0.0.1]',
  'a@x.test\0',
  'a@x.test\t',
  ' a@x.test',
  'a@x..test',
  'a@.test',
  'a@-x.test',
  'a@x.test.',
  '.a@x.test',
  'a.@x.test',
  'a..b@x.test',
  'ä@x.test',
  '张三@x.test',
  'a@例子.example',
  'a＠x.test',
  'a\u202e@x.test',
  '=?utf-8?q?a=40evil.test=2C?=@x.test"',
  'a',
  '@',
  'a@',
  '@x.test',
  '',
  `${'a'.repeat(65)}@x.test`,
  `a@${'x'.repeat(64)}.test`,
  `a@${'x.'.repeat(130)}test`,
];

describe('an address', () => {
  it.each([
    'a@x.test',
    'first.last+tag@sub.example.co.uk',
    "o'brien_99@x-y.test",
    'root@localhost',
    'a@xn--fsqu00a.example',
    'A@X.TEST',
    `${'a'.repeat(64)}@x.test`,
  ])('like %p is plain', (address) => {
    expect(isPlainAddress(address)).toBe(true);
  });

  it.each(HOSTILE)('like %p is not', (address) => {
    expect(isPlainAddress(address)).toBe(false);
  });

  it('that is not plain keeps the mail from being sent, wherever it stands', async () => {
    const server = await mailServer();
    const sender = senderTo(server.port);
    for (const address of HOSTILE)
      for (const place of ['to', 'cc', 'bcc', 'replyTo'] as const) {
        const result = await sender.send(mail({ [place]: ['b@x.test', address] }), 'key');
        expect(result).toMatchObject({ outcome: 'permanent', code: 'ADDRESS_INVALID', status: null });
        expect(result.detail).not.toMatch(/\p{Cc}/u);
      }
    expect(server.connections).toBe(0);
  });

  it('that is no text keeps the mail from being sent', async () => {
    const server = await mailServer();
    const objects = [{ name: '', address: 'evil@example.com' }, ['evil@example.com'], null, 5] as unknown[];
    for (const address of objects)
      expect(await senderTo(server.port).send(mail({ to: [address as string] }), 'key')).toMatchObject({
        outcome: 'permanent',
        code: 'ADDRESS_INVALID',
      });
    expect(server.connections).toBe(0);
  });

  it('is needed', async () => {
    const server = await mailServer();
    expect(await senderTo(server.port).send(mail({ to: [] }), 'key')).toMatchObject({
      outcome: 'permanent',
      code: 'ADDRESS_INVALID',
    });
  });
});

describe('a file', () => {
  it('cannot be put into a mail', async () => {
    const server = await mailServer();
    const sender = senderTo(`${server.port}?disableFileAccess=false` as unknown as number);
    const folder = mkdtempSync(join(tmpdir(), 'aftersign-mail-'));
    const path = join(folder, 'secret.txt');
    writeFileSync(path, 'TOP-SECRET');
    for (const part of [{ path }, { href: `file://${path}` }, { content: 'x', path }, Buffer.from('x')]) {
      const sneaky = part as unknown as string;
      for (const rest of [{ html: sneaky }, { text: sneaky }, { subject: sneaky }])
        expect(await sender.send(mail(rest), 'key')).toMatchObject({
          outcome: 'permanent',
          code: 'MAIL_INVALID',
        });
    }
    const extra = {
      attachments: [{ path }],
      raw: { path },
      alternatives: [{ path }],
      envelope: { to: 'evil@x.test' },
    };
    await sender.send({ ...mail({ html: `<img src="file://${path}">${path}` }), ...extra }, 'key');
    rmSync(folder, { recursive: true });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]!.to).toEqual(['a@x.test']);
    expect(server.received[0]!.mail.attachments).toEqual([]);
    expect(server.received[0]!.raw).not.toContain('TOP-SECRET');
  });
});

describe('a mail server that refuses', () => {
  it.each([
    [421, 'retry', 'SMTP_BUSY'],
    [450, 'retry', 'SMTP_DEFERRED'],
    [451, 'retry', 'SMTP_DEFERRED'],
    [452, 'retry', 'SMTP_DEFERRED'],
    [550, 'permanent', 'RECIPIENT_REFUSED'],
    [553, 'permanent', 'RECIPIENT_REFUSED'],
  ])('every recipient with %d: %s, %s', async (reply, outcome, code) => {
    const server = await mailServer({
      onRcptTo(_address, _session, callback) {
        callback(refusal(reply));
      },
    });
    const result = await senderTo(server.port).send(mail({ to: ['a@x.test', 'b@x.test'] }), 'key');
    expect(result).toMatchObject({ outcome, code, status: reply });
    if (code === 'RECIPIENT_REFUSED') expect(result.detail).toContain('a@x.test, b@x.test');
    expect(server.received).toEqual([]);
  });

  it.each([
    [421, 'retry', 'SMTP_BUSY'],
    [451, 'retry', 'SMTP_DEFERRED'],
    [452, 'retry', 'SMTP_DEFERRED'],
    [550, 'permanent', 'SMTP_REFUSED'],
    [552, 'permanent', 'SMTP_REFUSED'],
    [554, 'permanent', 'SMTP_REFUSED'],
  ])('the content with %d: %s, %s', async (reply, outcome, code) => {
    const server = await mailServer({
      onData(stream, _session, callback) {
        stream.resume().on('end', () => {
          callback(refusal(reply));
        });
      },
    });
    expect(await senderTo(server.port).send(mail(), 'key')).toMatchObject({ outcome, code, status: reply });
  });

  it.each([
    [451, 'retry', 'SMTP_DEFERRED'],
    [550, 'permanent', 'SMTP_REFUSED'],
    [530, 'retry', 'SMTP_AUTH_FAILED'],
  ])('the sender with %d: %s, %s', async (reply, outcome, code) => {
    const server = await mailServer({
      onMailFrom(_address, _session, callback) {
        callback(refusal(reply));
      },
    });
    expect(await senderTo(server.port).send(mail(), 'key')).toMatchObject({ outcome, code, status: reply });
  });

  it('one of three recipients: the others get one mail, and it is not sent again', async () => {
    const server = await mailServer({
      onRcptTo(address, _session, callback) {
        callback(address.address === 'b@x.test' ? refusal(550) : null);
      },
    });
    const result = await senderTo(server.port).send(
      mail({ to: ['a@x.test', 'b@x.test', 'c@x.test'] }),
      'key',
    );
    expect(result).toMatchObject({ outcome: 'permanent', code: 'RECIPIENT_REFUSED', status: 550 });
    expect(result.detail).toContain('refused b@x.test;');
    expect(server.received.map(({ to }) => to)).toEqual([['a@x.test', 'c@x.test']]);
  });

  it('one mail takes the next one', async () => {
    const server = await mailServer({
      onRcptTo(address, _session, callback) {
        callback(address.address === 'b@x.test' ? refusal(550) : null);
      },
    });
    const sender = senderTo(server.port);
    await sender.send(mail({ to: ['b@x.test'] }), '1');
    expect(await sender.send(mail(), '2')).toMatchObject({ outcome: 'delivered' });
    expect(server.received.map(({ to }) => to)).toEqual([['a@x.test']]);
  });
});

describe('a login', () => {
  const withLogin = (): Promise<MailServer> =>
    mailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth(auth, _session, callback) {
        if (auth.username === 'ops@example.com' && auth.password === 'p@ss:word')
          callback(null, { user: 'ops' });
        else callback(refusal(535));
      },
    });

  it('is given as the URL holds it', async () => {
    const { port } = await withLogin();
    const sender = senderTo(port, {
      smtpUrl: `smtp://ops%40example.com:p%40ss%3Aword@127.0.0.1:${port}?requireTLS=false`,
    });
    expect(await sender.send(mail(), 'key')).toMatchObject({ outcome: 'delivered' });
  });

  it('that is refused or missing is tried again, without a word of it', async () => {
    const { port } = await withLogin();
    for (const login of ['ops%40example.com:hunter2@', '']) {
      const result = await senderTo(port, {
        smtpUrl: `smtp://${login}127.0.0.1:${port}?requireTLS=false`,
      }).send(mail(), 'key');
      expect(result).toMatchObject({ outcome: 'retry', code: 'SMTP_AUTH_FAILED' });
      expect(JSON.stringify(result)).not.toContain('hunter2');
    }
  });
});

describe('a login without TLS', () => {
  it('is none: the password stays here', async () => {
    const said: string[] = [];
    // It offers a login, and no TLS: as a server, or as somebody in between.
    const port = await rawServer((socket) => {
      socket.write('220 hello\r\n');
      socket.on('data', (line) => {
        said.push(line.toString());
        socket.write(said.length === 1 ? '250-hello\r\n250 AUTH PLAIN LOGIN\r\n' : '502 no\r\n');
      });
    });
    const smtpUrl = `smtp://ops:hunter2@127.0.0.1:${port}`;
    const result = await senderTo(port, { smtpUrl }).send(mail(), 'key');
    expect(result).toMatchObject({ outcome: 'retry', code: 'SMTP_TLS_FAILED', status: 502 });
    expect(said.map((line) => line.split(' ')[0]?.trim())).toEqual(['EHLO', 'STARTTLS']);
  });
});

describe('a mail that only some recipients have got', () => {
  it('goes to the others alone, who were put off, and in the end nobody has it twice', async () => {
    let isGrey = true;
    const server = await mailServer({
      onRcptTo({ address }, _session, callback) {
        if (address === 'gone@x.test') callback(refusal(550));
        else callback(isGrey && address === 'grey@x.test' ? refusal(450) : null);
      },
    });
    const sender = senderTo(server.port);
    const request = mail({ to: ['gone@x.test', 'a@x.test'], cc: ['a@x.test'], bcc: ['grey@x.test'] });
    const first = await sender.send(request, 'key');
    expect(first).toMatchObject({ outcome: 'retry', code: 'SMTP_DEFERRED', status: 450, left: [0, 3] });
    const again = await sender.send({ ...request, left: first.left! }, 'key');
    // Nobody has got anything by it: what is left stays as it is.
    expect(again).toMatchObject({ outcome: 'retry', code: 'SMTP_DEFERRED' });
    expect(again).not.toHaveProperty('left');
    isGrey = false;
    const last = await sender.send({ ...request, left: first.left! }, 'key');
    expect(last).toMatchObject({ outcome: 'permanent', code: 'RECIPIENT_REFUSED', left: [0] });
    expect(server.received.map(({ to }) => to)).toEqual([['a@x.test'], ['grey@x.test']]);
    const [one, two] = server.received.map(({ mail: { messageId } }) => messageId);
    expect(one).toBe(two);
  });
});

describe('a mail server that is not there', () => {
  it('because nobody listens is tried again', async () => {
    const port = await rawServer(() => undefined);
    await closers.pop()!();
    expect(await senderTo(port).send(mail(), 'key')).toMatchObject({
      outcome: 'retry',
      code: 'SMTP_UNREACHABLE',
    });
  });

  it('because it hangs up before or after its greeting is tried again', async () => {
    const silent = await rawServer((socket) => socket.end());
    const rude = await rawServer((socket) => socket.end('220 hello\r\n'));
    const closed = await rawServer((socket) => socket.end('554 no mail here\r\n'));
    for (const port of [silent, rude, closed])
      expect(await senderTo(port).send(mail(), 'key')).toMatchObject({
        outcome: 'retry',
        code: 'SMTP_UNREACHABLE',
      });
  });

  it('because it never greets is tried again', async () => {
    const port = await rawServer(() => undefined);
    const smtpUrl = `smtp://127.0.0.1:${port}?greetingTimeout=50`;
    expect(await senderTo(port, { smtpUrl }).send(mail(), 'key')).toMatchObject({
      outcome: 'retry',
      code: 'SMTP_TIMEOUT',
    });
  });

  it.each([
    ['in the middle of a mail', '354 go on', false],
    ['instead of its answer to a whole mail', '', true],
  ])(
    'because it drops the connection %s is tried again: once per attempt, open: %p',
    async (_, stop, isOpen) => {
      let mails = 0;
      const port = await rawServer((socket) => {
        const left = ['250 hello', '250 ok', '250 ok', '354 go on'];
        let said = '';
        socket.write('220 hello\r\n');
        socket.on('data', (bytes) => {
          const reply = left.shift();
          said += bytes.toString();
          if (reply !== undefined) socket.write(`${reply}\r\n`);
          if (reply !== stop && !said.endsWith('\r\n.\r\n')) return;
          mails += 1;
          socket.destroy();
        });
      });
      // More than what fits into the socket at once.
      const text = 'x\n'.repeat(isOpen ? 10 : 8_000_000);
      const result = await senderTo(port).send(mail({ text }), 'key');
      expect(result).toMatchObject({ outcome: 'retry', code: 'SMTP_UNREACHABLE', target: 'down' });
      expect([result.ambiguous ?? false, mails]).toEqual([isOpen, 1]);
    },
  );

  it('because the sender is closed is tried again', async () => {
    const { port } = await mailServer();
    const sender = senderTo(port);
    await sender.close();
    expect(await sender.send(mail(), 'key')).toMatchObject({ outcome: 'retry', code: 'SMTP_UNREACHABLE' });
  });
});

describe('TLS', () => {
  it.each([
    ['smtps', { secure: true }],
    ['smtp', { secure: false, disabledCommands: [] }],
  ])('of %s takes the own authority, and no certificate that nobody vouches for', async (scheme, options) => {
    const server = await mailServer({ ...options, cert: CERTIFICATE, key: KEY });
    const smtpUrl = `${scheme}://127.0.0.1:${server.port}?tls.servername=localhost`;
    expect(await senderTo(0, { smtpUrl, ca: CERTIFICATE }).send(mail(), '1')).toMatchObject({
      outcome: 'delivered',
    });
    const result = await senderTo(0, { smtpUrl }).send(mail(), '2');
    expect(result).toMatchObject({ outcome: 'retry', code: 'SMTP_TLS_FAILED' });
    expect(result.detail).toContain('OUTBOUND_CA');
    expect(server.received).toHaveLength(1);
  });
});
