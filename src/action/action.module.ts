import {
  type BeforeApplicationShutdown,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { Tracing } from '../config/tracing.js';
import { LeasedRows } from '../queue/leased-rows.js';
import { Wakeup } from '../queue/wakeup.js';
import { DeliveryStore } from './delivery-store.js';
import { DeliveryWorker, LEASE_SECONDS } from './delivery-worker.js';
import { FeishuPlatform } from './feishu-platform.js';
import { OutboundHttp } from './outbound-http.js';
import { OutboundModule } from './outbound.module.js';
import { OwnSenders } from './own-senders.js';
import { TargetDrill } from './target-drill.js';

/** Milliseconds that requests under way get to end when the service stops. */
const GRACE_MS = 5000;

/** The door of the action room, for those who only hand deliveries over or read them. */
@Module({
  providers: [
    {
      provide: DeliveryStore,
      inject: [DataSource, Wakeup],
      useFactory: (dataSource: DataSource, wakeup: Wakeup) => new DeliveryStore(dataSource, wakeup),
    },
  ],
  exports: [DeliveryStore],
})
export class DeliveryModule {}

/**
 * ROOM 3: from a decision to an effect. A delivery is sent at least once, with the same key each time; it ends
 * `delivered` or `dead` with a reason, and every attempt is kept. What may be lost is only the record of an attempt
 * whose instance died: it is made again, and the target can tell by the key.
 */
@Module({
  imports: [DeliveryModule, OutboundModule],
  providers: [
    {
      provide: OwnSenders,
      inject: [Config, OutboundHttp, FeishuPlatform, Clock],
      useFactory: (config: Config, http: OutboundHttp, platform: FeishuPlatform, clock: Clock) =>
        new OwnSenders(config.settings, http, platform, clock),
    },
    {
      provide: TargetDrill,
      inject: [Config, OwnSenders, OutboundHttp, FeishuPlatform, Clock],
      useFactory: (
        { settings: { secrets } }: Config,
        senders: OwnSenders,
        http: OutboundHttp,
        platform: FeishuPlatform,
        clock: Clock,
      ) => new TargetDrill({ senders, http, platform, mailServer: senders.mailServer, secrets, clock }),
    },
    {
      provide: DeliveryWorker,
      inject: [DataSource, DeliveryStore, OwnSenders, Config, Wakeup, Clock, Log, Metrics, Tracing],
      useFactory: (
        dataSource: DataSource,
        store: DeliveryStore,
        senders: OwnSenders,
        { instance, settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        tracing: Tracing,
      ) =>
        new DeliveryWorker(
          dataSource,
          new LeasedRows(
            dataSource,
            { table: 'action_keys', ready: 'pending', taken: 'delivering' },
            instance,
            LEASE_SECONDS,
          ),
          store,
          senders,
          { instance, secrets: settings.secrets, wakeup, clock, log, metrics, tracing },
        ),
    },
  ],
  exports: [DeliveryWorker, TargetDrill],
})
export class ActionModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    private readonly worker: DeliveryWorker,
    private readonly senders: OwnSenders,
  ) {}

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop(GRACE_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.senders.email?.close();
  }
}
