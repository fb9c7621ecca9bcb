import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Browser } from './browser.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { APP_SETTINGS, approverEvent, envelopeOf, pushOf } from './feishu.js';
import { temporaryFolder } from './folder.js';
import { CHILD_ENVIRONMENT } from './process.js';

export const PASSWORD = 'twelve characters';
export type Role = 'viewer' | 'operator' | 'admin';

/** So many events make at least one delivery of each state, dead and held ones among them. */
const EVENTS = 48;

/** console/stage.mjs as a process of its own: the built service with something to see in it, on a database of this run. */
export class Stage {
  private constructor(
    private readonly child: ChildProcess,
    private readonly database: TestDatabase,
    /** Of the service. */
    readonly url: string,
    /** The entity of a process that has everything. */
    readonly process: string,
    /** Where its rule files are. */
    readonly rules: string,
  ) {}

  static async start(events = EVENTS): Promise<Stage> {
    const database = await createTestDatabase();
    const folder = temporaryFolder('stage');
    const child = spawn(process.execPath, ['console/stage.mjs'], {
      env: {
        ...CHILD_ENVIRONMENT,
        ...APP_SETTINGS,
        DATA_DIR: folder,
        DATABASE_URL: database.url,
        STAGE_EVENTS: String(events),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    for await (const line of createInterface({ input: child.stdout })) {
      const { url, process: shown } = JSON.parse(line) as { url: string; process: string };
      return new Stage(child, database, url, shown, join(folder, 'rules'));
    }
    await database.drop();
    throw new Error(`the stage ended before it stood\n${errors}`);
  }

  /** Signed in to its API, as the console is. */
  async as(role: Role): Promise<Browser> {
    const browser = new Browser(this.url);
    const { status } = await browser.login(role, PASSWORD);
    if (status !== 200) throw new Error(`${role} cannot sign in: ${status}`);
    return browser;
  }

  /** Sends an event, encrypted and signed as Feishu does. */
  async push(changes: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<void> {
    if (!(await this.tryPush(changes, header))) throw new Error('the event was refused');
  }

  /** Whether the event was taken. */
  async tryPush(changes: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<boolean> {
    const { headers, body } = pushOf(envelopeOf(approverEvent(changes), header));
    const answer = await fetch(`${this.url}/webhook/event`, { method: 'POST', headers, body });
    await answer.text();
    return answer.status === 200;
  }

  /** Asks `path` of the API until the answer is the wanted one; of a list: until it has a row. */
  async until(path: string, wanted: (answer: unknown) => boolean = hasRow): Promise<void> {
    const api = await this.as('operator');
    for (let tries = 0; tries < 200; tries += 1) {
      if (wanted((await api.ask('GET', `/api/v1${path}`)).body)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`GET ${path} did not become what was wanted`);
  }

  /** Of a file below the rules folder. */
  async ruleText(path: string): Promise<string> {
    return await readFile(join(this.rules, path), 'utf8');
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    await this.database.drop();
  }
}

function hasRow(answer: unknown): boolean {
  return (answer as { items: unknown[] }).items.length > 0;
}
