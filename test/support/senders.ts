import { AddressGuard } from '../../src/action/address-guard.js';
import { FeishuBotSender } from '../../src/action/feishu-bot-sender.js';
import { FeishuMessageSender } from '../../src/action/feishu-message-sender.js';
import { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { HttpSender } from '../../src/action/http-sender.js';
import { OutboundHttp, type OutboundHttpOptions } from '../../src/action/outbound-http.js';
import { domainOf } from '../../src/action/outbound.module.js';
import type { Senders } from '../../src/action/sender.js';
import type { Clock } from '../../src/config/clock.js';
import type { Log } from '../../src/config/log.js';
import type { FeishuApp } from '../../src/config/sources.js';
import { TestLog } from './log.js';

/** The real sender, with a door of its own that it closes. */
export class ClosableHttpSender extends HttpSender {
  private readonly door: OutboundHttp;

  constructor(options: OutboundHttpOptions, clock: Clock) {
    const door = new OutboundHttp(options);
    super(door, platformOf({ apps: [], clock }), clock);
    this.door = door;
  }

  close(): Promise<void> {
    return this.door.close();
  }
}

/** The platform as the service makes it. */
export function platformOf({
  apps,
  clock,
  log = new TestLog(),
  ...http
}: { readonly apps: readonly FeishuApp[]; readonly clock: Clock; readonly log?: Log } & Partial<
  Omit<OutboundHttpOptions, 'guard'>
>): FeishuPlatform {
  const guard = new AddressGuard(apps.map(domainOf));
  return new FeishuPlatform({ apps, http: new OutboundHttp({ guard, ca: undefined, ...http }), clock, log });
}

/** All senders but mail, over one HTTP sender. */
export function sendersOver(http: HttpSender, platform: FeishuPlatform, clock: Clock): Senders {
  return {
    http,
    email: null,
    feishuBot: new FeishuBotSender(platform.http, platform, clock),
    feishuMessage: new FeishuMessageSender(platform, clock),
  };
}

/** An app whose platform is at `domain`, like that of a fake. */
export function appAt(domain: string, changes: Partial<FeishuApp> = {}): FeishuApp {
  return {
    name: 'default',
    path: '/webhook/event',
    mode: 'webhook',
    domain,
    appId: 'cli_9f5343c580712544',
    appSecret: 'the-secret-of-the-app',
    encryptKey: undefined,
    verificationToken: undefined,
    signatureMaxAge: null,
    ...changes,
  };
}
