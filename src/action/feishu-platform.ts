import type { Clock } from '../config/clock.js';
import type { Log } from '../config/log.js';
import type { FeishuApp } from '../config/sources.js';
import type { HttpAnswer } from './attempt-outcome.js';
import {
  networkRefusal,
  type PlatformAnswer,
  type PlatformRefusal,
  readAnswer,
  refusal,
} from './feishu-answer.js';
import type { OutboundHttp } from './outbound-http.js';
import { type RateLimit, type RateWindow, RateWindows } from './rate-window.js';
import type { FeishuAuth } from './sender.js';
import { TenantTokens } from './tenant-tokens.js';

export type { PlatformAnswer, PlatformRefusal } from './feishu-answer.js';

/** APIs whose limits are known; each has its own for an app. */
export type PlatformApi = 'process' | 'user' | 'message' | 'other';

export interface PlatformCall {
  readonly api: PlatformApi;
  readonly method: string;
  /** From `/open-apis/` on; what comes from an event is percent-encoded in it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. Absent: none. */
  readonly body?: unknown;
  /** For the request; getting a token may take 10 s more. */
  readonly timeoutMs: number;
  /** Secret values within the call, not to be kept of an answer. */
  readonly secrets?: readonly string[];
}

/** feishu-events 4.2, 4.3, 5.2; per app, and counted for this process. */
const LIMITS: Readonly<Record<PlatformApi, readonly RateLimit[]>> = {
  process: [{ max: 100, perMs: 60_000 }],
  user: [
    { max: 1000, perMs: 60_000 },
    { max: 50, perMs: 1_000 },
  ],
  message: [
    { max: 1000, perMs: 60_000 },
    { max: 50, perMs: 1_000 },
  ],
  other: [],
};

/** Bytes of an answer that are read: a process with a long history is larger than what a target may say. */
const ANSWER_BYTES = 1024 * 1024;

/** Feishu's platform, as the apps of this installation may use it. Tokens and secrets of apps stay in here. */
export class FeishuPlatform {
  private readonly tokens: TenantTokens;
  private readonly windows = windowsOf(LIMITS);
  private readonly apps: readonly FeishuApp[];
  /** The door to the domains of the apps. */
  readonly http: OutboundHttp;
  private readonly clock: Clock;
  private readonly log: Log;

