import { type DynamicModule, Global, Module } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from './clock.js';
import type { Config as Settings } from './config.js';
import { Log } from './log.js';
import { Metrics } from './metrics.js';

/** The settings of this process, injectable. */
export class Config {
  /** Names this process in leases and attempts. */
  readonly instance = randomUUID();
  constructor(readonly settings: Settings) {}
}

/** Settings, clock, log and metrics, for every room. */
@Global()
@Module({})
export class ConfigModule {
  static with(settings: Settings, clock: Clock, log: Log): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: Config, useValue: new Config(settings) },
        { provide: Clock, useValue: clock },
        { provide: Log, useValue: log },
        Metrics,
      ],
      exports: [Config, Clock, Log, Metrics],
    };
  }
}
