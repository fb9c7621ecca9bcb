import type { DataSource } from 'typeorm';
import { SystemClock } from '../../src/config/clock.js';
import { Metrics } from '../../src/config/metrics.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { EventStore } from '../../src/events/event-store.js';
import { WayOut } from '../../src/ingestion/feishu-agent.js';
import { type ConnectedApp, FeishuClient } from '../../src/ingestion/feishu-client.js';
import { FeishuConnection, type Patience } from '../../src/ingestion/feishu-connection.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { withPartitions } from './database.js';
import { APP } from './feishu.js';
import { TestLog } from './log.js';

export const APP_SECRET = 'canary-app-secret-0b7d';

export interface OpenConnection {
  readonly connection: FeishuConnection;
  readonly log: TestLog;
  readonly metrics: Metrics;
  /** How many clients were made, and how many of them ended. */
  readonly clients: { opened: number; closed: number };
  /** The states it went through, beside the first. */
  states(): unknown[];
  /** Its lines about failures. */
  failures(): {
    readonly level: string;
    readonly code: unknown;
    readonly platformCode: unknown;
    readonly text: string;
  }[];
  /** Lines that stand in the log at most at `debug` are left out. */
  lines(event: string): string[];
}

/** A real store of events, for connections without a whole service around them. */
export async function openStore(dataSource: DataSource): Promise<EventStore> {
  const clock = new SystemClock();
  const partitions = await withPartitions(dataSource, clock.now());
  return new EventStore(dataSource, partitions, new Wakeup(dataSource), clock);
}

/** A connection to the platform at `domain`, started. It loses its patience sooner than the product's. */
export function openConnection(
  domain: string,
  events: EventStore,
  options: {
    readonly patience?: Patience;
    readonly connectWithin?: number;
    readonly ca?: string;
    readonly proxy?: string;
    readonly app?: Partial<ConnectedApp>;
  } = {},
): OpenConnection {
  const log = new TestLog();
  const clock = new SystemClock();
  const metrics = new Metrics();
  const app: ConnectedApp = {
    name: 'default',
    path: '/webhook/event',
    mode: 'long-connection',
    domain,
    appId: APP.id,
    appSecret: APP_SECRET,
    encryptKey: undefined,
    verificationToken: undefined,
    signatureMaxAge: null,
    ...options.app,
  };
  const catalogue = { current: loadBuiltInCatalogue() };
  const connection = new FeishuConnection(
    app,
    { events, catalogue, clock, log, metrics },
    options.patience ?? { first: 10, most: 40 },
  );
  const wayOut = new WayOut(options.ca, options.proxy);
  const clients = { opened: 0, closed: 0 };
  connection.start((of, told) => {
    const connectWithin = options.connectWithin ?? 5000;
    const client = new FeishuClient(of, { wayOut, clock, log, connectWithin }, told);
    clients.opened += 1;
    return {
      start: () => {
        client.start();
      },
      close: async () => {
        await client.close();
        clients.closed += 1;
      },
    };
  });
  const of = (event: string): TestLog['lines'] => log.lines.filter(({ fields }) => fields['event'] === event);
  return {
    connection,
    log,
    metrics,
    clients,
    states: () => of('connection.state').map(({ fields }) => fields['state']),
    failures: () =>
      of('connection.failed').map(({ level, fields, message }) => ({
        level,
        code: fields['code'],
        platformCode: fields['platformCode'],
        text: message,
      })),
    lines: (event) =>
      of(event)
        .filter(({ level }) => level !== 'debug')
        .map(({ message }) => message),
  };
}
