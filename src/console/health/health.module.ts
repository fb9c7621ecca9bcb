import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../config/clock.js';
import { Log } from '../../config/log.js';
import { DepthGauge } from './depths.js';
import { HealthController } from './health.controller.js';
import { OpenRooms } from './open-rooms.js';
import { Readiness } from './readiness.js';
import { Scrape } from './scrape.js';

/** Whether the service is well, and its metrics: there whatever the role. */
@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: DepthGauge,
      inject: [DataSource, Clock, Log],
      useFactory: (dataSource: DataSource, clock: Clock, log: Log) => new DepthGauge(dataSource, clock, log),
    },
    OpenRooms,
    Readiness,
    Scrape,
  ],
  exports: [Readiness],
})
export class HealthModule {}
