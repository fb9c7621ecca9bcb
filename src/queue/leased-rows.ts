import type { DataSource, EntityManager } from 'typeorm';

/** The table a queue lives in. All names come from code, never from outside. */
export interface LeasedTable {
  readonly table: string;
  /** The state of rows that wait for their due time, and of rows that an instance works on. */
  readonly ready: string;
  readonly taken: string;
  /** A column by whose value rows can be left out of a claim. */
  readonly group?: string;
}

/** A row that this instance may work on until its lease ends. `attempt` is the fence: a later claim has a higher one. */
export interface ClaimedRow {
  readonly id: string;
  readonly attempt: number;
}

/** What a claim has brought. */
export interface Claimed<Row extends ClaimedRow> {
  readonly rows: readonly Row[];
  /** More is probably due: worth a claim when some work has ended. */
  readonly more: boolean;
  /** Milliseconds after which another claim may bring more; null or absent: with the next poll. */
  readonly againMs?: number | null;
}

/**
 * Rows as a queue: claimed in batches, leased by the database's clock, fenced by the attempt number. Work of an
 * instance that died is ready again when its lease has ended and somebody calls `reclaim`.
 *
 * The table needs the columns id, state, due_at, attempt, lease_until, leased_by, updated_at.
 */
export class LeasedRows {
  constructor(
    private readonly dataSource: DataSource,
    private readonly of: LeasedTable,
    readonly instance: string,
    readonly leaseSeconds: number,
  ) {}

  /**
   * Takes up to `limit` due rows (`due_at` ≤ `now`, ms), oldest due first. Rows others are claiming are skipped, and
   * those of the groups `without`.
   */
  async claim(limit: number, now: number, without: readonly string[] = []): Promise<ClaimedRow[]> {
    const { table, ready, taken, group } = this.of;
    const wanted = group === undefined ? '' : `and ${group} <> all($5::text[])`;
    const [rows] = await this.dataSource.query<[ClaimedRow[], number]>(
      `update ${table} set state = '${taken}', attempt = attempt + 1, leased_by = $3, updated_at = now(),
              lease_until = clock_timestamp() + make_interval(secs => $4)
        where id in (select id from ${table} where state = '${ready}' and due_at <= $2 ${wanted}
                      order by due_at limit $1 for update skip locked)
        returning id, attempt`,
      [limit, new Date(now), this.instance, this.leaseSeconds, ...(group === undefined ? [] : [without])],
    );
    return rows;
  }

  /** The same, as `LeasedWork` asks for it. */
  async take(limit: number, now: number, without: readonly string[] = []): Promise<Claimed<ClaimedRow>> {
    const rows = await this.claim(limit, now, without);
    return { rows, more: rows.length === limit };
  }

  /** Prolongs the leases of rows still being worked on; rows that another instance has taken meanwhile are left alone. */
  async extend(leased: readonly ClaimedRow[]): Promise<void> {
    if (leased.length === 0) return;
    // In one order, so that it does not wait in a ring with what settles some of them.
    const rows = [...leased].sort((a, b) => (a.id < b.id ? -1 : 1));
    const { table, taken } = this.of;
    await this.dataSource.query(
      `update ${table} t set lease_until = clock_timestamp() + make_interval(secs => $3)
         from unnest($1::uuid[], $2::int[]) as mine (id, attempt)
        where t.id = mine.id and t.attempt = mine.attempt and t.state = '${taken}'`,
      [rows.map((row) => row.id), rows.map((row) => row.attempt), this.leaseSeconds],
    );
  }

  /**
   * Writes how the work of some rows ended: their next state and due time. Only rows whose fence still holds are
   * changed; answers their ids.
   */
  async settle(
    tx: EntityManager,
    rows: readonly (ClaimedRow & {
      readonly state: string;
      readonly dueAt: Date;
      readonly code: string | null;
      readonly reason: string | null;
    })[],
  ): Promise<ReadonlySet<string>> {
    const { table, taken } = this.of;
    const [changed] = await tx.query<[{ id: string }[], number]>(
      `update ${table} t set state = s.state, due_at = s.due_at, code = s.code, reason = s.reason,
              lease_until = null, leased_by = null, updated_at = now()
         from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
              as s (id, attempt, state, due_at, code, reason)
        where t.id = s.id and t.attempt = s.attempt and t.state = '${taken}'
        returning t.id`,
      [
        rows.map((row) => row.id),
        rows.map((row) => row.attempt),
        rows.map((row) => row.state),
        rows.map((row) => row.dueAt),
        rows.map((row) => row.code),
        rows.map((row) => row.reason),
      ],
    );
    return new Set(changed.map(({ id }) => id));
  }

  /** Makes rows ready again whose lease has ended, and answers them, so that the lost attempt can be recorded. */
  async reclaim(tx: EntityManager): Promise<ClaimedRow[]> {
    const { table, ready, taken } = this.of;
    const [rows] = await tx.query<[ClaimedRow[], number]>(
      `update ${table} set state = '${ready}', lease_until = null, leased_by = null, updated_at = now()
        where id in (select id from ${table} where state = '${taken}' and lease_until < clock_timestamp()
                      order by lease_until limit 1000 for update skip locked)
        returning id, attempt`,
    );
    return rows;
  }
}
