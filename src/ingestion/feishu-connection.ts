import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { Tracing } from '../config/tracing.js';
import type { Catalogue } from '../events/catalogue.js';
import { readEnvelope } from '../events/envelope.js';
import type { EventStore } from '../events/event-store.js';
import type { IncomingEvent } from '../events/event.js';
import type { ClientEvents, ConnectedApp, FeishuClient } from './feishu-client.js';
import type { ConnectionFailure } from './feishu-discovery.js';
import { FeishuEvents, parseBody } from './feishu-event.js';

/**
 * `connecting`: for the first time. `failed`: the platform refuses the app; it is asked again, ever less often.
 * Otherwise the connection comes by itself.
 */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'failed' | 'stopped';

/** As `GET /health/ready` shows it. */
export interface ConnectionStatus {
  /** The app's name in the settings. */
  readonly app: string;
  readonly state: ConnectionState;
  /** ISO 8601. */
  readonly since: string;
}

export interface ConnectionTools {
  readonly events: Pick<EventStore, 'store'>;
  readonly catalogue: { readonly current: Catalogue };
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing?: Tracing;
}

type Client = Pick<FeishuClient, 'start' | 'close'>;
/** Makes a client that has not started. */
export type OpenClient = (app: ConnectedApp, events: ClientEvents) => Client;

/** Milliseconds before a new client is tried: doubled each time, and half of it left to chance. */
export interface Patience {
  readonly first: number;
  readonly most: number;
}

const PATIENCE: Patience = { first: 1000, most: 300_000 };
/** Once the delay is at its longest, every so many failures have a line in the log: about one an hour. */
const FAILURES_A_LINE = 12;
const SOURCE = 'feishu-long-connection';

/**
 * One app's long connection: keeps a client alive whatever happens to it, and hands every event to the store. An event
 * is acknowledged after its commit; what is not acknowledged in time the platform sends again.
 */
export class FeishuConnection {
  private readonly made: FeishuEvents;
  private client: Client | null = null;
  private retry: NodeJS.Timeout | null = null;
  private failures = 0;
  private since: number;
  private current: ConnectionState = 'connecting';
  private stopping: Promise<void> | null = null;
  private readonly underway = new Set<Promise<void>>();

  constructor(
    private readonly app: ConnectedApp,
    private readonly tools: ConnectionTools,
    private readonly patience: Patience = PATIENCE,
  ) {
    this.made = new FeishuEvents(app, tools.catalogue);
    this.since = tools.clock.now();
    tools.metrics.connected.set({ app: app.name }, 0);
  }

  get status(): ConnectionStatus {
    return { app: this.app.name, state: this.current, since: new Date(this.since).toISOString() };
  }

  /** Whether events of this app can come in: by its webhook too, if it has one. */
  get isUsable(): boolean {
    return this.current === 'connected' || this.app.mode === 'both';
  }

  /** Begins to connect and does not wait for it. */
  start(open: OpenClient): void {
    if (!this.stopping) this.openClient(open);
  }

