import type { FeishuPlatform } from '../action/feishu-platform.js';
import type { OutboundHttp } from '../action/outbound-http.js';
import { httpOutcome, networkOutcome } from '../action/attempt-outcome.js';
import { makeReady } from '../action/ready-request.js';
import type { Clock } from '../config/clock.js';
import type { FeishuApp } from '../config/sources.js';
import { parseLossless } from '../events/lossless-json.js';
import type { LookupRequest } from './lookup-document.js';
import type { PlannedLookup } from './lookup-plan.js';
import { processValue, userValue } from './lookup-values.js';

/** What came of asking once. */
export type Fetched =
  /** As the service said it: `valueOf` reads it for one event. */
  | { readonly kind: 'answer'; readonly value: unknown }
  /** Asking again cannot help. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'later';
      readonly code: string;
      readonly detail: string;
      /** Not before so many ms, when the service said so. */
      readonly afterMs: number | null;
      /** Asked again for so many ms at most, when it is not known whether that can help. */
      readonly withinMs: number | null;
    };

/** A "no" inside a 200 may stand for trouble that passes, or for "there is no such process". */
const DOUBTFUL = ['FEISHU_FAILED', 'ANSWER_NOT_SUCCESS'];
const DOUBT_MS = 120_000;
/** How long a process detail may lag behind an event. */
const LAG_MS = 12_000;

/**
 * Whether an answer may lack what belongs to the event because it was given too soon: the task is not yet in the
 * detail of its process. What was fetched long enough after the event had come in (ms) is taken as it is.
 */
export function mayLag(
  { request }: PlannedLookup,
  value: unknown,
  fetchedAt: number,
  receivedAt: number,
): boolean {
  if (request.kind !== 'feishu-process' || request.task === null || fetchedAt - receivedAt >= LAG_MS)
    return false;
  return typeof value === 'object' && value !== null && !('task' in value);
}

type HttpLookupRequest = Extract<LookupRequest, { kind: 'http' }>;

/** Asks the platform, or any service by HTTP. Never throws for what a service does. */
export class LookupFetcher {
  private readonly underway = new Map<
    string,
    { readonly since: number; readonly result: Promise<Fetched> }
  >();

  constructor(
    private readonly platform: FeishuPlatform,
    private readonly http: OutboundHttp,
    private readonly secrets: ReadonlyMap<string, string>,
    private readonly clock: Clock,
  ) {}

  /** Names who is asked: what has one name shares a limit, and one that is slow holds up no other. */
  serviceOf({ name, request }: PlannedLookup, appId: string | null): string {
    if (request.kind === 'http') return `http:${name}`;
    return `${request.kind}:${this.appOf(request.app, appId)?.appId ?? ''}`;
  }

  /** Who is asked what, for the cache. All tasks of a process share its detail: the platform gives 100 a minute. */
  keyOf(planned: PlannedLookup, appId: string | null): string {
    const { key, request } = planned;
    const asked = request.kind === 'feishu-process' ? `${request.userIdType} ${request.id}` : key;
    return `${this.serviceOf(planned, appId)} ${asked}`;
  }

  /** What rules read of what a service said. */
  valueOf({ request }: PlannedLookup, said: unknown): unknown {
    if (request.kind === 'feishu-process') return processValue(said, request.task);
    return request.kind === 'feishu-user' ? userValue(said) : said;
  }

  /** Milliseconds until a service may be asked; 0: now. */
  pauseOf(service: string): number {
    const [kind = '', appId = ''] = service.split(':');
    const app = kind === 'http' ? null : this.platform.appOf(appId);
    return app ? this.platform.pauseOf(app, kind === 'feishu-process' ? 'process' : 'user') : 0;
  }

  /**
   * Asks once. Two who want the same at the same time share the request, unless it began before the event of the
   * second had come in (`notBefore`, ms).
   */
  async fetch(
    planned: PlannedLookup,
    appId: string | null,
    notBefore: number,
  ): Promise<{ readonly fetched: Fetched; readonly fetchedAt: number }> {
    const key = this.keyOf(planned, appId);
    const other = this.underway.get(key);
    if (other && other.since >= notBefore) return { fetched: await other.result, fetchedAt: other.since };
    const since = this.clock.now();
    const result = this.ask(planned, appId);
    this.underway.set(key, { since, result });
    try {
      return { fetched: await result, fetchedAt: since };
    } finally {
      if (this.underway.get(key)?.result === result) this.underway.delete(key);
    }
  }

