import type { EntityManager } from 'typeorm';
import type pg from 'pg';

/**
 * Runs an INSERT of a hot path within a transaction under a name, so that each connection parses and plans it once: a
 * batch has several of them, and planning takes about as long as running. Not for statements that look rows up: their
 * plan, made when a table was small, would stay when it has grown, until PostgreSQL analyses it. Answers the rows.
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
