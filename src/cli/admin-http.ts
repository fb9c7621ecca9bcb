import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, request } from 'undici';
import type { ZodType } from 'zod';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import { isObject } from '../events/own-member.js';
import { HOW_TO_GET } from './admin-token.js';
import type { ServerAddress } from './server-address.js';

/** What is asked of the API. */
export interface AdminRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Under `/api/v1`, each part already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; bytes as lines of JSON. */
  readonly body?: object | Buffer;
}

const CONNECT_MS = 10_000;
/** Longer than any answer takes, and a day's erasure too. */
const ANSWER_MS = 120_000;
const LONGEST_ANSWER = 256 * 1024 * 1024;
/** Of an answer that is told in a message. */
const SHOWN = 200;
const BAD_CERTIFICATE = /CERT|SIGNED|ISSUER|ALTNAME/;

/** The way to the API of a running service. Follows no redirect: the token goes to the address that was given. */
export class AdminHttp {
  private readonly agent: Agent;
  private readonly base: string;

  /** `ca`: PEM certificates trusted besides the usual ones. */
  constructor(
    { origin, path }: ServerAddress,
    private readonly token: string,
    ca: string | undefined,
  ) {
    this.base = `${origin}${path}`;
    const secureContext =
      ca === undefined ? undefined : createSecureContext({ ca: [...getCACertificates('default'), ca] });
    this.agent = new Agent({
      connect: { timeout: CONNECT_MS, ...(secureContext && { secureContext }) },
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    });
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  /**
   * Asks, and answers the JSON that came, as it came; `schema` says what it must be.
   *
   * @throws Refusal
   */
  async ask<T>(asked: AdminRequest, schema: ZodType<T>): Promise<T> {
    const body = await this.jsonOf(await this.send(asked));
    const { success, error } = schema.safeParse(body);
    if (success) return body as T;
    const [issue] = error.issues;
    const place = issue ? ` (${issue.path.join('.')}: ${issue.message})` : '';
    throw this.foreign(`answers ${asked.path} with JSON that this version does not know${place}`);
  }

  /** Asks for something to be done that has no answer. */
  async tell(asked: AdminRequest): Promise<void> {
    const { body } = await this.send(asked);
    await body.dump();
  }

  /** Asks for a stream of bytes. */
  async *stream(asked: AdminRequest): AsyncGenerator<Buffer> {
    const { body } = await this.send(asked);
    try {
      for await (const chunk of body) yield chunk as Buffer;
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private async send({
    method = 'GET',
    path,
    query = {},
    body,
  }: AdminRequest): Promise<Dispatcher.ResponseData> {
    const search = new URLSearchParams(query).toString();
    const isLines = Buffer.isBuffer(body);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await request(`${this.base}/api/v1${path}${search === '' ? '' : `?${search}`}`, {
        dispatcher: this.agent,
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          accept: 'application/json, application/x-ndjson',
          'user-agent': 'aftersign-cli',
          ...(body && { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' }),
        },
        body: body === undefined ? null : isLines ? body : JSON.stringify(body),
      });
    } catch (error) {
      throw this.unreachable(error);
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    throw await this.refusalOf(answer);
  }

  private async refusalOf(answer: Dispatcher.ResponseData): Promise<Refusal> {
    const { statusCode: status, headers } = answer;
    if (status >= 300 && status < 400) {
      const place = printable(String(headers['location'] ?? 'somewhere else')).slice(0, SHOWN);
      await answer.body.dump();
      return this.foreign(`answers ${status}, a redirect to ${place}, and redirects are not followed`);
    }
    const problem = typeOf(answer) === 'application/problem+json' ? await this.jsonOf(answer) : undefined;
    if (!isObject(problem)) {
      await answer.body.dump();
      return this.foreign(`answers ${status}, and not as Aftersign's admin API does`);
    }
    const { code, detail, errors } = problem;
    if (typeof code !== 'string' || typeof detail !== 'string')
      return this.foreign(`answers ${status}, and not as Aftersign's admin API does`);
    const hint =
      status === 401
        ? ` ${HOW_TO_GET}`
        : code === 'NOT_FOUND'
          ? ` The admin API may have a port of its own: see ADMIN_PORT there.`
          : '';
    return new Refusal(status, code, `${detail}${hint}`, {
      errors: Array.isArray(errors) ? errors : undefined,
    });
  }

  private async jsonOf(answer: Dispatcher.ResponseData): Promise<unknown> {
    if (!/^application\/(?:problem\+)?json$/.test(typeOf(answer))) {
      await answer.body.dump();
      throw this.foreign(`answers with "${printable(typeOf(answer)).slice(0, SHOWN)}" and not with JSON`);
    }
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer.body) {
        chunks.push(chunk as Buffer);
        size += (chunk as Buffer).length;
        if (size > LONGEST_ANSWER) break;
      }
    } catch (error) {
      throw this.unreachable(error);
    }
    if (size > LONGEST_ANSWER) throw this.foreign(`answers with more than ${LONGEST_ANSWER} bytes`);
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
    } catch {
      throw this.foreign('answers with what is no JSON');
    }
  }

  private foreign(what: string): Refusal {
    return new Refusal(502, 'SERVER_ANSWER', `${this.base} ${what}: is this the address of the service?`);
  }

  private unreachable(error: unknown): Refusal {
    const { code = '' } = error as NodeJS.ErrnoException;
    const said = messageOf(error) || code;
    const mend = BAD_CERTIFICATE.test(code)
      ? ': name a file with the certificate that signed it in OUTBOUND_CA'
      : '';
    return new Refusal(503, 'SERVER_UNREACHABLE', `${this.base} cannot be reached: ${said}${mend}`);
  }
}

function typeOf({ headers }: Dispatcher.ResponseData): string {
  return (
    String(headers['content-type'] ?? '')
      .split(';')[0]
      ?.trim()
      .toLowerCase() ?? ''
  );
}