  private async ask(planned: PlannedLookup, appId: string | null): Promise<Fetched> {
    const { request } = planned;
    const { timeout } = planned.document;
    if (request.kind === 'http') return await this.askHttp(request, timeout);
    const app = this.appOf(request.app, appId);
    if (!app) {
      return {
        kind: 'failed',
        code: 'LOOKUP_APP_MISSING',
        detail: `no Feishu app with a secret is set for the look-up "${planned.name}": set FEISHU_APP_ID and FEISHU_APP_SECRET`,
      };
    }
    const isProcess = request.kind === 'feishu-process';
    const answer = await this.platform.call(app, {
      api: isProcess ? 'process' : 'user',
      method: 'GET',
      path: `${isProcess ? '/open-apis/corehr/v2/processes/' : '/open-apis/contact/v3/users/'}${encodeURIComponent(request.id)}`,
      query: { user_id_type: isProcess ? request.userIdType : request.idType },
      timeoutMs: timeout,
    });
    if (answer.ok) return { kind: 'answer', value: answer.data };
    const { code, detail, retryAfterMs } = answer;
    if (answer.kind === 'permanent') return { kind: 'failed', code, detail };
    return later(code, detail, retryAfterMs);
  }

  private async askHttp({ content, secrets }: HttpLookupRequest, timeoutMs: number): Promise<Fetched> {
    const ready = makeReady({ kind: 'http', content, secrets, retry: null }, this.secrets);
    if ('missing' in ready) {
      return {
        kind: 'failed',
        code: 'SECRET_MISSING',
        detail: `the secret ${ready.missing} is not set: set SECRET_${ready.missing}`,
      };
    }
    if (ready.kind !== 'http') throw new Error('a look-up by HTTP is an HTTP request');
    const { request, used } = ready;
    const host = URL.canParse(request.url) ? new URL(request.url).host : 'the service';
    try {
      const answer = await this.http.exchange(
        { ...request, timeoutMs },
        { accept: 'application/json', ...request.headers },
        used,
      );
      const { outcome, code, detail, retryAfterMs } = httpOutcome(
        answer,
        request.success,
        host,
        this.clock.now(),
      );
      if (outcome === 'permanent') return { kind: 'failed', code: code ?? 'LOOKUP_FAILED', detail };
      if (outcome === 'retry') return later(code ?? 'LOOKUP_FAILED', detail, retryAfterMs);
      return valueOfAnswer(answer, used, host);
    } catch (error) {
      const { outcome, code, detail } = networkOutcome(error, host);
      return outcome === 'permanent'
        ? { kind: 'failed', code: code ?? 'LOOKUP_FAILED', detail }
        : later(code ?? 'LOOKUP_FAILED', detail, null);
    }
  }

  /** The app that is named, else the one that the event came from: another's tenant has other people in it. */
  private appOf(named: string | null, appId: string | null): FeishuApp | null {
    const app = this.platform.appOf(named ?? appId);
    return app?.appSecret === undefined ? null : app;
  }
}

function later(code: string, detail: string, afterMs: number | null): Fetched {
  return { kind: 'later', code, detail, afterMs, withinMs: DOUBTFUL.includes(code) ? DOUBT_MS : null };
}

function valueOfAnswer(
  { body, complete }: { readonly body: Uint8Array; readonly complete: boolean },
  secrets: readonly string[],
  host: string,
): Fetched {
  if (!complete)
    return { kind: 'failed', code: 'LOOKUP_ANSWER_TOO_LARGE', detail: `${host} answered more than 64 kB` };
  try {
    let text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    // A service may echo what it was sent, and answers are kept.
    for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, '[redacted]');
    return { kind: 'answer', value: parseLossless(text) };
  } catch {
    return { kind: 'failed', code: 'LOOKUP_ANSWER_INVALID', detail: `${host} answered, but not JSON` };
  }
}
