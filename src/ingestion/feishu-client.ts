import { setImmediate } from 'node:timers/promises';
import {
  EventDispatcher,
  type HttpInstance,
  type Logger,
  LoggerLevel,
  WSClient,
} from '@larksuiteoapi/node-sdk';
import type { WebSocket } from 'ws';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { FeishuApp } from '../config/sources.js';
import { tellFailures, type WayOut } from './feishu-agent.js';
import { type ConnectionFailure, discover } from './feishu-discovery.js';
import { FragmentMerger, type MergedEvent } from './feishu-frames.js';
import { type ClientSettings, repairedSettings } from './feishu-settings.js';

/** An app that has what a long connection needs. */
export type ConnectedApp = FeishuApp & { readonly appId: string; readonly appSecret: string };

/** What a client tells its owner. */
export interface ClientEvents {
  /** Resolves once the event is stored. A rejection is acknowledged as a failure: the platform sends the event again. */
  receive(body: Buffer): Promise<void>;
  connected(): void;
  /** The socket is gone; the client goes on by itself. */
  lost(): void;
  /** The client has given up. */
  ended(failure: ConnectionFailure): void;
}

export interface ClientOptions {
  readonly wayOut: WayOut;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds for one discovery, and for one handshake. */
  readonly connectWithin: number;
}

/** What is replaced inside the SDK's client. None of it is public: package.json pins the version that has it. */
interface Inside {
  dataCache: Pick<FragmentMerger, 'mergeData' | 'deleteCache' | 'clearAtInterval' | 'destroy'>;
  wsConfig: {
    updateWs(settings: ClientSettings): void;
    setWSInstance(socket: WebSocket | null): void;
  };
  agent: unknown;
  /** Seconds. */
  pingTimeoutSec: number;
}

const PONG_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 1000;

/** Takes every event type, v1 and v2, as bytes. The SDK's own acknowledges a type without a handler, and it is lost. */
class EveryEvent extends EventDispatcher {
  constructor(
    private readonly receive: (body: Buffer) => Promise<void>,
    logger: Logger,
  ) {
    super({ logger, loggerLevel: LoggerLevel.warn });
  }

  override async invoke({ raw }: MergedEvent): Promise<undefined> {
    await this.receive(raw);
  }
}

/**
 * The SDK's long connection of one app, without what loses events in it or ends the process (feishu-events 2). It
 * connects again by itself until the platform says no; then it is done with, and its owner makes another.
 */
export class FeishuClient {
  private readonly client: WSClient;
  private readonly inside: Inside;
  private readonly dispatcher: EveryEvent;
  private socket: WebSocket | null = null;
  /** Ends what belongs to the attempt under way or to the socket it led to. */
  private attempt = new AbortController();
  private closed = false;
  private failure: ConnectionFailure | null = null;
  /** The log has why the attempt under way failed. */
  private told = false;

  constructor(
    private readonly app: ConnectedApp,
    private readonly options: ClientOptions,
    private readonly events: ClientEvents,
  ) {
    const logger = this.logger();
    this.dispatcher = new EveryEvent((body) => events.receive(body), logger);
    this.client = new WSClient({
      appId: app.appId,
      appSecret: app.appSecret,
      domain: app.domain,
      logger,
      // Below this the SDK logs the address of the socket, which is a credential, and parts of events.
      loggerLevel: LoggerLevel.info,
      httpInstance: { request: (request: SdkRequest) => this.discover(request) } as unknown as HttpInstance,
      handshakeTimeoutMs: options.connectWithin,
      wsConfig: { pingTimeout: PONG_WITHIN_MS / 1000 },
      onReady: () => {
        events.connected();
      },
      onReconnected: () => {
        events.connected();
      },
      onReconnecting: () => {
        events.lost();
      },
      onError: ({ message }) => {
        const failure = this.failure ?? {
          kind: 'unreachable',
          platformCode: null,
          detail: messageOf(message),
        };
        if (!this.closed) events.ended(failure);
      },
    });
    this.inside = this.client as unknown as Inside;
    this.replaceInside();
  }

  start(): void {
    // Resolves before it is connected. It rejects for nothing that is known.
    void this.client.start({ eventDispatcher: this.dispatcher });
  }

