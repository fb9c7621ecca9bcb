import type { Clock } from '../config/clock.js';
import { deferred, resultOf } from './attempt-meaning.js';
import { httpOutcome, networkOutcome } from './attempt-outcome.js';
import { attemptOf, readAnswer } from './feishu-answer.js';
import { apiOf, type FeishuPlatform, type PlatformCall } from './feishu-platform.js';
import type { OutboundHttp } from './outbound-http.js';
import type { AttemptResult, FeishuAuth, HttpRequest, Sender } from './sender.js';
import { signatureHeaders, signingKeysOf, signingKeyTexts } from './webhook-signature.js';

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
    const host = URL.parse(request.url)?.host ?? '';
    const signature = this.signatureOf(request, actionKey);
    if (signature === null)
      return resultOf(
        'SIGNING_KEY_INVALID',
        'The secret that "sign" names holds no key: write whsec_ and 24 to 64 bytes as base64.',
      );
    const hidden = [...secrets, ...signingKeyTexts(request.sign ?? '')];
    try {
      const answer = await this.http.exchange(
        request,
        { 'idempotency-key': actionKey, ...signature },
        hidden,
      );
      return httpOutcome(answer, request.success, host, this.clock.now());
    } catch (error) {
      return networkOutcome(error, host);
    }
  }

  /** The headers that sign the request; null when what should is no key. */
  private signatureOf(
    { sign, body }: HttpRequest,
    actionKey: string,
  ): Readonly<Record<string, string>> | null {
    if (sign === undefined || sign === null) return {};
    const keys = signingKeysOf(sign);
    return keys && signatureHeaders(keys, actionKey, body ?? '', this.clock.now());
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
      return resultOf(
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
