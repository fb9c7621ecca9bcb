import type { DataSource } from 'typeorm';
import { type Clock, SystemClock } from '../../src/config/clock.js';
import { USER_ROLES, type UserRole } from '../../src/config/config.js';
import { createAccessServices } from '../../src/console/access/access-services.js';
import { startService, type TestService } from './app.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { APP_SETTINGS, type Push } from './feishu.js';
import { temporaryFolder } from './folder.js';

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined: it is no JSON. */
  readonly body: unknown;
}

/** The real service with a user and a token of each role, on a database of its own. */
export class TestConsole {
  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly service: TestService,
    readonly tokens: Readonly<Record<UserRole, string>>,
    readonly folder: string,
  ) {}

  static async open(
    settings: NodeJS.ProcessEnv = {},
    clock: Clock = new SystemClock(),
  ): Promise<TestConsole> {
    const database = await createTestDatabase();
    const dataSource = await database.open(2);
    const folder = temporaryFolder('console');
    const service = await startService(
      { DATABASE_URL: database.url, DATA_DIR: folder, RULES_DIR: folder, ...APP_SETTINGS, ...settings },
      clock,
    );
    const { users, tokens: made } = createAccessServices({ dataSource, clock, dataDir: folder });
    const here = { name: 'test@host', role: 'admin', means: 'command', userId: null, address: null } as const;
    const tokens: Record<string, string> = {};
    for (const role of USER_ROLES) {
      await users.create(here, {
        name: role === 'admin' ? 'boss' : role,
        role,
        password: 'twelve characters',
      });
      const { token } = await made.create(
        here,
        { name: 'test', expiresInDays: 90 },
        { user: role === 'admin' ? 'boss' : role },
      );
      tokens[role] = token;
    }
    return new TestConsole(database, dataSource, service, tokens as Record<UserRole, string>, folder);
  }

  get url(): string {
    return this.service.adminUrl;
  }

  /** `path` below `/api/v1`. A body that is an object goes out as JSON. */
  async ask(role: UserRole | null, path: string, init: RequestInit & { json?: unknown } = {}): Promise<Told> {
    const { json, ...rest } = init;
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      ...rest,
      ...(json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }),
      headers: {
        ...(role === null ? {} : { authorization: `Bearer ${this.tokens[role]}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(rest.headers as Record<string, string> | undefined),
      },
    });
    const text = await answer.text();
    const isJson = /[/+]json/.test(answer.headers.get('content-type') ?? '');
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  }

  /** The body of an answer that went well. */
  async get<T = Record<string, unknown>>(role: UserRole, path: string): Promise<T> {
    const { status, body, text } = await this.ask(role, path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return body as T;
  }

  async push({ headers, body }: Omit<Push, 'eventId'>, path = '/webhook/event'): Promise<void> {
    const answer = await fetch(this.service.url + path, { method: 'POST', headers, body });
    if (answer.status !== 200) throw new Error(`push: ${answer.status} ${await answer.text()}`);
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.database.drop();
  }
}
