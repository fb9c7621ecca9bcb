import type { IncomingMessage } from 'node:http';
import type { FakeApp } from './apps.js';
import { type FakeBot, refusalOf, TAKEN } from './bot-api.js';
import { batchGetId, findUser } from './directory.js';
import type { Api, Faults } from './faults.js';
import { addressOf, codeOf, type HttpAnswer, objectIn } from './http-answer.js';
import { MessageApi, type SentMessage } from './message-api.js';
import { type Limit, RateLimits } from './rate-limits.js';
import { Tokens } from './tokens.js';

/** One call to the platform. */
export interface ApiCall {
  readonly api: Api | 'endpoint';
  readonly at: number;
  /** 0: never answered. */
  readonly status: number;
  /** The `code` of the answer, or its status when it has none. */
  readonly code: number;
  /** With the query. */
  readonly path: string;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly api: Api;
  readonly name: 'token' | 'process' | 'user' | 'batch' | 'message' | 'bot';
}

const ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: /^\/open-apis\/auth\/v3\/tenant_access_token\/internal$/,
    api: 'token',
    name: 'token',
  },
  { method: 'GET', path: /^\/open-apis\/corehr\/v2\/processes\/([^/]+)$/, api: 'process', name: 'process' },
  { method: 'POST', path: /^\/open-apis\/contact\/v3\/users\/batch_get_id$/, api: 'user', name: 'batch' },
  { method: 'GET', path: /^\/open-apis\/contact\/v3\/users\/([^/]+)$/, api: 'user', name: 'user' },
  { method: 'POST', path: /^\/open-apis\/im\/v1\/messages$/, api: 'message', name: 'message' },
  { method: 'POST', path: /^\/open-apis\/bot\/v2\/hook\/([^/]+)$/, api: 'bot', name: 'bot' },
];

interface Call {
  readonly route: Route;
  /** The last part of the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly raw: Buffer;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly authorization: string | undefined;
}

/** The REST APIs of the platform (feishu-events 4 and 5). */
export class RestApi {
  readonly processes = new Map<string, object>();
  readonly users = new Map<string, object>();
  readonly limits = new Map<Api, Limit>([
    ['process', { max: 100, perMs: 60_000 }],
    ['user', { max: 1000, perMs: 60_000 }],
    ['message', { max: 1000, perMs: 60_000 }],
    ['bot', { max: 100, perMs: 60_000 }],
  ]);
  readonly messages: SentMessage[] = [];
  readonly botMessages: { readonly hook: string; readonly body: unknown }[] = [];
  readonly bots = new Map<string, FakeBot>();
  readonly tokens: Tokens;
  private readonly rates: RateLimits;
  private readonly messageApi: MessageApi;

  constructor(
    private readonly apps: ReadonlyMap<string, FakeApp>,
    private readonly faults: Faults,
    private readonly calls: ApiCall[],
    private readonly now: () => number,
  ) {
    this.tokens = new Tokens(now);
    this.rates = new RateLimits(this.limits, now);
    this.messageApi = new MessageApi(this.messages, now);
  }

  /** Answers a request under `/open-apis`; null: it is to hang. */
  answer(request: IncomingMessage, raw: Buffer): HttpAnswer | null {
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams: query } = addressOf(request);
    const route = ROUTES.find((one) => one.method === method && one.path.test(pathname));
    if (!route) return { status: 404, body: '404 page not found' };
    const id = decodeURIComponent(route.path.exec(pathname)?.[1] ?? '');
    const call = { route, id, query, raw, body: objectIn(raw), authorization: headers.authorization };
    const fault = this.faults.api.get(route.api)?.shift();
    const answer = fault === 'hang' ? null : (fault ?? this.answerRightly(call));
    this.calls.push({
      api: route.api,
      at: this.now(),
      status: answer?.status ?? 0,
      code: answer ? codeOf(answer) : 0,
      path: url,
    });
    return answer;
  }

  private answerRightly(call: Call): HttpAnswer {
    const { route, id, body } = call;
    if (route.name === 'bot')
      return (
        this.throttled('bot', id) ??
        refusalOf(this.bots.get(id), body, call.raw.length, this.now()) ??
        this.take(id, body)
      );
    if (route.name === 'token')
      return this.throttled('token', String(body?.['app_id'])) ?? this.giveToken(body);
    const app = this.tokens.appOf(call.authorization);
    if (!app) return failed(401, 99991663, 'Invalid access token for authorization');
    return this.throttled(route.api, app.appId) ?? this.answerApp(app, call);
  }

  private answerApp(app: FakeApp, { route, id, query, body }: Call): HttpAnswer {
    const idType = query.get('user_id_type') ?? 'open_id';
    switch (route.name) {
      case 'process': {
        if (!['open_id', 'union_id', 'user_id', 'people_corehr_id'].includes(idType))
          return failed(400, 9499, `Bad Request: user_id_type "${idType}"`);
        const process = this.processes.get(id);
        return process ? succeeded(process) : failed(404, 1161001, `process ${id} not found`);
      }
      case 'user':
      case 'batch': {
        if (!['open_id', 'union_id', 'user_id'].includes(idType))
          return failed(400, 9499, `Bad Request: user_id_type "${idType}"`);
        if (route.name === 'batch')
          return succeeded({ user_list: batchGetId(this.users, idType, body ?? {}) });
        const user = findUser(this.users, idType, id);
        return user ? succeeded({ user }) : failed(400, 41012, `user ${id} not found`);
      }
      case 'message':
        return this.messageApi.send(app.appId, query, body ?? {});
      case 'token':
      case 'bot':
        throw new Error(`${route.name} is no call of an app with a token`);
    }
  }

  /** The fields stand at the top, not in `data`. */
  private giveToken(body: Readonly<Record<string, unknown>> | null): HttpAnswer {
    const app = this.apps.get(String(body?.['app_id']));
    if (!app || app.appSecret !== body?.['app_secret']) return failed(200, 10014, 'app secret invalid');
    const { token, expire } = this.tokens.give(app);
    return { status: 200, body: { code: 0, msg: 'ok', tenant_access_token: token, expire } };
  }

  private take(hook: string, body: unknown): HttpAnswer {
    this.botMessages.push({ hook, body });
    return TAKEN;
  }

  private throttled(api: Api, caller: string): HttpAnswer | null {
    const wait = this.rates.take(api, caller);
    if (wait === null) return null;
    return {
      ...failed(429, 99991400, 'request trigger frequency limit'),
      headers: {
        'x-ogw-ratelimit-limit': String(this.limits.get(api)?.max ?? 0),
        'x-ogw-ratelimit-reset': String(Math.max(1, Math.ceil(wait / 1000))),
      },
    };
  }
}

function succeeded(data: object): HttpAnswer {
  return { status: 200, body: { code: 0, msg: 'success', data } };
}

/** Numbers that the reference does not name (10014, 41012, 1161001, 99991663) are the fake's own choice. */
function failed(status: number, code: number, msg: string): HttpAnswer {
  return { status, body: { code, msg } };
}
