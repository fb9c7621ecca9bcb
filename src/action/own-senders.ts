import type { Clock } from '../config/clock.js';
import type { Config } from '../config/config.js';
import { EmailSender } from './email-sender.js';
import { FeishuBotSender } from './feishu-bot-sender.js';
import { FeishuMessageSender } from './feishu-message-sender.js';
import type { FeishuPlatform } from './feishu-platform.js';
import { HttpSender } from './http-sender.js';
import type { MailServer } from './mail-server.js';
import type { OutboundHttp } from './outbound-http.js';
import type { Senders } from './sender.js';

/** The senders, as this installation's settings make them. */
export class OwnSenders implements Senders {
  readonly http: HttpSender;
  readonly email: EmailSender | null;
  readonly mailServer: MailServer | null;
  readonly feishuBot: FeishuBotSender;
  readonly feishuMessage: FeishuMessageSender;

  constructor(
    settings: Pick<Config, 'SMTP_URL' | 'MAIL_FROM' | 'OUTBOUND_CA'>,
    http: OutboundHttp,
    platform: FeishuPlatform,
    clock: Clock,
  ) {
    this.http = new HttpSender(http, platform, clock);
    this.feishuBot = new FeishuBotSender(http, platform, clock);
    this.feishuMessage = new FeishuMessageSender(platform, clock);
    const { SMTP_URL: smtpUrl, MAIL_FROM: from = '', OUTBOUND_CA: ca } = settings;
    this.mailServer = smtpUrl === undefined ? null : { smtpUrl, ca };
    this.email = this.mailServer === null ? null : new EmailSender({ ...this.mailServer, from });
  }
}