  /**
   * Refuses events from now on, waits for those that are being stored, and closes once their acknowledgements are sent.
   * Takes less than 4 s.
   */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    // The store answers each within its time, whatever the database does.
    await Promise.allSettled(this.underway);
    await this.client?.close();
    this.client = null;
    this.change('stopped', 'the service stops');
  }

  private openClient(open: OpenClient): void {
    this.retry = null;
    const client = open(this.app, {
      receive: (body) => this.receive(body),
      connected: () => {
        this.failures = 0;
        this.change('connected', 'events come in');
      },
      lost: () => {
        this.tools.metrics.reconnects.inc({ app: this.app.name });
        this.change('reconnecting', 'the connection ended; another is made');
      },
      ended: (failure) => {
        if (this.client === client) this.ended(failure, open);
      },
    });
    this.client = client;
    client.start();
  }

  /** The SDK gives up at the first no of the platform, for ever. */
  private ended(failure: ConnectionFailure, open: OpenClient): void {
    if (this.stopping) return;
    const { first, most } = this.patience;
    const delay = Math.min(most, first * 2 ** this.failures);
    const isLonger = this.failures === 0 || delay > Math.min(most, first * 2 ** (this.failures - 1));
    if (isLonger || this.failures % FAILURES_A_LINE === 0) this.tell(failure, delay);
    if (failure.kind === 'refused') this.change('failed', 'the platform refuses the app');
    else if (this.current === 'connected') this.change('reconnecting', 'the connection ended');
    this.failures += 1;
    void this.client?.close();
    this.client = null;
    this.retry = setTimeout(
      () => {
        this.openClient(open);
      },
      delay * (0.5 + Math.random() / 2),
    );
  }

  private tell({ kind, platformCode, detail }: ConnectionFailure, delay: number): void {
    const { log } = this.tools;
    const fields = {
      event: 'connection.failed',
      app: this.app.name,
      code: kind === 'refused' ? 'FEISHU_CONNECTION_REFUSED' : 'FEISHU_UNREACHABLE',
      ...(platformCode === null ? {} : { platformCode }),
      failures: this.failures + 1,
      retryMs: delay,
    };
    if (kind === 'refused') log.error(fields, detail);
    else log.warn(fields, detail);
  }

  private change(state: ConnectionState, reason: string): void {
    if (state === this.current) return;
    const { clock, log, metrics } = this.tools;
    const before = this.current;
    this.current = state;
    this.since = clock.now();
    metrics.connected.set({ app: this.app.name }, state === 'connected' ? 1 : 0);
    log.info({ event: 'connection.state', app: this.app.name, state, before }, reason);
  }

  private async receive(body: Buffer): Promise<void> {
    if (this.stopping) {
      this.tools.metrics.received.inc({ source: SOURCE, outcome: 'refused' });
      throw new Error('the service stops');
    }
    const stored = this.store(this.read(body));
    this.underway.add(stored);
    try {
      await stored;
    } finally {
      this.underway.delete(stored);
    }
  }

  private read(body: Buffer): IncomingEvent {
    const value = parseBody(body);
    if (value === undefined) return this.refuse(body, 'BODY_INVALID', 'the event is not JSON in UTF-8');
    const envelope = readEnvelope(value);
    if (typeof envelope === 'string') return this.refuse(body, 'BODY_INVALID', envelope);
    // The connection shows whose events these are; the token is empty here. One that names no app is this app's.
    if (envelope.appId !== null && envelope.appId !== this.app.appId)
      return this.refuse(body, 'NOT_AUTHENTIC', `the event is of another app, ${envelope.appId}`);
    return this.made.of(envelope, SOURCE, body, null);
  }

  private refuse(body: Buffer, code: 'BODY_INVALID' | 'NOT_AUTHENTIC', detail: string): never {
    const { log, metrics } = this.tools;
    metrics.received.inc({ source: SOURCE, outcome: 'refused' });
    log.warn({ event: 'event.refused', app: this.app.name, code, bytes: body.length }, detail);
    throw new Error(code);
  }

  private async store(event: IncomingEvent): Promise<void> {
    const { events, clock, log, metrics, tracing } = this.tools;
    const started = performance.now();
    const { origin, eventId, eventType } = event;
    try {
      const { outcome, id } = await events.store(event);
      const seconds = (performance.now() - started) / 1000;
      metrics.received.inc({ source: SOURCE, outcome });
      metrics.ackSeconds.observe(seconds);
      if (id !== null && tracing?.isOn) {
        const until = clock.now();
        const since = until - seconds * 1000;
        tracing.received({ id, eventType, source: SOURCE, path: null, traceparent: null, since, until });
      }
      const ms = Math.round(seconds * 1000);
      log.info({ event: 'event.received', outcome, id, origin, eventId, eventType, ms }, 'event received');
    } catch (error) {
      metrics.received.inc({ source: SOURCE, outcome: 'failed' });
      log.error({ event: 'event.not-stored', origin, eventId, eventType }, messageOf(error));
      throw error;
    }
  }
}
