import { type DynamicModule, Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { Clock } from './clock.js';
import type { Config as Settings } from './config.js';
import { Log } from './log.js';
import { Metrics } from './metrics.js';
import { openTracing, Tracing } from './tracing.js';

/** The settings of this process, injectable. */
export class Config {
  /** Names this process in leases and attempts. */
  readonly instance = randomUUID();
  constructor(readonly settings: Settings) {}
}

/** Settings, clock, log, metrics and traces, for every room. */
@Global()
@Module({})
export class ConfigModule implements OnApplicationShutdown {
  constructor(private readonly tracing: Tracing) {}

  static with(settings: Settings, clock: Clock, log: Log): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: Config, useValue: new Config(settings) },
        { provide: Clock, useValue: clock },
        { provide: Log, useValue: log },
        Metrics,
        {
          provide: Tracing,
          inject: [Config, Metrics],
          useFactory: ({ instance }: Config, metrics: Metrics) =>
            openTracing(settings, instance, log, metrics),
        },
      ],
      exports: [Config, Clock, Log, Metrics, Tracing],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tracing.close();
  }
}
