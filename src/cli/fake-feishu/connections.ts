import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FakeApp } from './apps.js';
import type { Faults } from './faults.js';
import { addressOf } from './http-answer.js';
import { CONTROL, DATA, decodeFrame, encodeFrame, type Frame, headerOf } from './frame.js';

/** Told to clients in each discovery and each pong. Seconds, except the count; -1: for ever. */
export interface ClientConfig {
  readonly ReconnectCount: number;
  readonly ReconnectInterval: number;
  readonly ReconnectNonce: number;
  readonly PingInterval: number;
}

/** One socket of a client. */
export class Connection {
  /** The first ping has come: a client may lose what is sent before. */
  ready = false;
  /** Open, but nothing is read from it or written to it. */
  halfOpen = false;
  /** The socket is open, as far as the platform knows. */
  open = true;
  pings = 0;
  private frames = 0n;

  constructor(
    readonly id: number,
    readonly appId: string,
    readonly socket: WebSocket,
  ) {}

  send(frame: Frame): void {
    if (!this.halfOpen) this.socket.send(encodeFrame(frame));
  }

  nextSeqId(): bigint {
    this.frames += 1n;
    return this.frames;
  }
}

/** Called with every acknowledgement: the code in it, or null when it has none. */
export type OnAck = (appId: string, messageId: string, code: number | null) => void;

type HandshakeRefusal = { readonly status: 403 | 514; readonly message: string; readonly code?: number };

/** The long connections of all apps: tickets, handshakes, pings and who is there (feishu-events 2). */
export class Connections {
  private readonly server = new WebSocketServer({ noServer: true, clientTracking: false });
  private readonly tickets = new Map<string, FakeApp>();
  private readonly byApp = new Map<string, Set<Connection>>();
  private readonly hanging = new Set<Duplex>();
  private lastId = 0;

  constructor(
    private readonly faults: Faults,
    private readonly config: ClientConfig,
    private readonly random: () => number,
    private readonly onAck: OnAck,
  ) {}

  /** The address of one connection: it can be used once. */
  addressFor(app: FakeApp, origin: string): string {
    const ticket = randomUUID();
    this.tickets.set(ticket, app);
    // The SDK loses the first parameter of the query: it must be none of those it needs.
    const query = new URLSearchParams({
      fpid: '493',
      aid: '552564',
      device_id: String(randomInt(10 ** 12, 10 ** 14)),
      access_key: randomBytes(16).toString('hex'),
      service_id: String(serviceIdOf(app)),
      ticket,
    });
    return `${origin.replace(/^http/, 'ws')}/ws/v2?${query.toString()}`;
  }

  /** All that are there, whatever becomes of them. */
  all(): Connection[] {
    return [...this.byApp.values()].flatMap((some) => [...some]);
  }

  /** Sockets that count against the app's limit. */
  openOf(appId: string): number {
    return [...this.of(appId)].filter(({ open }) => open).length;
  }

  /** Connections that a push may go to. */
  readyOf(appId: string): number {
    return [...this.of(appId)].filter(({ open, ready, halfOpen }) => open && ready && !halfOpen).length;
  }

  /**
   * One of the app's connections by chance, as the platform sees them: a half-open one is among them until its pings
   * are overdue.
   */
  pick(appId: string): Connection | null {
    const candidates = [...this.of(appId)].filter(({ open, ready }) => open && ready);
    return candidates[Math.floor(this.random() * candidates.length)] ?? null;
  }

