import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ActionModule } from './action/action.module.js';
import type { Clock } from './config/clock.js';
import type { Config, Role } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import type { Log } from './config/log.js';
import { AccessGuard } from './console/access/access.guard.js';
import { ConsoleModule } from './console/console.module.js';
import { HealthModule } from './console/health/health.module.js';
import { DatabaseModule } from './database/database.module.js';
import { IngestionModule } from './ingestion/ingestion.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RulesModule } from './rules/rules.module.js';

type Room = NonNullable<ModuleMetadata['imports']>[number];

/** Which rooms a role opens. Health and metrics are there whatever the role. */
const ROOMS: Readonly<Record<Role, readonly Room[]>> = {
  ingest: [IngestionModule],
  rules: [RulesModule],
  action: [ActionModule],
  console: [ConsoleModule],
};

/** The only file that names every room. */
@Module({})
export class AppModule {
  static with(settings: Config, clock: Clock, log: Log): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(settings, clock, log),
        DatabaseModule,
        QueueModule,
        HealthModule,
        ...settings.ROLE.flatMap((role) => ROOMS[role]),
      ],
      providers: [{ provide: APP_GUARD, useClass: AccessGuard }],
    };
  }
}
