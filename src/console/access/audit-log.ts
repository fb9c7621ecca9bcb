import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { type Page, pageOf, readCursor } from '../api/page.js';
import type { AuditQuery, AuditRow } from './audit.schema.js';

export interface AuditEntry {
  /** Like `delivery.redrive`. */
  readonly action: string;
  /** Like `delivery:<id>`. */
  readonly subject: string;
  /** No secret, and nothing personal. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

type StoredRow = Omit<AuditRow, 'at'> & { readonly at: Date };

/** Who changed what. An entry is written in the transaction of the change: neither is there without the other. */
export class AuditLog {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async record(tx: EntityManager, actor: Actor, entry: AuditEntry): Promise<void> {
    await this.write(tx, actor, entry);
  }

  /** A sign-in that failed: by somebody who gave this name. */
  async recordStranger(
    tx: EntityManager,
    stranger: { readonly name: string; readonly address: string },
    entry: AuditEntry,
  ): Promise<void> {
    await this.write(tx, { ...stranger, means: 'none', role: null }, entry);
  }

  /** Newest first. */
  async list(query: AuditQuery): Promise<Page<AuditRow>> {
    const rows = await this.dataSource.query<StoredRow[]>(
      `select id, at, actor, means, role, address, action, subject, detail
         from audit_log
        where ($1::text is null or actor = $1 or starts_with(actor, $1 || '/'))
          and ($2::text is null or action = $2)
          and ($3::text is null or subject = $3)
          and ($4::timestamptz is null or at >= $4)
          and ($5::timestamptz is null or at < $5)
          and ($6::uuid is null or id < $6)
        order by id desc
        limit $7`,
      [
        query.actor ?? null,
        query.action ?? null,
        query.subject ?? null,
        query.since ?? null,
        query.until ?? null,
        readCursor(query.cursor),
        query.limit + 1,
      ],
    );
    return pageOf(
      rows.map((row) => ({ ...row, at: row.at.toISOString() })),
      query.limit,
    );
  }

  private async write(
    tx: EntityManager,
    by: {
      readonly name: string;
      readonly means: AuditRow['means'];
      readonly role: AuditRow['role'];
      readonly address: string | null;
    },
    { action, subject, detail = {} }: AuditEntry,
  ): Promise<void> {
    const now = this.clock.now();
    await tx.query(
      `insert into audit_log (id, at, actor, means, role, address, action, subject, detail)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        uuidv7(),
        new Date(now),
        by.name,
        by.means,
        by.role,
        by.address,
        action,
        subject,
        JSON.stringify(detail),
      ],
    );
  }
}
