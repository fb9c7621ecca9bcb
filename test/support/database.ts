import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/database/data-source.js';
import { Partitions } from '../../src/database/partitions.js';

interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A database of this test file alone: a clone of the migrated template, on the real PostgreSQL of the run. */
export interface TestDatabase {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  /** A pool, ready; ended by `drop`. */
  open(poolSize?: number): Promise<DataSource>;
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = JSON.parse(process.env['AFTERSIGN_TEST_DATABASE'] ?? '') as Server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(server, `create database ${name} template ${server.database}`);
  const opened: DataSource[] = [];
  return {
    url: `postgres://${server.user}:${encodeURIComponent(server.password)}@localhost:${server.port}/${name}?host=${encodeURIComponent(server.host)}`,
    open: async (poolSize) => {
      const dataSource = createDataSource({ ...server, database: name }, poolSize);
      opened.push(await dataSource.initialize());
      return dataSource;
    },
    drop: async () => {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy();
      await run(server, `drop database ${name} with (force)`);
    },
  };
}

/**
 * Takes all rows out of tables, named with commas between. With few rows in them that takes a millisecond; `truncate` makes
 * each table, partition and index anew, which takes two hundred.
 */
export async function emptied(
  dataSource: { query(statement: string): Promise<unknown> },
  tables: string,
): Promise<void> {
  await dataSource.query(
    tables
      .split(',')
      .map((table) => `delete from ${table.trim()}`)
      .join('; '),
  );
}

/** Takes out everything that events, rule sets and time have left behind. */
export async function emptyRulesRoom(dataSource: DataSource): Promise<void> {
  await emptied(
    dataSource,
    'event_keys, events, evaluations, action_keys, deliveries, decisions_begun, rule_set_activations, rule_sets, entity_states, entity_tasks, timers, unsettled, once_keys, throttles, digests, digest_items, schedules, silences, lookups, target_lanes, target_limits, brake_counts, notices, shadow_deliveries, shadow_keys, shadow_rules',
  );
}

/** Partitions around `now`, as the service makes them at start. */
export async function withPartitions(dataSource: DataSource, now: number): Promise<Partitions> {
  const partitions = new Partitions(dataSource);
  await partitions.ensure(now);
  return partitions;
}

async function run(server: Server, statement: string): Promise<void> {
  // Cloning waits for nobody: the template has no connections of its own after the set-up.
  const client = new pg.Client({ ...server, database: 'postgres' });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
