import { Agent, request as httpRequest } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

export interface Route {
  readonly method: string;
  /** With its parameters, like `/api/v1/users/:name`. */
  readonly path: string;
}

interface Router {
  printRoutes(options: { readonly commonPrefix: boolean }): string;
}

/** All routes, as the router itself tells them. */
export function routesOf(app: NestFastifyApplication): Route[] {
  const router = app.getHttpAdapter().getInstance() as unknown as Router;
  const above: string[] = [];
  return router
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, indent = '', part = '', methods] =
        /^((?:[│ ] {3})*)[├└]── (\S+)(?: \((.+)\))?$/.exec(line) ?? [];
      if (part === '') throw new Error(`The router prints something else now: ${line}`);
      const depth = indent.length / 4;
      above.splice(depth, Infinity, (above[depth - 1] ?? '') + part);
      const path = above[depth] ?? '';
      return (methods?.split(', ') ?? []).map((method) => ({ method, path }));
    });
}

export interface RawAnswer {
  readonly status: number;
  /** Of a problem. */
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Requests whose path goes out as it is written. */
export class RawClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(private readonly url: string) {}

  /** Of an answer that went well no more than the head is read: it may never end. */
  async ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<RawAnswer> {
    const { hostname, port } = new URL(this.url);
    return await new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          hostname,
          port,
          method,
          path,
          agent: this.agent,
          headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        },
        (answer) => {
          const status = answer.statusCode ?? 0;
          const done = (text: string): void => {
            const isProblem =
              answer.headers['content-type']?.includes('problem+json') === true && text !== '';
            const code = isProblem ? (JSON.parse(text) as { code: string }).code : undefined;
            resolve({ status, code, headers: answer.headers });
          };
          if (status < 400) {
            answer.on('error', () => undefined);
            request.on('error', () => undefined);
            request.destroy();
            done('');
            return;
          }
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            done(Buffer.concat(chunks).toString());
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
