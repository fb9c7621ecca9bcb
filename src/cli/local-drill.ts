import { AddressGuard } from '../action/address-guard.js';
import { FeishuPlatform } from '../action/feishu-platform.js';
import { OutboundHttp } from '../action/outbound-http.js';
import { domainOf } from '../action/outbound.module.js';
import { OwnSenders } from '../action/own-senders.js';
import { TargetDrill } from '../action/target-drill.js';
import type { Clock } from '../config/clock.js';
import type { Config } from '../config/config.js';
import { Log } from '../config/log.js';

/** Does one piece of work with the senders of this machine's settings. */
export async function withLocalDrill<T>(
  settings: Config,
  clock: Clock,
  work: (drill: TargetDrill) => Promise<T>,
): Promise<T> {
  const { OUTBOUND_CA: ca, OUTBOUND_PROXY: proxy, OUTBOUND_ALLOW, feishuApps: apps, secrets } = settings;
  const http = new OutboundHttp({ guard: new AddressGuard(OUTBOUND_ALLOW), ca, proxy });
  const platform = new FeishuPlatform({
    apps,
    http: new OutboundHttp({ guard: new AddressGuard(apps.map(domainOf)), ca, proxy }),
    clock,
    log: new Silence(),
  });
  const senders = new OwnSenders(settings, http, platform, clock);
  try {
    const { mailServer } = senders;
    return await work(new TargetDrill({ senders, http, platform, mailServer, secrets, clock }));
  } finally {
    await Promise.all([http.close(), platform.close(), senders.email?.close()]);
  }
}

/** What there is to say stands in the answer, and standard output is for that. */
export class Silence extends Log {
  debug(): void {
    return;
  }
  info(): void {
    return;
  }
  warn(): void {
    return;
  }
  error(): void {
    return;
  }
  flush(): void {
    return;
  }
}
