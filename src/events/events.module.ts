import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../config/clock.js';
import { Log, messageOf } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { Partitions } from '../database/partitions.js';
import { Wakeup } from '../queue/wakeup.js';
import { Catalogue, loadBuiltInCatalogue } from './catalogue.js';
import { EventStore } from './event-store.js';
import { LiveCatalogue } from './live-catalogue.js';

/** How soon an instance that evaluates no rules reads events by a new catalogue. */
const REFRESH_MS = 5000;

/** The noun all rooms share: the event, its store, and the catalogue of event types. */
@Module({
  providers: [
    { provide: Catalogue, useFactory: loadBuiltInCatalogue },
    {
      provide: LiveCatalogue,
      inject: [DataSource, Catalogue],
      useFactory: (dataSource: DataSource, builtIn: Catalogue) => new LiveCatalogue(dataSource, builtIn),
    },
    {
      provide: EventStore,
      inject: [DataSource, Partitions, Wakeup, Clock, Metrics],
      useFactory: (
        dataSource: DataSource,
        partitions: Partitions,
        wakeup: Wakeup,
        clock: Clock,
        metrics: Metrics,
      ) => new EventStore(dataSource, partitions, wakeup, clock, metrics),
    },
  ],
  exports: [Catalogue, LiveCatalogue, EventStore],
})
export class EventsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly catalogue: LiveCatalogue,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.catalogue.refresh();
    this.timer = setInterval(() => {
      this.catalogue.refresh().catch((error: unknown) => {
        this.log.warn({ event: 'catalogue.not-refreshed' }, messageOf(error));
      });
    }, REFRESH_MS);
    this.timer.unref();
  }

  beforeApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }
}
