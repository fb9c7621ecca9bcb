import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../config/clock.js';
import { Partitions } from '../database/partitions.js';
import { Wakeup } from '../queue/wakeup.js';
import { Catalogue, loadBuiltInCatalogue } from './catalogue.js';
import { EventStore } from './event-store.js';

/** The noun all rooms share: the event, its store, and the catalogue of event types. */
@Module({
  providers: [
    { provide: Catalogue, useFactory: loadBuiltInCatalogue },
    {
      provide: EventStore,
      inject: [DataSource, Partitions, Wakeup, Clock],
      useFactory: (dataSource: DataSource, partitions: Partitions, wakeup: Wakeup, clock: Clock) =>
        new EventStore(dataSource, partitions, wakeup, clock),
    },
  ],
  exports: [Catalogue, EventStore],
})
export class EventsModule {}
