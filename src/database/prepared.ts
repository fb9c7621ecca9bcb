import type { DataSource, EntityManager } from 'typeorm';
import type pg from 'pg';

/**
 * Runs a statement of a hot path within a transaction under a name, so that each connection parses and plans it once:
 * a batch has several of them, and planning takes about as long as running. For statements that insert; those that
 * look rows up are for `preparedLookup`. Not for those that read partitioned tables: a plan made once would lock every
 * partition each time. Answers the rows, also of an update.
 *
 * `name` stands for this very `text`. @throws what PostgreSQL says
 */
export async function prepared<Row extends object>(
  tx: EntityManager,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const runner = tx.queryRunner;
  if (!runner?.isTransactionActive) throw new Error(`the statement "${name}" belongs into a transaction`);
  const client = (await runner.connect()) as pg.PoolClient;
  const { rows } = await client.query<Row>({ name, text, values });
  return rows;
}

const uses = new Map<string, number>();

/**
 * The same for a statement that looks rows up. A plan that was made when a table was small reads the whole of it when
 * it has grown. So it is made anew whenever this process has run the statement twice as often as when it was made.
 */
export async function preparedLookup<Row extends object>(
  tx: EntityManager,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return await prepared(tx, lookupName(name), text, values);
}

/** The name under which a statement that looks rows up is planned now. */
function lookupName(name: string): string {
  const count = (uses.get(name) ?? 0) + 1;
  uses.set(name, count);
  return `${name}-${Math.floor(Math.log2(count))}`;
}

/** A connection that sends statements without waiting for the answer to the one before. */
export interface Pipeline {
  /** Answers come in the order of sending. Of several that are sent together each has to be waited for. */
  send<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The same under a name, as `preparedLookup` plans it. */
  lookup<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]>;
}

/** Runs `work` on one connection; what it leaves open when it fails is rolled back. */
export async function pipelined<Result>(
  dataSource: DataSource,
  work: (pipeline: Pipeline) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as pg.PoolClient & { pipeline: boolean };
  client.pipeline = true;
  try {
    return await work({
      send: async <Row extends object>(text: string, values?: unknown[]) =>
        (await client.query<Row>({ text, values: values ?? [] })).rows,
      lookup: async <Row extends object>(name: string, text: string, values: unknown[]) =>
        (await client.query<Row>({ name: lookupName(name), text, values })).rows,
    });
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.pipeline = false;
    await runner.release();
  }
}

/** The same for one statement that is a transaction of its own: one round trip instead of three. */
export async function preparedAlone<Row extends object>(
  dataSource: DataSource,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as pg.PoolClient;
    const { rows } = await client.query<Row>({ name, text, values });
    return rows;
  } finally {
    await runner.release();
  }
}
