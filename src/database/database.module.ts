import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import { createDataSource, migrate } from './data-source.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { Partitions } from './partitions.js';

/** The database server that belongs to this process; null when DATABASE_URL names one. */
class Server {
  constructor(readonly embedded: EmbeddedPostgres | null) {}
}

/**
 * The one DataSource. It is ready, migrated and has its partitions before anything that needs it is built, and it
 * is closed after everything else has ended; the embedded server stops last.
 */
@Global()
@Module({
  providers: [
    {
      provide: Server,
      inject: [Config, Log],
      useFactory: async ({ settings }: Config, log: Log) =>
        new Server(
          settings.DATABASE_URL === undefined
            ? await startEmbeddedPostgres({
                dataDir: settings.DATA_DIR,
                log: (line) => {
                  log.info({ event: 'database.embedded' }, line);
                },
              })
            : null,
        ),
    },
    {
      provide: DataSource,
      inject: [Config, Server],
      useFactory: async ({ settings }: Config, server: Server) => {
        const dataSource = createDataSource(server.embedded?.url ?? { url: settings.DATABASE_URL ?? '' });
        try {
          await dataSource.initialize();
          await migrate(dataSource);
          return dataSource;
        } catch (error) {
          // Nobody else ends what a start that failed has begun.
          if (dataSource.isInitialized) await dataSource.destroy();
          await server.embedded?.stop();
          throw error;
        }
      },
    },
    {
      provide: Partitions,
      inject: [DataSource, Clock],
      useFactory: async (dataSource: DataSource, clock: Clock) => {
        const partitions = new Partitions(dataSource);
        await partitions.ensure(clock.now());
        return partitions;
      },
    },
  ],
  exports: [DataSource, Partitions],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    private readonly server: Server,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.dataSource.destroy();
    await this.server.embedded?.stop();
  }
}