  /** @param options `http`: one of its own, whose guard permits the apps' domains */
  constructor(options: {
    readonly apps: readonly FeishuApp[];
    readonly http: OutboundHttp;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.apps = options.apps;
    this.http = options.http;
    this.clock = options.clock;
    this.log = options.log;
    this.tokens = new TenantTokens(this.http, this.clock);
  }

  /** The app of that name or app id. For null the only one that has an id and a secret; null when there are several. */
  appOf(nameOrAppId: string | null): FeishuApp | null {
    if (nameOrAppId !== null)
      return this.apps.find(({ name, appId }) => name === nameOrAppId || appId === nameOrAppId) ?? null;
    const usable = this.apps.filter(({ appId, appSecret }) => appId !== undefined && appSecret !== undefined);
    return usable.length === 1 ? (usable[0] ?? null) : null;
  }

  /** The app that a message goes through: the named one, else the one that the event came from, else the only one. */
  appFor({ app: named, eventApp }: FeishuAuth): FeishuApp | PlatformRefusal {
    const app = this.appOf(named ?? eventApp) ?? (named === null ? this.appOf(null) : null);
    if (app) return app;
    return refusal(
      'FEISHU_APP_UNKNOWN',
      named === null
        ? 'It is not clear which Feishu app sends: name it in the action with "app", and set its id and secret.'
        : `There is no Feishu app "${named}": set FEISHU_APP_ID, or add it to SOURCES_FILE.`,
    );
  }

  /** Milliseconds until a call of this API may begin; 0: now. */
  pauseOf(app: FeishuApp, api: PlatformApi): number {
    return this.windowOf(app, { api }).wait(this.clock.now());
  }

  /** Milliseconds after which a refused call may come again, behind those that were refused before it. */
  placeInLine(app: FeishuApp, call: Pick<PlatformCall, 'api'> & { readonly path?: string }): number {
    return this.windowOf(app, call).placeInLine(this.clock.now());
  }

  /**
   * Asks the platform with the app's tenant token. Never throws for what it does. A call above a limit is answered
   * `throttled` at once, without a request.
   */
  async call(app: FeishuApp, call: PlatformCall): Promise<PlatformAnswer> {
    const asked = await this.exchange(app, call);
    return 'ok' in asked ? asked : this.read(app, asked);
  }

  /** As `call`, but the answer as it came, for those who judge it themselves. */
  async exchange(app: FeishuApp, call: PlatformCall): Promise<HttpAnswer | PlatformRefusal> {
    const window = this.windowOf(app, call);
    for (let again = false; ; again = true) {
      const before = this.throttled(app, call, window);
      if (before) return before;
      const token = await this.tokens.of(app);
      if (!token.ok) return token;
      // Others may have begun meanwhile.
      const after = this.throttled(app, call, window);
      if (after) return after;
      window.begin(this.clock.now());
      const answer = await this.ask(app, call, token.token);
      if ('ok' in answer) return answer;
      const read = this.read(app, answer);
      if (read.ok) return answer;
      if (read.kind === 'throttled') {
        window.pause(this.clock.now(), read.retryAfterMs ?? 0);
        this.log.warn(
          { event: 'feishu.throttled', app: app.name, api: call.api, ms: read.retryAfterMs },
          read.detail,
        );
      }
      if (read.code !== 'FEISHU_TOKEN_REFUSED') return answer;
      this.tokens.drop(app, token.token);
      if (again) return answer;
    }
  }

  /** Why the app gets no tenant token; null when it has one. */
  async loginProblem(app: FeishuApp): Promise<PlatformRefusal | null> {
    const token = await this.tokens.of(app);
    return token.ok ? null : token;
  }

  /** Whether a URL is at the domain of an app, where requests need no allowance of their own. */
  isAtPlatform(url: string): boolean {
    return URL.canParse(url) && this.apps.some(({ domain }) => domain === new URL(url).origin);
  }

  /** Waits for what is underway; after that nothing is asked any more. */
  async close(): Promise<void> {
    await this.http.close();
  }

  private async ask(
    app: FeishuApp,
    call: PlatformCall,
    token: string,
  ): Promise<HttpAnswer | PlatformRefusal> {
    const { body, query = {}, headers = {} } = call;
    // A path like "@evil.example" would be another host.
    const url = URL.canParse(app.domain + call.path) ? new URL(app.domain + call.path) : null;
    if (url?.origin !== app.domain)
      return refusal('FEISHU_HOST_MISMATCH', `What was to be asked is no path at ${app.domain}.`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = { 'content-type': 'application/json; charset=utf-8' };
    try {
      return await this.http.exchange(
        {
          method: call.method,
          url: url.href,
          headers: text === undefined || 'content-type' in headers ? headers : { ...type, ...headers },
          body: text ?? null,
          timeoutMs: call.timeoutMs,
          success: null,
        },
        { authorization: `Bearer ${token}` },
        [token, ...(app.appSecret === undefined ? [] : [app.appSecret]), ...(call.secrets ?? [])],
        ANSWER_BYTES,
      );
    } catch (error) {
      return networkRefusal(error, url.host);
    }
  }

  private read(app: FeishuApp, answer: HttpAnswer): PlatformAnswer {
    return readAnswer(answer, new URL(app.domain).host, this.clock.now());
  }

  private throttled(app: FeishuApp, { api }: PlatformCall, window: RateWindow): PlatformRefusal | null {
    const wait = window.wait(this.clock.now());
    if (wait === 0) return null;
    const what = api === 'other' ? 'this API' : `the API "${api}"`;
    return refusal(
      'FEISHU_THROTTLED',
      `Nothing was sent: the limit of ${what} for the app "${app.name}" is used up for ${wait} ms.`,
      { retryAfterMs: wait },
    );
  }

  private windowOf(
    app: FeishuApp,
    { api, path = '' }: { readonly api: PlatformApi; readonly path?: string },
  ) {
    // An API that is not known to us is told by the start of its path: what follows are ids.
    const part = api === 'other' ? path.split(/[?#]/)[0]?.split('/').slice(0, 5).join('/') : '';
    return this.windows[api].of(`${app.name} ${part ?? ''}`);
  }
}

function windowsOf(
  limits: Readonly<Record<PlatformApi, readonly RateLimit[]>>,
): Readonly<Record<PlatformApi, RateWindows>> {
  return {
    process: new RateWindows(limits.process),
    user: new RateWindows(limits.user),
    message: new RateWindows(limits.message),
    other: new RateWindows(limits.other),
  };
}

/** The API whose limit a call to a path uses up (feishu-events 4.2, 4.3, 5.2). */
export function apiOf(method: string, path: string): PlatformApi {
  const at = path.split(/[?#]/)[0] ?? '';
  if (method === 'POST' && at === '/open-apis/im/v1/messages') return 'message';
  if (method !== 'GET') return 'other';
  if (/^\/open-apis\/corehr\/v2\/processes\/[^/]+$/.test(at)) return 'process';
  return /^\/open-apis\/contact\/v3\/users\/[^/]+$/.test(at) ? 'user' : 'other';
}
