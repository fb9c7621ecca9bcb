import type { Clock } from '../config/clock.js';
import type { FeishuApp } from '../config/sources.js';
import { own } from '../events/own-member.js';
import { jsonOf, networkRefusal, type PlatformRefusal, readAnswer, refusal } from './feishu-answer.js';
import type { OutboundHttp } from './outbound-http.js';

const PATH = '/open-apis/auth/v3/tenant_access_token/internal';
const TIMEOUT_MS = 10_000;
/** A token is not used in the last minutes of its life. */
const SPARE_MS = 180_000;
/** After a refusal the platform is not asked again for so long. */
const REFUSED_FOR_MS = 5_000;

export type TokenAnswer = { readonly ok: true; readonly token: string } | PlatformRefusal;

interface Held {
  readonly answer: TokenAnswer;
  /** Clock time in ms. */
  readonly until: number;
}

/** The tenant tokens of the apps: asked for when needed, one request per app at a time, kept until shortly before their end. */
export class TenantTokens {
  private readonly held = new Map<string, Held>();
  private readonly asking = new Map<string, Promise<TokenAnswer>>();

  constructor(
    private readonly http: OutboundHttp,
    private readonly clock: Clock,
  ) {}

  async of(app: FeishuApp): Promise<TokenAnswer> {
    const held = this.held.get(app.name);
    if (held && this.clock.now() < held.until) return held.answer;
    const underway = this.asking.get(app.name);
    if (underway) return await underway;
    const asking = this.ask(app).then(({ answer, until }) => {
      this.held.set(app.name, { answer, until });
      return answer;
    });
    this.asking.set(app.name, asking);
    try {
      return await asking;
    } finally {
      this.asking.delete(app.name);
    }
  }

  /** The platform does not take this token: the next who needs one asks for another. */
  drop(app: FeishuApp, token: string): void {
    const held = this.held.get(app.name);
    if (held?.answer.ok && held.answer.token === token) this.held.delete(app.name);
  }

  private async ask(app: FeishuApp): Promise<Held> {
    const answer = await this.request(app);
    const now = this.clock.now();
    if (!answer.ok) {
      return { answer, until: now + Math.max(REFUSED_FOR_MS, answer.retryAfterMs ?? 0) };
    }
    const { token, expiresMs } = answer;
    return { answer: { ok: true, token }, until: now + Math.max(expiresMs - SPARE_MS, REFUSED_FOR_MS) };
  }

  private async request(
    app: FeishuApp,
  ): Promise<{ readonly ok: true; readonly token: string; readonly expiresMs: number } | PlatformRefusal> {
    const { appId, appSecret, domain } = app;
    if (appId === undefined || appSecret === undefined) {
      return refusal('FEISHU_APP_SECRET_MISSING', secretMissing(app));
    }
    const { host } = new URL(domain);
    try {
      const answer = await this.http.exchange(
        {
          method: 'POST',
          url: domain + PATH,
          headers: { 'content-type': 'application/json; charset=utf-8' },
          body: JSON.stringify({ app_id: appId, app_secret: appSecret }),
          timeoutMs: TIMEOUT_MS,
          success: null,
        },
        {},
        [appSecret],
      );
      const read = readAnswer(answer, host, this.clock.now());
      if (!read.ok)
        return read.code === 'FEISHU_FAILED' || read.code === 'FEISHU_REFUSED'
          ? refused(app, read)
          : notSent(read);
      // Not in `data`: this answer has its members at the top.
      const json = jsonOf(answer);
      const [token, expire] = [own(json, 'tenant_access_token'), own(json, 'expire')];
      if (typeof token !== 'string' || !/^[\x21-\x7e]{1,4096}$/.test(token) || typeof expire !== 'number')
        return refusal('ANSWER_BROKEN', `${host} answered ${answer.status}, but no tenant token.`);
      return { ok: true, token, expiresMs: expire * 1000 };
    } catch (error) {
      return notSent(networkRefusal(error, host));
    }
  }
}

const settingOf = ({ name }: FeishuApp, key: string, variable: string): string =>
  name === 'default' ? variable : `apps.${name}.${key} of SOURCES_FILE`;

const secretMissing = (app: FeishuApp): string =>
  `The Feishu app "${app.name}" has no id or no secret: set ${settingOf(app, 'appId', 'FEISHU_APP_ID')} and ${settingOf(app, 'appSecret', 'FEISHU_APP_SECRET')}.`;

/** Tried again: whoever mends the setting starts the service anew, and nothing is lost until then. */
function refused(app: FeishuApp, read: PlatformRefusal): PlatformRefusal {
  const setting = settingOf(app, 'appSecret', 'FEISHU_APP_SECRET');
  return refusal(
    'FEISHU_APP_REFUSED',
    `${read.detail.replace(/\.$/, '')}: it gives the app "${app.name}" no tenant token, check its id and ${setting}.`,
    { status: read.status, answer: read.text },
  );
}

/** Whatever became of the request for a token: what it was for has not been sent. */
function notSent({ code, detail, status, retryAfterMs, text }: PlatformRefusal): PlatformRefusal {
  return refusal(code, detail, { status, answer: text, retryAfterMs });
}
