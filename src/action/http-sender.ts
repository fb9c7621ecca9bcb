import type { Clock } from '../config/clock.js';
import { httpOutcome, networkOutcome, refusedRequest } from './attempt-outcome.js';
import { attemptOf, deferred, readAnswer } from './feishu-answer.js';
import { apiOf, type FeishuPlatform, type PlatformCall } from './feishu-platform.js';
import type { OutboundHttp } from './outbound-http.js';
import type { AttemptResult, FeishuAuth, HttpRequest, Sender } from './sender.js';

/** Sends HTTP actions: to anybody, and with `auth` to the platform's own APIs. */
export class HttpSender implements Sender<HttpRequest> {
  constructor(
    private readonly http: OutboundHttp,
    private readonly platform: FeishuPlatform,
    private readonly clock: Clock,
  ) {}

  async send(
    request: HttpRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    if (request.auth) return await this.sendAsApp(request, request.auth, actionKey, secrets);
    const host = URL.canParse(request.url) ? new URL(request.url).host : '';
    try {
      const answer = await this.http.exchange(request, { 'idempotency-key': actionKey }, secrets);
      return httpOutcome(answer, request.success, host, this.clock.now());
    } catch (error) {
      return networkOutcome(error, host);
    }
  }

  private async sendAsApp(
    { method, url, headers, body, timeoutMs, success }: HttpRequest,
    auth: FeishuAuth,
    actionKey: string,
    secrets: readonly string[],
  ): Promise<AttemptResult> {
    const app = this.platform.appFor(auth);
    if ('ok' in app) return attemptOf(app, '');
    const whole = url.startsWith('/') ? app.domain + url : url;
    const parsed = URL.canParse(whole) ? new URL(whole) : null;
    // The token of the app goes to its own platform, and nowhere else.
    if (parsed?.origin !== app.domain)
      return refusedRequest(
        'FEISHU_HOST_MISMATCH',
        `The URL is not at ${app.domain}, the address of the app "${app.name}": begin it with /open-apis/.`,
      );
    const path = parsed.pathname + parsed.search;
    const call: PlatformCall = {
      api: apiOf(method, path),
      method,
      path,
      headers: { ...headers, 'idempotency-key': actionKey },
      ...(body === null ? {} : { body }),
      timeoutMs,
      secrets,
    };
    const answer = await this.platform.exchange(app, call);
    if ('ok' in answer)
      return answer.kind === 'throttled' && answer.status === null
        ? deferred('this API', this.platform.placeInLine(app, call))
        : attemptOf(answer, parsed.host);
    const read = readAnswer(answer, parsed.host, this.clock.now());
    if (success === null) return attemptOf(read, parsed.host);
    const outcome = httpOutcome(answer, success, parsed.host, this.clock.now());
    // What the platform itself says of a failure tells more than the status.
    return outcome.outcome === 'delivered' || read.ok ? outcome : attemptOf(read, parsed.host);
  }
}
