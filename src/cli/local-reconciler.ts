import { AddressGuard } from '../action/address-guard.js';
import { FeishuPlatform } from '../action/feishu-platform.js';
import { OutboundHttp } from '../action/outbound-http.js';
import { domainOf } from '../action/outbound.module.js';
import { asksPlatform } from '../config/config.js';
import { Metrics } from '../config/metrics.js';
import { LookupFetcher } from '../rules/lookup-fetcher.js';
import { RadarRoom } from '../rules/radar/radar-room.js';
import type { Reconciler } from '../rules/radar/reconciler.js';
import type { Installation } from './installation.js';
import { Silence } from './local-drill.js';

/** Does one piece of work with who asks the platform by this machine's settings; null: nobody does. */
export async function withLocalReconciler<T>(
  { settings, clock, dataSource, builtIn, events, rules }: Installation,
  work: (reconciler: Reconciler | null) => Promise<T>,
): Promise<T> {
  const { OUTBOUND_CA: ca, OUTBOUND_PROXY: proxy, OUTBOUND_ALLOW, feishuApps: apps, secrets } = settings;
  const log = new Silence();
  const http = new OutboundHttp({ guard: new AddressGuard(OUTBOUND_ALLOW), ca, proxy });
  const platform = new FeishuPlatform({
    apps,
    http: new OutboundHttp({ guard: new AddressGuard(apps.map(domainOf)), ca, proxy }),
    clock,
    log,
  });
  try {
    const { evaluations, ruleSets, reconciled } = rules;
    const room = new RadarRoom(dataSource, { evaluations, ruleSets, reconciled, events }, builtIn, {
      clock,
      timezone: settings.DEFAULT_TIMEZONE,
      asks: asksPlatform(settings),
      way: { fetcher: new LookupFetcher(platform, http, secrets, clock), log, metrics: new Metrics() },
    });
    return await work(room.reconciler);
  } finally {
    await Promise.all([http.close(), platform.close()]);
  }
}
