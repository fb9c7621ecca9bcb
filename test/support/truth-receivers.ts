import type { Clock } from '../../src/config/clock.js';
import { until } from './door.js';
import { type Receiver, type Received, startReceiver } from './receiver.js';
import { type Mail, SmtpProcess } from './smtp-process.js';

const PASSWORD = 'a password of the test';

/** What a receiver got from a service, and when by the clock of that service (ms). */
export interface ReceivedByClock {
  /** `Idempotency-Key`. */
  readonly key: string;
  readonly at: number;
  /** All that is said and where, apart from who says it. */
  readonly content: unknown;
}

/** Answers a look-up by its path; null: there is nothing there. */
export type AnswerTo = (path: string) => unknown;

/** A real HTTP server and a real mail server, which know their services by a header, the address or the sender. */
export class TruthReceivers {
  private readonly clocks = new Map<string, Clock>();
  private readonly got = new Map<string, ReceivedByClock[]>();
  private http!: Receiver;
  private readonly smtp = new SmtpProcess();
  private mailsTaken = 0;

  static async start(answerTo: AnswerTo): Promise<TruthReceivers> {
    const receivers = new TruthReceivers();
    await receivers.smtp.start(PASSWORD);
    receivers.http = await startReceiver((request, response) => {
      if (request.method === 'GET' && request.headers['idempotency-key'] === undefined) {
        const answer = answerTo(request.path);
        response.statusCode = answer === null ? 404 : 200;
        response.end(JSON.stringify(answer));
        return;
      }
      receivers.take(request);
      response.end('{"code":0}');
    });
    return receivers;
  }

  get port(): number {
    return this.http.port;
  }

  get smtpUrl(): string {
    return `smtp://aftersign:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.smtp.port}?requireTLS=false`;
  }

  /** A service of this name sends from now on. */
  begin(service: string, clock: Clock): void {
    this.clocks.set(service, clock);
    this.got.set(service, []);
  }

  of(service: string): readonly ReceivedByClock[] {
    return this.got.get(service) ?? [];
  }

  /** Waits until a service's mails are there, so many in all: a line of the mail server's process may take its time. */
  async mailsOf(service: string, count: number): Promise<void> {
    const have = (): number => {
      this.takeMails();
      return this.of(service).filter(({ content }) => isMail(content)).length;
    };
    if (count > have()) await until(() => have() >= count);
  }

  async close(): Promise<void> {
    await this.http.close();
    await this.smtp.stop();
  }

  private take({ method, path, headers, body }: Received): void {
    const { searchParams, pathname } = new URL(path, 'http://any.test');
    const service = headers['x-service'] ?? searchParams.get('service') ?? '';
    searchParams.delete('service');
    const type = headers['content-type'] ?? null;
    const content = { method, to: `${headers.host ?? ''}${pathname}?${searchParams.toString()}`, type, body };
    this.note(String(service), String(headers['idempotency-key']), content);
  }

  private takeMails(): void {
    for (; this.mailsTaken < this.smtp.mails.length; this.mailsTaken += 1) {
      const mail = this.smtp.mails[this.mailsTaken] as Mail;
      const { envelope, subject, text, html, to, headers } = mail;
      const key = headers.find((one) => one.key === 'idempotency-key')?.value ?? '';
      const [service = ''] = envelope.from.split('@');
      this.note(service, key, { mail: { envelope: envelope.to, subject, text, html, to } });
    }
  }

  private note(service: string, key: string, content: unknown): void {
    const clock = this.clocks.get(service);
    if (!clock) throw new Error(`nobody is called "${service}"`);
    this.got.get(service)?.push({ key, at: clock.now(), content });
  }
}

function isMail(content: unknown): boolean {
  return typeof content === 'object' && content !== null && 'mail' in content;
}
