import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodeFrame, encodeFrame, type Frame, headerOf } from '../../src/cli/fake-feishu/frame.js';
import { until } from './door.js';

/** As the published frames have it. */
export const SERVICE_ID = 33554678;
export const PONG = { ReconnectCount: -1, ReconnectInterval: 1, ReconnectNonce: 0, PingInterval: 1 };

/** One socket of a client, as the platform's side of it. */
export class BareSocket {
  /** Everything that came, in order. */
  readonly received: Frame[] = [];
  readonly bytes: Buffer[] = [];
  closed = false;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.bytes.push(data);
      this.received.push(decodeFrame(data));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  get pings(): number {
    return this.received.filter((frame) => headerOf(frame, 'type') === 'ping').length;
  }

  get acks(): readonly Frame[] {
    return this.received.filter(({ method }) => method === 1);
  }

  send(...frames: readonly (Frame | Uint8Array)[]): this {
    for (const frame of frames)
      this.socket.send(frame instanceof Uint8Array ? frame : encodeFrame(frame), { binary: true });
    return this;
  }

  /** The code of the acknowledgement of a message, once it is there. */
  async ack(messageId: string, ms?: number): Promise<{ readonly code: number; readonly data?: string }> {
    const find = (): Frame | undefined =>
      this.acks.find((frame) => headerOf(frame, 'message_id') === messageId);
    await until(() => find() !== undefined, ms);
    return JSON.parse(find()?.payload?.toString('utf8') ?? '') as { code: number };
  }
}

/** What a discovery is answered with. */
export type DiscoveryAnswer = { readonly status: number; readonly body: string } | 'hang';

export interface BareOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Of the address that discoveries answer. */
  readonly path?: string;
  readonly port?: number;
}

/**
 * The platform's side of the long connection with nothing of its own: it answers discoveries, opens sockets and replies
 * to pings as told; a test does the rest.
 */
export class BarePlatform {
  readonly sockets: BareSocket[] = [];
  readonly discoveries: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  /** Instead of the usual answers, one a discovery. */
  readonly answers: DiscoveryAnswer[] = [];
  /** Instead of opening a socket, one an upgrade. */
  readonly upgrades: ((socket: Duplex, request: IncomingMessage) => void)[] = [];
  /** Called with a socket that just opened, before anything is read from it. */
  opened: (socket: BareSocket) => void = () => undefined;
  /** The payload of pongs; null: none are sent. */
  pong: string | null = JSON.stringify(PONG);
  settings: unknown = PONG;
  private readonly raw = new Set<Socket>();

  static async start(options: BareOptions = {}): Promise<BarePlatform> {
    const server = options.tls ? createHttpsServer(options.tls) : createHttpServer();
    await new Promise<void>((resolve) => {
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return new BarePlatform(server, options);
  }

  private constructor(
    private readonly server: ReturnType<typeof createHttpServer | typeof createHttpsServer>,
    private readonly options: BareOptions,
  ) {
    const sockets = new WebSocketServer({ noServer: true });
    server.on('connection', (socket: Socket) => {
      this.raw.add(socket);
      socket.on('close', () => this.raw.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.discovered(request, response);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => undefined);
      const instead = this.upgrades.shift();
      if (instead) {
        // Otherwise the end of it would not be noticed, or be half of one.
        socket.resume().on('end', () => socket.destroy());
        instead(socket, request);
        return;
      }
      // What is sent while it opens goes out together with the answer to the upgrade.
      socket.cork();
      process.nextTick(() => {
        socket.uncork();
      });
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const bare = new BareSocket(webSocket);
        this.sockets.push(bare);
        webSocket.on('message', (data: Buffer) => {
          const frame = decodeFrame(data);
          if (headerOf(frame, 'type') === 'ping' && this.pong !== null) bare.send(pongFrame(this.pong));
        });
        this.opened(bare);
      });
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What `FEISHU_DOMAIN` is set to. */
  get url(): string {
    return this.options.tls ? `https://localhost:${this.port}` : `http://127.0.0.1:${this.port}`;
  }

  /** The address that discoveries answer. It holds a ticket that no log may have. */
  get address(): string {
    const path =
      this.options.path ?? `/ws/v2?fpid=493&device_id=1&service_id=${SERVICE_ID}&ticket=canary-ticket`;
    return this.url.replace(/^http/, 'ws') + path;
  }

  /** TCP connections that are open. */
  get open(): number {
    return this.raw.size;
  }

  /** The n-th socket (from 0), once its first ping has come. */
  async socket(index = 0, ms?: number): Promise<BareSocket> {
    await until(() => (this.sockets[index]?.pings ?? 0) > 0, ms);
    return this.sockets[index]!;
  }

  async close(): Promise<void> {
    for (const socket of this.raw) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private discovered(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.discoveries.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const data = { URL: this.address, ClientConfig: this.settings };
      const answer = this.answers.shift() ?? {
        status: 200,
        body: JSON.stringify({ code: 0, msg: '', data }),
      };
      if (answer === 'hang') return;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  }
}

/** A frame that carries (part of) an event. */
export function eventFrame(
  messageId: string,
  payload: string | Buffer,
  headers: Readonly<Record<string, string | null>> = {},
): Frame {
  const all: Record<string, string | null> = {
    type: 'event',
    message_id: messageId,
    sum: '1',
    seq: '0',
    trace_id: 'trace',
    ...headers,
  };
  return {
    seqId: 1n,
    logId: 202301010000n,
    service: SERVICE_ID,
    method: 1,
    headers: Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
    payload: Buffer.from(payload),
  };
}

export function pongFrame(payload: string): Frame {
  return {
    seqId: 0n,
    logId: 0n,
    service: SERVICE_ID,
    method: 0,
    headers: [['type', 'pong']],
    payload: Buffer.from(payload),
  };
}
