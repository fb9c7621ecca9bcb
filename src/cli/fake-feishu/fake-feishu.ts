import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, SystemClock } from '../../config/clock.js';
import type { FakeApp } from './apps.js';
import type { FakeBot } from './bot-api.js';
import { ConnectionPush } from './connection-push.js';
import { type ClientConfig, Connections } from './connections.js';
import { discover } from './discovery.js';
import { type Api, Faults } from './faults.js';
import { addressOf, codeOf, type HttpAnswer, readBody, send } from './http-answer.js';
import type { SentMessage } from './message-api.js';
import { Pushes } from './pushes.js';
import type { PushOptions, PushRecord } from './push-record.js';
import type { Limit } from './rate-limits.js';
import { type ApiCall, RestApi } from './rest.js';
import { WebhookPush } from './webhook-push.js';

export type { FakeApp } from './apps.js';
export type { FakeBot } from './bot-api.js';
export type { ClientConfig } from './connections.js';
export { type EventEnvelope, eventEnvelope } from './envelope.js';
export type { Api, ApiFault, EndpointFault, Faults } from './faults.js';
export type { SentMessage } from './message-api.js';
export type { PushAttempt, PushOptions, PushRecord, Way } from './push-record.js';
export type { ApiCall } from './rest.js';

export interface FakeFeishuOptions {
  /** Of 127.0.0.1; by itself any free one. */
  readonly port?: number;
  readonly apps: readonly FakeApp[];
  /** Milliseconds before each further delivery of an event; by itself 15 s, 5 min, 1 h, 6 h. */
  readonly retryDelaysMs?: readonly number[];
  /** Milliseconds that an acknowledgement may take; by itself 3000. */
  readonly ackWithinMs?: number;
  readonly clientConfig?: Partial<ClientConfig>;
  /** From 0 to below 1: picks connections, cuts and orders. */
  readonly random?: () => number;
  /** For tokens, limits, signatures and the memory of messages; timers are real. */
  readonly clock?: Clock;
  /** Requests that are none to the platform: true when it answered. */
  readonly other?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

export interface ConnectionState {
  readonly id: number;
  readonly appId: string;
  readonly state: 'no ping yet' | 'ready' | 'closing' | 'half-open';
  readonly pings: number;
}

const RETRY_DELAYS_MS = [15_000, 300_000, 3_600_000, 21_600_000];
const CLIENT_CONFIG: ClientConfig = {
  ReconnectCount: -1,
  ReconnectInterval: 1,
  ReconnectNonce: 0,
  PingInterval: 2,
};

/**
 * A Feishu platform on this machine, as far as Aftersign sees it: long connections, pushes and their retries, and the
 * REST APIs. It keeps to what the platform is known to do, and makes mistakes when told to.
 */
export class FakeFeishu {
  /** Switches for what it does wrong. */
  readonly faults = new Faults();
  /** Every call to the platform. */
  readonly calls: ApiCall[] = [];
  /** `http://127.0.0.1:<port>`: the value of `FEISHU_DOMAIN`. */
  readonly url: string;
  private readonly apps: ReadonlyMap<string, FakeApp>;
  private readonly clientConfig: ClientConfig;
  private readonly clock: Clock;
  private readonly rest: RestApi;
  private readonly connected: Connections;
  private readonly connectionPush: ConnectionPush;
  private readonly webhookPush: WebhookPush;
  private readonly pushes: Pushes;

  static async start(options: FakeFeishuOptions): Promise<FakeFeishu> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return new FakeFeishu(server, options);
  }

