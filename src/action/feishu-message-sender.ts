import type { Clock } from '../config/clock.js';
import { deferred, resultOf } from './attempt-meaning.js';
import { attemptOf } from './feishu-answer.js';
import type { FeishuPlatform } from './feishu-platform.js';
import { RateWindows } from './rate-window.js';
import type { AttemptResult, FeishuMessageRequest, Sender } from './sender.js';

/** feishu-events 5.2: for each user and each chat, counted for this process. */
const LIMITS = [{ max: 5, perMs: 1_000 }];
const MOST_BYTES = { text: 150 * 1024, interactive: 30 * 1024 } as const;
const TIMEOUT_MS = 15_000;

/** Sends messages of an app. Every attempt of one action carries the same `uuid`, so that the platform shows one. */
export class FeishuMessageSender implements Sender<FeishuMessageRequest> {
  private readonly receivers = new RateWindows(LIMITS);

  constructor(
    private readonly platform: FeishuPlatform,
    private readonly clock: Clock,
  ) {}

  async send(
    request: FeishuMessageRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    const { to, text, card } = request;
    const app = this.platform.appFor(request);
    if ('ok' in app) return attemptOf(app, '');
    const type = card === null ? 'text' : 'interactive';
    const body = JSON.stringify({
      receive_id: to.id,
      msg_type: type,
      content: JSON.stringify(card ?? { text }),
      uuid: actionKey,
    });
    const size = Buffer.byteLength(body);
    if (size > MOST_BYTES[type])
      return resultOf(
        'FEISHU_MESSAGE_TOO_LARGE',
        `The message has ${size} bytes, Feishu takes ${MOST_BYTES[type]} of a ${card === null ? 'text' : 'card'}: shorten it, for example with | truncate.`,
      );
    const now = this.clock.now();
    const receiver = this.receivers.of(`${app.name} ${to.kind} ${to.id}`);
    if (this.platform.pauseOf(app, 'message') > 0) return this.wait(app);
    if (receiver.wait(now) > 0) return deferred('the receiver', receiver.placeInLine(now));
    receiver.begin(now);
    const answer = await this.platform.call(app, {
      api: 'message',
      method: 'POST',
      path: '/open-apis/im/v1/messages',
      query: { receive_id_type: to.kind },
      body,
      timeoutMs: TIMEOUT_MS,
      secrets,
    });
    // Others were faster while the token was fetched.
    if (!answer.ok && answer.kind === 'throttled' && answer.status === null) return this.wait(app);
    return attemptOf(answer, new URL(app.domain).host);
  }

  private wait(app: Parameters<FeishuPlatform['placeInLine']>[0]): AttemptResult {
    return deferred('messages of the app', this.platform.placeInLine(app, { api: 'message' }));
  }
}
