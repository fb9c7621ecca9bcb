import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../config/clock.js';
import type { OutboundAllowance } from '../config/outbound-allowance.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import type { FeishuApp } from '../config/sources.js';
import { Tracing } from '../config/tracing.js';
import { AddressGuard } from './address-guard.js';
import { FeishuPlatform } from './feishu-platform.js';
import { OutboundHttp } from './outbound-http.js';

/** What goes out by HTTP, for every room: to anybody, and to Feishu's platform. One of each in a process. */
@Module({
  providers: [
    {
      provide: OutboundHttp,
      inject: [Config, Tracing],
      useFactory: ({ settings }: Config, tracing: Tracing) =>
        new OutboundHttp({
          guard: new AddressGuard(settings.OUTBOUND_ALLOW),
          ca: settings.OUTBOUND_CA,
          proxy: settings.OUTBOUND_PROXY,
          tracing,
        }),
    },
    {
      provide: FeishuPlatform,
      inject: [Config, Clock, Log, Tracing],
      useFactory: ({ settings }: Config, clock: Clock, log: Log, tracing: Tracing) =>
        new FeishuPlatform({
          apps: settings.feishuApps,
          http: new OutboundHttp({
            guard: new AddressGuard(settings.feishuApps.map(domainOf)),
            ca: settings.OUTBOUND_CA,
            proxy: settings.OUTBOUND_PROXY,
            tracing,
          }),
          clock,
          log,
        }),
    },
  ],
  exports: [OutboundHttp, FeishuPlatform],
})
export class OutboundModule implements OnApplicationShutdown {
  constructor(
    private readonly http: OutboundHttp,
    private readonly platform: FeishuPlatform,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.http.close(), this.platform.close()]);
  }
}

/** The operator has named the platform's address: it needs no allowance, wherever it is. */
export function domainOf({ domain }: Pick<FeishuApp, 'domain'>): OutboundAllowance {
  const { hostname, port, protocol } = new URL(domain);
  return {
    kind: 'host',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
}
