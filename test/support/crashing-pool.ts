import type { DataSource } from 'typeorm';
import type pg from 'pg';

/**
 * Lets an instance die between two statements: after so many of them its connections are cut, and every further one
 * fails, as if the process were gone. What was committed stays; what was not is rolled back by PostgreSQL.
 */
export class CrashingPool {
  private left = Number.POSITIVE_INFINITY;
  private count = 0;
  private readonly clients = new Set<pg.PoolClient>();

  constructor(dataSource: DataSource) {
    const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
    pool.on('error', () => undefined);
    pool.on('connect', (client) => {
      this.watch(client);
    });
  }

  /** It dies before the statement with this number, from now on. */
  crashBefore(statement: number): void {
    this.left = statement - 1;
    this.count = 0;
  }

  /** Statements since then. */
  get used(): number {
    return this.count;
  }

  get hasCrashed(): boolean {
    return this.left < 0;
  }

  private watch(client: pg.PoolClient): void {
    this.clients.add(client);
    client.on('error', () => undefined);
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    const counted = (...given: unknown[]): unknown => {
      this.left -= 1;
      this.count += 1;
      if (this.left >= 0) return query(...given);
      for (const one of this.clients)
        (one as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      const error = new Error('the process is gone');
      const done = given.at(-1);
      if (typeof done !== 'function') return Promise.reject(error);
      (done as (error: Error) => void)(error);
      return undefined;
    };
    (client as { query: unknown }).query = counted;
  }
}