  /**
   * Ends the client. What was written before, acknowledgements above all, is still sent. Resolves when no socket and no
   * timer is left, after a second at most.
   */
  async close(): Promise<void> {
    this.closed = true;
    // The acknowledgement of an event that was stored just now is written within this turn.
    await setImmediate();
    const { socket } = this;
    this.client.close();
    if (socket !== null && socket.readyState !== socket.CLOSED) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          socket.terminate();
        }, CLOSE_WITHIN_MS);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.attempt.abort();
  }

  private replaceInside(): void {
    const { inside } = this;
    inside.dataCache.destroy();
    inside.dataCache = new FragmentMerger(this.options.clock);
    const { wsConfig } = inside;
    const updateWs = wsConfig.updateWs.bind(wsConfig);
    wsConfig.updateWs = (settings) => {
      const repaired = repairedSettings(settings);
      updateWs(repaired);
      // The SDK waits anew from each ping on: waiting as long as until the next would never end.
      if (repaired.pingInterval !== undefined)
        inside.pingTimeoutSec = Math.min(PONG_WITHIN_MS, repaired.pingInterval * 0.9) / 1000;
    };
    const setSocket = wsConfig.setWSInstance.bind(wsConfig);
    wsConfig.setWSInstance = (socket) => {
      setSocket(socket);
      if (socket !== null) this.opened(socket);
    };
  }

  /** The SDK listens a little later than the socket opens: frames, and the end, wait until it does. */
  private opened(socket: WebSocket): void {
    this.socket = socket;
    socket.pause();
    void setImmediate().then(() => {
      socket.resume();
    });
  }

  /** Stands in for the SDK's HTTP client. It sends nothing but the discovery. */
  private async discover({ url, headers, data }: SdkRequest): Promise<SdkAnswer> {
    const { appSecret, name } = this.app;
    const { wayOut, connectWithin, log } = this.options;
    this.attempt.abort();
    this.attempt = new AbortController();
    const { signal } = this.attempt;
    if (this.closed) this.attempt.abort();
    const answer = await discover({
      url,
      headers,
      body: JSON.stringify(data),
      secret: appSecret,
      wayOut,
      signal: AbortSignal.any([signal, AbortSignal.timeout(connectWithin)]),
    });
    if (answer.kind !== 'discovered') {
      this.failure = answer;
      // A code that makes the SDK give up at once, whatever the reason: how long to wait is not left to it.
      return { code: 1, msg: '', data: {} };
    }
    this.failure = null;
    const { protocol, host } = new URL(answer.url);
    const agent = wayOut.agentFor(protocol, signal);
    this.told = false;
    tellFailures(agent, (reason) => {
      if (signal.aborted) return;
      this.told = true;
      log.warn({ event: 'connection.trouble', app: name }, `the socket to ${host} did not open: ${reason}`);
    });
    this.inside.agent = agent;
    return { code: 0, msg: '', data: { URL: answer.url, ClientConfig: answer.settings } };
  }

  private logger(): Logger {
    const { log } = this.options;
    const to =
      (level: 'debug' | 'warn') =>
      (...parts: unknown[]): void => {
        const text = parts
          .flat()
          .map(messageOf)
          .join(' ')
          .replace(/\bwss?:\/\/\S+/g, 'the socket');
        const isKnown =
          this.closed || TOLD_ELSEWHERE.test(text) || (this.told && HANDSHAKE_FAILED.test(text));
        log[isKnown ? 'debug' : level]({ event: 'connection.trouble', app: this.app.name }, messageOf(text));
      };
    return { error: to('warn'), warn: to('warn'), info: to('debug'), debug: to('debug'), trace: to('debug') };
  }
}

/** Lines of the SDK that our own say better. */
const TOLD_ELSEWHERE = /^\[ws\] (?:code: |ws error|connect failed|invoke event failed)/;
const HANDSHAKE_FAILED = /^\[ws\] ws connect failed/;

interface SdkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

interface SdkAnswer {
  readonly code: number;
  readonly msg: string;
  readonly data: { readonly URL?: string; readonly ClientConfig?: Readonly<Record<string, unknown>> };
}
