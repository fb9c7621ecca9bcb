import type { EntityManager } from 'typeorm';
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
  const count = (uses.get(name) ?? 0) + 1;
  uses.set(name, count);
  return await prepared(tx, `${name}-${Math.floor(Math.log2(count))}`, text, values);
}