  private constructor(
    private readonly server: Server,
    private readonly options: FakeFeishuOptions,
  ) {
    const { apps, ackWithinMs = 3000, random = Math.random, retryDelaysMs = RETRY_DELAYS_MS } = options;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.apps = new Map(apps.map((app) => [app.appId, app]));
    this.clientConfig = { ...CLIENT_CONFIG, ...options.clientConfig };
    this.clock = options.clock ?? new SystemClock();
    const now = (): number => this.clock.now();
    this.rest = new RestApi(this.apps, this.faults, this.calls, now);
    this.connected = new Connections(this.faults, this.clientConfig, random, (appId, messageId, code) => {
      this.connectionPush.acknowledge(appId, messageId, code);
    });
    this.connectionPush = new ConnectionPush(this.connected, ackWithinMs, now, random);
    this.webhookPush = new WebhookPush(ackWithinMs, now);
    this.pushes = new Pushes(this.connectionPush, this.webhookPush, retryDelaysMs, random);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, { status: 500, body: { code: 500, msg: String(error) } });
      });
    });
    server.on('upgrade', (request, socket, head) => {
      this.connected.upgrade(request, socket, head);
    });
  }

  /** `data` of process.get, by process id. */
  get processes(): Map<string, object> {
    return this.rest.processes;
  }

  /** `data.user` of user.get, by any of its ids. */
  get users(): Map<string, object> {
    return this.rest.users;
  }

  /** Calls over these are answered with 429; of `bot` for each hook, of the others for each app. */
  get limits(): Map<Api, Limit> {
    return this.rest.limits;
  }

  /** Messages of apps; one with a `uuid` that the last hour has seen is not here again. */
  get messages(): SentMessage[] {
    return this.rest.messages;
  }

  get botMessages(): { readonly hook: string; readonly body: unknown }[] {
    return this.rest.botMessages;
  }

  /** Custom bots by hook token; any other token is answered with 19001. */
  get bots(): Map<string, FakeBot> {
    return this.rest.bots;
  }

  /** By event id; of an event that was pushed twice, the second push. */
  get pushed(): ReadonlyMap<string, PushRecord> {
    return this.pushes.pushed;
  }

  /** All pushes, the oldest first. */
  get records(): readonly PushRecord[] {
    return this.pushes.inOrder;
  }

  /**
   * Delivers an event, and again until it succeeds or the retries are used up. `envelope`: the whole body of version 1
   * or 2, whose token is set as the way demands; a text goes out to the byte.
   */
  push(appId: string, envelope: object | string, options: PushOptions = {}): PushRecord {
    return this.pushes.push(this.appOf(appId), envelope, options);
  }

  /** Resolves when no push is pending. Rejects when the fake is stopped before. */
  async settled(): Promise<void> {
    await this.pushes.settled();
  }

  /** Connections of an app that pushes can go to: open, and their first ping has come. */
  connections(appId: string): number {
    return this.connected.readyOf(appId);
  }

  /** Every connection there is, also those that are half-open or have not pinged yet. */
  connectionList(): ConnectionState[] {
    return this.connected.all().map(({ id, appId, open, ready, halfOpen, pings }) => ({
      id,
      appId,
      state: halfOpen ? 'half-open' : !open ? 'closing' : ready ? 'ready' : 'no ping yet',
      pings,
    }));
  }

  /**
   * Ends connections, all or `count`: `close` says goodbye, `terminate` does not, and `half-open` leaves the socket
   * open, but nothing is read from it or written to it. Answers how many.
   */
  drop(appId: string, how: 'close' | 'terminate' | 'half-open', count = Infinity): number {
    return this.connected.drop(appId, how, count);
  }

  hasWebhook(appId: string): boolean {
    return this.appOf(appId).webhookUrl !== undefined;
  }

  /** Whether the app's webhook answers the check of its address within a second. */
  async verifyWebhook(appId: string): Promise<boolean> {
    return await this.webhookPush.verify(this.appOf(appId));
  }

  /** The access tokens given out so far are good no more. */
  revokeTokens(): void {
    this.rest.tokens.revoke();
  }

  /** Ends everything at once. Pushes that are pending stay so. */
  async stop(): Promise<void> {
    this.pushes.stop();
    this.connectionPush.stop();
    this.connected.stop();
    await this.webhookPush.stop();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  private appOf(appId: string): FakeApp {
    const app = this.apps.get(appId);
    if (!app) throw new Error(`the fake Feishu has no app ${appId}`);
    return app;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = addressOf(request);
    const isDiscovery = pathname === '/callback/ws/endpoint';
    if (!isDiscovery && !pathname.startsWith('/open-apis/')) {
      if (!(await this.options.other?.(request, response)))
        send(response, { status: 404, body: 'not found' });
      return;
    }
    const body = await readBody(request);
    if (body === null) send(response, { status: 413, body: { code: 9499, msg: 'body too large' } });
    else {
      const answer = isDiscovery ? this.discovered(request, body) : this.rest.answer(request, body);
      if (answer) send(response, answer);
    }
  }

  private discovered({ method, url = '' }: IncomingMessage, body: Buffer): HttpAnswer | null {
    const answer =
      method === 'POST'
        ? discover(body, this.faults, this.apps, this.connected, this.clientConfig, this.url)
        : { status: 405, body: { code: 405, msg: 'POST only' } };
    this.calls.push({
      api: 'endpoint',
      at: this.clock.now(),
      status: answer?.status ?? 0,
      code: answer ? codeOf(answer) : 0,
      path: url,
    });
    return answer;
  }
}
