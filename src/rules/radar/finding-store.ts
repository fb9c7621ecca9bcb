import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { RadarFinding, RadarKind } from './finding.js';

export const FINDING_STATES = ['open', 'dismissed', 'gone'] as const;
export type FindingState = (typeof FINDING_STATES)[number];

/** A finding as it is kept. */
export type StoredFinding = RadarFinding & {
  readonly id: string;
  readonly state: FindingState;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** When the owners were told; null: they were not, or not yet. */
  readonly toldAt: Date | null;
  /** When it was dismissed, or did not hold any more; and by whom, and why, when a person did so. */
  readonly endedAt: Date | null;
  readonly endedBy: string | null;
  readonly reason: string | null;
};

/** When the radar looked last, ms and at how many events; null: never. */
export interface RadarProgress {
  readonly computedAt: Date | null;
  readonly looked: number;
}

const COLUMNS = `id, kind, subject, rules, first_seen as "firstSeen", last_seen as "lastSeen", count, detail, state,
  told_at as "toldAt", ended_at as "endedAt", ended_by as "endedBy", reason`;
const MOST = 1000;

/** What the radar has found. One finding of a kind stands for a subject at a time. */
export class FindingStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Keeps what was found: what stands already is seen again, what is new is open, and what was not found any more is gone.
   * `kinds`: those that were looked for; of others nothing changes. `now` in ms.
   */
  async put(
    findings: readonly RadarFinding[],
    kinds: readonly RadarKind[],
    { now, looked }: { readonly now: number; readonly looked: number },
  ): Promise<void> {
    const at = new Date(now);
    await this.dataSource.transaction(async (tx) => {
      // Whoever else computes waits, and the later one's word holds.
      await tx.query('select 1 from radar_progress for update');
      await tx.query(
        `insert into radar_findings as f (id, kind, subject, rules, first_seen, last_seen, count, detail, state)
         select id, kind, subject, array(select json_array_elements_text(rules::json)), $7, $7, count, detail::json, 'open'
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
                as u (id, kind, subject, rules, count, detail)
         on conflict (kind, subject) where state <> 'gone' do update
            set rules = excluded.rules, last_seen = excluded.last_seen, count = excluded.count, detail = excluded.detail`,
        [
          findings.map((_, seq) => uuidv7({ msecs: now, seq })),
          findings.map(({ kind }) => kind),
          findings.map(({ subject }) => subject),
          findings.map(({ rules }) => JSON.stringify(rules)),
          findings.map(({ count }) => count),
          findings.map(({ detail }) => JSON.stringify(detail)),
          at,
        ],
      );
      await tx.query(
        `update radar_findings f set state = 'gone', ended_at = $3
          where state <> 'gone' and kind = any($1::text[]) and last_seen < $3
            and not exists (select 1 from unnest($2::text[], $4::text[]) as u (kind, subject)
                             where u.kind = f.kind and u.subject = f.subject)`,
        [kinds, findings.map(({ kind }) => kind), at, findings.map(({ subject }) => subject)],
      );
      await tx.query('update radar_progress set computed_at = $1, looked = $2', [at, looked]);
    });
  }

  /** Those in some states, of a kind or of all, by kind and the most frequent first. */
  async list(states: readonly FindingState[], kind: RadarKind | null): Promise<StoredFinding[]> {
    return await this.dataSource.query<StoredFinding[]>(
      `select ${COLUMNS} from radar_findings where state = any($1::text[]) and ($2::text is null or kind = $2)
        order by kind, count desc, id limit ${MOST}`,
      [states, kind],
    );
  }

  async find(id: string, tx: EntityManager = this.dataSource.manager): Promise<StoredFinding | null> {
    const [row] = await tx.query<StoredFinding[]>(`select ${COLUMNS} from radar_findings where id = $1`, [
      id,
    ]);
    return row ?? null;
  }

  /** A person has seen it. Answers false when it is not open. `now` in ms. */
  async dismiss(tx: EntityManager, id: string, by: string, reason: string, now: number): Promise<boolean> {
    const [, count] = await tx.query<[unknown[], number]>(
      `update radar_findings set state = 'dismissed', ended_at = $2, ended_by = $3, reason = $4
        where id = $1 and state = 'open'`,
      [id, new Date(now), by, reason],
    );
    return count > 0;
  }

  /** Open findings that nobody was told of. They are taken until the transaction ends. */
  async untold(tx: EntityManager, limit: number): Promise<StoredFinding[]> {
    return await tx.query<StoredFinding[]>(
      `select ${COLUMNS} from radar_findings where state = 'open' and told_at is null
        order by id limit $1 for update skip locked`,
      [limit],
    );
  }

  async told(tx: EntityManager, ids: readonly string[], now: number): Promise<void> {
    await tx.query('update radar_findings set told_at = $2 where id = any($1::uuid[])', [ids, new Date(now)]);
  }

  async progress(): Promise<RadarProgress> {
    const [row] = await this.dataSource.query<RadarProgress[]>(
      'select computed_at as "computedAt", looked from radar_progress',
    );
    return row ?? { computedAt: null, looked: 0 };
  }

  /** Forgets what was gone before a time (ms), and what was asked and made up long ago. */
  async forget(before: number): Promise<void> {
    const at = new Date(before);
    await this.dataSource.query(`delete from radar_findings where state = 'gone' and ended_at < $1`, [at]);
    await this.dataSource.query('delete from radar_asked where asked_at < $1', [at]);
  }
}
