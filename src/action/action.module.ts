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
import { LeasedRows } from '../queue/leased-rows.js';
import { Wakeup } from '../queue/wakeup.js';
import { AddressGuard } from './address-guard.js';
import { DeliveryStore } from './delivery-store.js';
import { DeliveryWorker, LEASE_SECONDS } from './delivery-worker.js';
import { EmailSender } from './email-sender.js';
import { HttpSender } from './http-sender.js';

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

/** Both senders, as this installation's settings make them. */
class Senders {
  constructor(
    readonly http: HttpSender,
    readonly email: EmailSender | null,
  ) {}
}

/**
 * ROOM 3: from a decision to an effect. A delivery is sent at least once, with the same key each time; it ends
 * `delivered` or `dead` with a reason, and every attempt is kept. What may be lost is only the record of an attempt
 * whose instance died: it is made again, and the target can tell by the key.
 */
@Module({
  imports: [DeliveryModule],
  providers: [
    {
      provide: Senders,
      inject: [Config, Clock],
      useFactory: ({ settings }: Config, clock: Clock) =>
        new Senders(
          new HttpSender(
            { guard: new AddressGuard(settings.OUTBOUND_ALLOW), ca: settings.OUTBOUND_CA },
            clock,
          ),
          settings.SMTP_URL === undefined
            ? null
            : new EmailSender({
                smtpUrl: settings.SMTP_URL,
                from: settings.MAIL_FROM ?? '',
                ca: settings.OUTBOUND_CA,
              }),
        ),
    },
    {
      provide: DeliveryWorker,
      inject: [DataSource, DeliveryStore, Senders, Config, Wakeup, Clock, Log, Metrics],
      useFactory: (
        dataSource: DataSource,
        store: DeliveryStore,
        senders: Senders,
        { instance, settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
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
          { instance, secrets: settings.secrets, wakeup, clock, log, metrics },
        ),
    },
  ],
  exports: [DeliveryWorker],
})
export class ActionModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    private readonly worker: DeliveryWorker,
    private readonly senders: Senders,
  ) {}

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.stop(GRACE_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.senders.http.close(), this.senders.email?.close()]);
  }
}
