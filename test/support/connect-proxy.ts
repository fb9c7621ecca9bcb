import { createServer as createTlsServer } from 'node:https';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ConnectProxy {
  /** With user and password when it wants them. */
  readonly url: string;
  /** What CONNECT asked for, `host:port`, also what was refused. */
  readonly asked: string[];
  /** Everything else that it was asked; a proxy used rightly sees none. */
  readonly otherRequests: string[];
  readonly headers: IncomingMessage['headers'][];
  /** Answers instead of connecting: a status, nothing at all, no HTTP, or an end. A queue, one for each CONNECT. */
  readonly faults: (number | 'hang' | 'garbage' | 'end')[];
  close(): Promise<void>;
}

/** A real HTTP proxy on this machine, for CONNECT only. */
export async function startConnectProxy(
  options: {
    readonly login?: string;
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Where a target really is; by itself what was asked for. */
    readonly route?: (authority: string) => { readonly host: string; readonly port: number };
  } = {},
): Promise<ConnectProxy> {
  const { login, tls, route = authorityOf } = options;
  const [asked, otherRequests]: [string[], string[]] = [[], []];
  const headers: ConnectProxy['headers'] = [];
  const faults: ConnectProxy['faults'] = [];
  const sockets = new Set<Socket>();
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    otherRequests.push(`${String(request.method)} ${String(request.url)}`);
    response.writeHead(405).end();
  });
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const authority = request.url ?? '';
    asked.push(authority);
    headers.push(request.headers);
    socket.on('error', () => undefined);
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    const fault = request.headers['proxy-authorization'] === wanted ? faults.shift() : 407;
    if (fault === 'hang') return;
    if (fault === 'garbage') socket.end('\0\0no HTTP\r\n\r\n');
    else if (fault === 'end') socket.end();
    else if (fault !== undefined) socket.end(`HTTP/1.1 ${fault} No\r\nContent-Length: 0\r\n\r\n`);
    else {
      const target = connect(route(authority));
      sockets.add(target);
      target
        .on('close', () => {
          sockets.delete(target);
          socket.destroy();
        })
        .on('error', () => {
          socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
        })
        .once('connect', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          target.write(head);
          target.pipe(socket).pipe(target);
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${login === undefined ? '' : `${login}@`}${tls ? 'localhost' : '127.0.0.1'}:${port}`,
    asked,
    otherRequests,
    headers,
    faults,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function authorityOf(authority: string): { host: string; port: number } {
  const { hostname, port } = new URL(`http://${authority}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}
