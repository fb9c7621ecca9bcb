import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { Tracing } from '../config/tracing.js';
import { Catalogue } from '../events/catalogue.js';
import { EventStore } from '../events/event-store.js';
import { EventsModule } from '../events/events.module.js';
import { LiveCatalogue } from '../events/live-catalogue.js';
import { FeishuConnections } from './feishu-connections.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookDoors } from './webhook-doors.js';

/**
 * ROOM 1: from the outside world to a stored event. A sender gets its 200 only after the commit; what is not
 * acknowledged the sender repeats, and the event's key makes the repetition harmless. Nothing else happens here.
 */
@Module({
  imports: [EventsModule],
  controllers: [WebhookController],
  providers: [
    {
      provide: WebhookDoors,
      inject: [Config, LiveCatalogue, Catalogue],
      useFactory: ({ settings }: Config, catalogue: LiveCatalogue, builtIn: Catalogue) =>
        new WebhookDoors(settings, catalogue, builtIn),
    },
    {
      provide: FeishuConnections,
      inject: [Config, EventStore, LiveCatalogue, Clock, Log, Metrics, Tracing],
      useFactory: (
        { settings }: Config,
        events: EventStore,
        catalogue: LiveCatalogue,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        tracing: Tracing,
      ) =>
        new FeishuConnections(
          settings.feishuApps,
          { ca: settings.OUTBOUND_CA, proxy: settings.OUTBOUND_PROXY },
          { events, catalogue, clock, log, metrics, tracing },
        ),
    },
  ],
  exports: [FeishuConnections],
})
export class IngestionModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly connections: FeishuConnections) {}

  onApplicationBootstrap(): void {
    this.connections.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.connections.stop();
  }
}