  /** Answers the handshake of a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const fault = this.faults.upgrade.shift();
    if (fault === 'hang') {
      this.hanging.add(socket);
      socket.once('close', () => this.hanging.delete(socket));
      return;
    }
    const { pathname, searchParams } = addressOf(request);
    const ticket = searchParams.get('ticket') ?? '';
    const app = pathname === '/ws/v2' ? this.tickets.get(ticket) : undefined;
    this.tickets.delete(ticket);
    if (fault === 'refuse') refuse(socket, { status: 514, message: 'refused on purpose' });
    else if (!app) refuse(socket, { status: 403, message: 'ticket unknown or used' });
    else if (this.openOf(app.appId) >= this.faults.connectionLimit)
      refuse(socket, { status: 514, message: 'too many connections', code: 1000040350 });
    else {
      this.server.handleUpgrade(request, socket, head, (webSocket) => {
        this.accept(app, webSocket);
      });
    }
  }

  /** Ends up to `count` connections of an app. Answers how many. */
  drop(appId: string, how: 'close' | 'terminate' | 'half-open', count: number): number {
    const victims = [...this.of(appId)].filter(({ open, halfOpen }) => open && !halfOpen).slice(0, count);
    for (const connection of victims) {
      if (how === 'half-open') {
        connection.halfOpen = true;
        connection.socket.pause();
        continue;
      }
      connection.open = false;
      if (how === 'close') connection.socket.close(1000);
      else connection.socket.terminate();
    }
    return victims.length;
  }

  stop(): void {
    for (const socket of this.hanging) socket.destroy();
    for (const { socket } of this.all()) socket.terminate();
  }

  private of(appId: string): Set<Connection> {
    const found = this.byApp.get(appId);
    if (found) return found;
    const created = new Set<Connection>();
    this.byApp.set(appId, created);
    return created;
  }

  private accept(app: FakeApp, socket: WebSocket): void {
    this.lastId += 1;
    const connection = new Connection(this.lastId, app.appId, socket);
    const all = this.of(app.appId);
    all.add(connection);
    const overdue = setTimeout(
      () => {
        connection.open = false;
        // A half-open one must not learn it: its client has to find out by itself.
        if (!connection.halfOpen) socket.terminate();
      },
      this.config.PingInterval * 3000 + 1000,
    );
    socket.on('message', (data: Buffer) => {
      this.receive(connection, data, overdue);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      connection.open = false;
      clearTimeout(overdue);
      all.delete(connection);
    });
  }

  private receive(connection: Connection, data: Buffer, overdue: NodeJS.Timeout): void {
    let frame;
    try {
      frame = decodeFrame(data);
    } catch {
      connection.socket.close(1002);
      return;
    }
    const type = headerOf(frame, 'type');
    if (frame.method === CONTROL && type === 'ping') {
      connection.ready = true;
      connection.pings += 1;
      overdue.refresh();
      if (!this.faults.silent) connection.send(this.pongTo(frame));
    } else if (frame.method === DATA) {
      this.onAck(connection.appId, headerOf(frame, 'message_id') ?? '', codeIn(frame.payload));
    }
  }

  /** All four settings: a client takes a missing one for NaN and floods. */
  private pongTo({ service }: Frame): Frame {
    return {
      seqId: 0n,
      logId: 0n,
      service,
      method: CONTROL,
      headers: [['type', 'pong']],
      payload: Buffer.from(JSON.stringify(this.config)),
    };
  }
}

/** The same for every connection of an app, an int32. */
export function serviceIdOf({ appId }: FakeApp): number {
  return 0x2000000 + (Number.parseInt(appId.slice(-6), 16) || 0);
}

/** The headers by which the platform says why; not all SDKs read them. */
function refuse(socket: Duplex, { status, message, code }: HandshakeRefusal): void {
  socket.end(
    [
      'HTTP/1.1 403 Forbidden',
      `Handshake-Status: ${status}`,
      `Handshake-Msg: ${message}`,
      ...(code === undefined ? [] : [`Handshake-Autherrcode: ${code}`]),
      'Content-Length: 0',
      'Connection: close',
      '\r\n',
    ].join('\r\n'),
  );
}

function codeIn(payload: Buffer | undefined): number | null {
  try {
    const ack: unknown = JSON.parse(payload?.toString('utf8') ?? '');
    return typeof ack === 'object' && ack !== null && 'code' in ack && typeof ack.code === 'number'
      ? ack.code
      : null;
  } catch {
    return null;
  }
}
