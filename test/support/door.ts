import { connect } from 'node:net';
import { expect } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { EventStore, type StoredEvent } from '../../src/events/event-store.js';
import { startService, type TestService } from './app.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { APP, APP_SETTINGS } from './feishu.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const SECRETS = [APP.encryptKey, APP.token];

/** The webhook of a real service on a database of its own, and what a refused request has to leave as it was. */
export class Door {
  private constructor(
    readonly database: TestDatabase,
    readonly service: TestService,
    private readonly rows: DataSource,
  ) {}

  static async open(settings: NodeJS.ProcessEnv = APP_SETTINGS): Promise<Door> {
    const database = await createTestDatabase();
    const service = await startService({ DATABASE_URL: database.url, ROLE: 'ingest', ...settings });
    return new Door(database, service, await database.open(2));
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.database.drop();
  }

  get port(): number {
    return Number(new URL(this.service.url).port);
  }

  async push({ headers, body }: Request, path = '/webhook/event'): Promise<Answer> {
    // Bytes, not text: fetch would make up a content-type.
    const answer = await fetch(this.service.url + path, {
      method: 'POST',
      headers,
      body: Uint8Array.from(Buffer.from(body)),
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    };
  }

  /** Pushes what is genuine and answers the event as stored. */
  async stored(push: Request, eventId: string): Promise<StoredEvent> {
    expect((await this.push(push)).status).toBe(200);
    const rows = await this.query<{ id: string }>('select id from events where event_id = $1', [eventId]);
    expect(rows).toHaveLength(1);
    const event = await this.service.app.get(EventStore, { strict: false }).find(rows[0]?.id ?? '');
    if (!event) throw new Error('the event is not stored');
    return event;
  }

  /** Rows that events have left: [event_keys, events]. */
  async count(): Promise<[number, number]> {
    const [row] = await this.rows.query<{ keys: number; events: number }[]>(
      'select (select count(*)::int from event_keys) as keys, (select count(*)::int from events) as events',
    );
    return [row?.keys ?? -1, row?.events ?? -1];
  }

  async query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return await this.rows.query<T[]>(sql, parameters);
  }

  async isAlive(): Promise<boolean> {
    const answer = await fetch(`${this.service.url}/health/live`);
    await answer.text();
    return answer.status === 200;
  }

  /**
   * Sends something hostile and checks what every refusal has in common: a 4xx problem within 3 s or a closed
   * connection (null), no row, one line in the log without the body or a secret, and a service that goes on.
   */
  async refuses(
    send: () => Promise<Answer | null>,
    status: number | readonly number[],
    sent: string | Buffer = '',
  ): Promise<Answer | null> {
    const { lines } = this.service.log;
    const [before, rows, started] = [lines.length, await this.count(), performance.now()];
    const answer = await send();
    expect(performance.now() - started).toBeLessThan(3000);
    if (answer) {
      expect([status].flat()).toContain(answer.status);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(answer.body)).toEqual({
        status: answer.status,
        code: expect.stringMatching(/^[A-Z][A-Z_]+$/),
        detail: expect.any(String),
      });
    }
    await until(() => lines.length > before);
    expect(await this.isAlive()).toBe(true);
    expect(await this.count()).toEqual(rows);
    expect(lines.slice(before)).toHaveLength(1);
    const line = JSON.stringify(lines[before]);
    for (const hidden of [...SECRETS, ...piecesOf(sent)]) expect(line).not.toContain(hidden);
    return answer;
  }

  async refusesPush(
    request: Request,
    status: number | readonly number[] = 401,
    path?: string,
  ): Promise<Answer> {
    const answer = await this.refuses(() => this.push(request, path), status, request.body);
    if (!answer) throw new Error('a push over fetch has an answer');
    return answer;
  }
}

/** Long enough not to be in a line of the log by chance. */
function piecesOf(sent: string | Buffer): string[] {
  return sent.toString('latin1').slice(0, 2000).match(/.{16}/gs) ?? [];
}

/** Resolves when the condition holds. Throws when it does not within `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A bare connection: what it got, and whether the other side has ended it. */
export class Connection {
  received = '';
  connected = false;
  closed = false;
  private readonly socket;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    // Cut off in the middle of sending is one of the answers.
    this.socket.on('error', () => undefined);
    this.socket.on('connect', () => {
      this.connected = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  end(): this {
    this.socket.end();
    return this;
  }

  /** The first answer, or null when the connection was closed without one. */
  async answer(ms?: number): Promise<Answer | null> {
    await until(() => this.closed || parseAnswer(this.received) !== null, ms);
    return parseAnswer(this.received);
  }

  async untilClosed(ms?: number): Promise<void> {
    await until(() => this.closed, ms);
  }

  /** Everything that was sent is on its way. */
  get flushed(): boolean {
    return this.connected && this.socket.writableLength === 0;
  }

  get answers(): number {
    return this.received.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function parseAnswer(text: string): Answer | null {
  const [head = '', body] = text.split(/\r\n\r\n(.*)/s);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  if (status === undefined || body === undefined) return null;
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => {
        const at = line.indexOf(':');
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
      }),
  );
  const length = Number(headers['content-length'] ?? 0);
  return body.length < length ? null : { status: Number(status), headers, body: body.slice(0, length) };
}
