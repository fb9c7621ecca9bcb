import { v4 as randomUuid } from 'uuid';
import type { Clock } from '../config/clock.js';
import type { RenderedRequest } from './action.js';
import { keptText } from './attempt-outcome.js';
import { drillConnection } from './drill-connection.js';
import { drillMailServer } from './drill-mail.js';
import { DrillFailure, DrillRecord, type DrillStep } from './drill-steps.js';
import type { FeishuPlatform } from './feishu-platform.js';
import type { MailServer } from './mail-server.js';
import type { OutboundHttp } from './outbound-http.js';
import { makeReady, type ReadyRequest } from './ready-request.js';
import type { AttemptResult, FeishuAuth, FeishuText, Senders } from './sender.js';

export { DRILL_STEPS, type DrillStep } from './drill-steps.js';

/** How a drill of one target went: ok when each of its steps is. Steps that a target has not are left out. */
export interface DrillResult {
  readonly target: string;
  readonly ok: boolean;
  readonly steps: readonly DrillStep[];
}

/** Stands before what a drill says to people. */
const MARK = '[Drill 演练] ';

/**
 * Tries a target step by step, as a delivery would reach it: the same settings, the same guard, the same senders. What
 * it sends is marked as a drill, has a key of its own and is kept nowhere.
 */
export class TargetDrill {
  constructor(
    private readonly options: {
      readonly senders: Senders;
      readonly http: OutboundHttp;
      readonly platform: FeishuPlatform;
      /** Null: no mail server is set. */
      readonly mailServer: MailServer | null;
      readonly secrets: ReadonlyMap<string, string>;
      readonly clock: Clock;
    },
  ) {}

  /**
   * Never throws for what a target does.
   *
   * @param target its name, for the answer
   * @param request one that an action of it has rendered
   * @param options `send: false` ends the drill before anything is sent
   */
  async run(
    target: string,
    request: RenderedRequest,
    { send }: { readonly send: boolean },
  ): Promise<DrillResult> {
    const ready = makeReady(request, this.options.secrets);
    const used = 'missing' in ready ? [] : ready.used;
    const record = new DrillRecord((detail) => keptText(Buffer.from(detail), used));
    try {
      if ('missing' in ready)
        await record.step('name', () => {
          throw new DrillFailure(
            'SECRET_MISSING',
            `The secret ${ready.missing} is not set: set SECRET_${ready.missing}.`,
          );
        });
      else await this.tryAll(record, ready, send);
    } catch (error) {
      if (!(error instanceof DrillFailure)) throw error;
    }
    return { target, ok: record.steps.every(({ ok }) => ok), steps: record.steps };
  }

  private async tryAll(record: DrillRecord, ready: ReadyRequest, send: boolean): Promise<void> {
    const now = this.options.clock.now();
    if (ready.kind === 'email') {
      const { mailServer } = this.options;
      if (mailServer === null)
        await record.step('name', () => {
          throw new DrillFailure('SMTP_NOT_CONFIGURED', 'No mail server is set: set SMTP_URL.');
        });
      else await drillMailServer(record, mailServer, now);
    } else {
      const { url, auth } = await this.placeOf(record, ready);
      await drillConnection(record, this.doorTo(url, auth).way, url, now);
      if (auth !== null) await this.login(record, auth);
    }
    if (!send) return;
    await record.step('answer', async () => {
      const result = await this.send(ready);
      if (result.outcome !== 'delivered') throw DrillFailure.of(result);
      return [null, result.detail];
    });
  }

  /** Where the request goes, and through which app. */
  private async placeOf(
    record: DrillRecord,
    ready: Exclude<ReadyRequest, { readonly kind: 'email' }>,
  ): Promise<{ readonly url: URL; readonly auth: FeishuAuth | null }> {
    const { request } = ready;
    const auth = ready.kind === 'feishu-message' ? ready.request : 'auth' in request ? request.auth : null;
    const app = auth ? this.options.platform.appFor(auth) : null;
    const problem = app !== null && 'ok' in app ? app : null;
    const domain = app !== null && 'domain' in app ? app.domain : '';
    const text = !('url' in request)
      ? domain
      : request.url.startsWith('/')
        ? domain + request.url
        : request.url;
    if (problem === null && URL.canParse(text)) return { url: new URL(text), auth: auth ?? null };
    return await record.step('name', () => {
      throw DrillFailure.of(problem ?? { code: 'URL_INVALID', detail: 'The URL is none.' });
    });
  }

  /** The domains of apps need no allowance, as with their senders. */
  private doorTo(url: URL, auth: FeishuAuth | null): OutboundHttp {
    const { platform, http } = this.options;
    return auth !== null || platform.isAtPlatform(url.href) ? platform.http : http;
  }

  private async login(record: DrillRecord, auth: FeishuAuth): Promise<void> {
    await record.step('login', async () => {
      const app = this.options.platform.appFor(auth);
      const problem = 'ok' in app ? app : await this.options.platform.loginProblem(app);
      if (problem !== null) throw DrillFailure.of(problem);
      return [null, 'The platform gives the app a tenant token.'];
    });
  }

  private async send(ready: ReadyRequest): Promise<AttemptResult> {
    const key = `drill-${randomUuid()}`;
    const { http, email, feishuBot, feishuMessage } = this.options.senders;
    const { used } = ready;
    switch (ready.kind) {
      case 'http': {
        const { request } = ready;
        const kept = Object.entries(request.headers).filter(
          ([name]) => name.toLowerCase() !== 'aftersign-drill',
        );
        const headers = { ...Object.fromEntries(kept), 'aftersign-drill': '1' };
        return await http.send({ ...request, headers }, key, used);
      }
      case 'feishu-bot':
        return await feishuBot.send({ ...ready.request, ...marked(ready.request) }, key, used);
      case 'feishu-message':
        return await feishuMessage.send({ ...ready.request, ...marked(ready.request) }, key, used);
      case 'email': {
        if (email === null)
          throw new DrillFailure('SMTP_NOT_CONFIGURED', 'No mail server is set: set SMTP_URL.');
        const { request } = ready;
        return await email.send({ ...request, subject: MARK + request.subject }, key, used);
      }
    }
  }
}

/** The text with the mark before it; a card is told by a text, as not every card has a place for it. */
function marked({ text, card }: FeishuText): FeishuText {
  if (card === null) return { text: MARK + (text ?? ''), card: null };
  return { text: `${MARK}This target would get a card here. 此处将收到一张卡片。`, card: null };
}
