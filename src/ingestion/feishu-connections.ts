import type { FeishuApp } from '../config/sources.js';
import { messageOf } from '../config/log.js';
import { WayOut } from './feishu-agent.js';
import type { ConnectedApp } from './feishu-client.js';
import { type ConnectionStatus, type ConnectionTools, FeishuConnection } from './feishu-connection.js';

/** Milliseconds for one discovery, and for one handshake. */
const CONNECT_WITHIN_MS = 10_000;

/** The long connections of all apps that have one. */
export class FeishuConnections {
  private readonly all: readonly FeishuConnection[];
  private starting: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    apps: readonly FeishuApp[],
    private readonly network: { readonly ca: string | undefined; readonly proxy: string | undefined },
    private readonly tools: ConnectionTools,
  ) {
    this.all = apps.filter(isConnected).map((app) => new FeishuConnection(app, tools));
  }

  get statuses(): readonly ConnectionStatus[] {
    return this.all.map(({ status }) => status);
  }

  /** False while the events of some app have no way in. */
  get areUsable(): boolean {
    return this.all.every(({ isUsable }) => isUsable);
  }

  /** Begins to connect and does not wait for it: a platform that is down does not keep the service from starting. */
  start(): void {
    if (this.all.length === 0) return;
    this.starting = this.open().catch((error: unknown) => {
      this.tools.log.error({ event: 'connection.bug' }, messageOf(error));
    });
  }

  /** Takes less than 4 s. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.starting;
    await Promise.all(this.all.map((connection) => connection.stop()));
  }

  private async open(): Promise<void> {
    // Only for those who need it: the SDK takes a quarter of a second to load, and 60 MB.
    const { FeishuClient } = await import('./feishu-client.js');
    if (this.stopped) return;
    const { clock, log } = this.tools;
    const wayOut = new WayOut(this.network.ca, this.network.proxy);
    const options = { wayOut, clock, log, connectWithin: CONNECT_WITHIN_MS };
    for (const connection of this.all)
      connection.start((app, events) => new FeishuClient(app, options, events));
  }
}

function isConnected(app: FeishuApp): app is ConnectedApp {
  return app.mode !== 'webhook' && app.appId !== undefined && app.appSecret !== undefined;
}
