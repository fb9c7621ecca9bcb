import { DataSource } from 'typeorm';
import { DatabaseError } from './database.errors.js';
import { Foundation1795000000001 } from './migrations/0001-foundation.js';
import { Catalogue1795500000002 } from './migrations/0002-catalogue.js';
import { Sources1796000000003 } from './migrations/0003-sources.js';
import { Admin1797000000004 } from './migrations/0004-admin.js';
import { State1798000000005 } from './migrations/0005-state.js';
import { Deliveries1799000000006 } from './migrations/0006-deliveries.js';
import { Overview1800000000007 } from './migrations/0007-overview.js';
import { Shadow1801000000008 } from './migrations/0008-shadow.js';
import { Replay1802000000009 } from './migrations/0009-replay.js';
import { Radar1803000000010 } from './migrations/0010-radar.js';
import { Backtest1804000000011 } from './migrations/0011-backtest.js';

/** Where a PostgreSQL is: a URL, or the parts (host may be the folder of a unix socket). */
export type DatabaseAddress =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    };

/** In the order they run. Forward only. */
const MIGRATIONS = [
  Foundation1795000000001,
  Catalogue1795500000002,
  Sources1796000000003,
  Admin1797000000004,
  State1798000000005,
  Deliveries1799000000006,
  Overview1800000000007,
  Shadow1801000000008,
  Replay1802000000009,
  Radar1803000000010,
  Backtest1804000000011,
];
const MIGRATION_LOCK = 4157000;

/**
 * The one connection pool of a process. Statements that take longer than 20 s are ended by the server, so that a
 * forgotten lock cannot hold a worker for ever; the ack path sets a shorter limit of its own.
 */
export function createDataSource(address: DatabaseAddress, poolSize = 20): DataSource {
  const place =
    'url' in address
      ? { url: address.url }
      : {
          host: address.host,
          port: address.port,
          username: address.user,
          password: address.password,
          database: address.database,
          // The embedded server is reached by its socket: a PGSSLMODE of the environment does not concern it.
          ssl: false,
        };
  return new DataSource({
    type: 'postgres',
    ...place,
    applicationName: 'aftersign',
    poolSize,
    migrations: MIGRATIONS,
    migrationsTransactionMode: 'each',
    // The schema uses no extension: TypeORM's own would need rights that a careful operator does not give.
    installExtensions: false,
    extra: {
      connectionTimeoutMillis: 2500,
      statement_timeout: 20_000,
      idle_in_transaction_session_timeout: 30_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5000,
    },
  });
}

/**
 * Brings the schema to this version, under a lock so that instances that start together do not collide.
 *
 * @throws DatabaseError when the schema is newer than this program, or the server older than PostgreSQL 15.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const session = dataSource.createQueryRunner();
  try {
    const [{ version }] = (await session.query(
      `select current_setting('server_version_num')::int as version`,
    )) as [{ version: number }];
    if (version < 150_000) {
      throw new DatabaseError(
        'DATABASE_TOO_OLD',
        `The database is PostgreSQL ${Math.floor(version / 10_000)}: use 15 or newer.`,
      );
    }
    await session.query('set statement_timeout = 0');
    await session.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations();
    const applied = (await session.query('select name from migrations order by id')) as { name: string }[];
    const known = new Set(MIGRATIONS.map((migration) => migration.name));
    const unknown = applied.filter(({ name }) => !known.has(name));
    if (unknown.length > 0) {
      throw new DatabaseError(
        'DATABASE_NEWER',
        `The database was migrated by a newer version of Aftersign (${unknown.map(({ name }) => name).join(', ')}): run that version or a newer one.`,
      );
    }
  } finally {
    await session.query('select pg_advisory_unlock_all()').catch(() => undefined);
    await session.query('reset statement_timeout').catch(() => undefined);
    await session.release();
  }
}
