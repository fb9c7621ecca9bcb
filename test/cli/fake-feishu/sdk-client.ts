import { EventDispatcher, LoggerLevel, WSClient } from '@larksuiteoapi/node-sdk';
import {
  type FakeApp,
  FakeFeishu,
  type FakeFeishuOptions,
} from '../../../src/cli/fake-feishu/fake-feishu.js';
import { until } from '../../support/door.js';

export const APP: FakeApp = {
  appId: 'cli_9f5343c580712544',
  appSecret: 'fake-app-secret',
  encryptKey: 'fake-encrypt-key',
  verificationToken: 'fake-verification-token',
};

// The SDK's client for the discovery would go through it.
process.env['NO_PROXY'] = '127.0.0.1';

interface Envelope {
  readonly header: { readonly event_id: string; readonly token: string };
  readonly event: Readonly<Record<string, unknown>>;
}

/** The real client of the platform's SDK, keeping what it gets. */
export class SdkClient {
  readonly got: Envelope[] = [];
  /** Texts of what the SDK logs at error level. */
  readonly errors: string[] = [];
  readonly fatal: Error[] = [];
  ready = 0;
  reconnected = 0;
  /** What the handler does with an event. */
  handle: (envelope: Envelope) => Promise<unknown> = () => Promise.resolve(undefined);
  private readonly client: WSClient;
  private readonly dispatcher: EventDispatcher;

  constructor(
    fake: FakeFeishu,
    {
      app = APP,
      pingTimeout = 0,
      handshakeTimeoutMs = 0,
    }: { app?: FakeApp; pingTimeout?: number; handshakeTimeoutMs?: number } = {},
  ) {
    const nothing = (): void => undefined;
    const logger = {
      error: (...message: unknown[]) => {
        this.errors.push(message.flat().map(String).join(' '));
      },
      warn: nothing,
      info: nothing,
      debug: nothing,
      trace: nothing,
    };
    this.client = new WSClient({
      appId: app.appId,
      appSecret: app.appSecret,
      domain: fake.url,
      loggerLevel: LoggerLevel.error,
      logger,
      wsConfig: { pingTimeout },
      handshakeTimeoutMs,
      onReady: () => {
        this.ready += 1;
      },
      onReconnected: () => {
        this.reconnected += 1;
      },
      onError: (error) => {
        this.fatal.push(error);
      },
    });
    const invoke = async (envelope: unknown): Promise<unknown> => {
      this.got.push(envelope as Envelope);
      return await this.handle(envelope as Envelope);
    };
    this.dispatcher = new (class extends EventDispatcher {
      override async invoke(envelope: unknown): Promise<unknown> {
        return await invoke(envelope);
      }
    })({ logger });
  }

  get state(): string {
    return this.client.getConnectionStatus().state;
  }

  async start(): Promise<void> {
    await this.client.start({ eventDispatcher: this.dispatcher });
  }

  close(): void {
    this.client.close({ force: true });
  }
}

/** A fake platform and its clients, all ended by `end`. */
export class Stage {
  private readonly clients: SdkClient[] = [];

  private constructor(readonly fake: FakeFeishu) {}

  static async open(options: Partial<FakeFeishuOptions> = {}): Promise<Stage> {
    return new Stage(
      await FakeFeishu.start({
        apps: [APP],
        retryDelaysMs: [20, 40, 80, 160],
        // Far beyond what a busy machine takes: those who are about the limit set their own.
        ackWithinMs: 30_000,
        ...options,
      }),
    );
  }

  client(options?: ConstructorParameters<typeof SdkClient>[1]): SdkClient {
    const client = new SdkClient(this.fake, options);
    this.clients.push(client);
    return client;
  }

  /** A client that the platform pushes to. */
  async connected(options?: ConstructorParameters<typeof SdkClient>[1]): Promise<SdkClient> {
    const before = this.fake.connections(APP.appId);
    const client = this.client(options);
    await client.start();
    await until(() => this.fake.connections(APP.appId) === before + 1);
    return client;
  }

  async end(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.fake.stop();
  }
}
