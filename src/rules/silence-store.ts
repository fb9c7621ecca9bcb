import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Catalogue } from '../events/catalogue.js';
import { fieldWithin } from './known-field.js';
import type { TimeFormat } from './operators.js';
import { CompiledSilence, type Silence, type SilenceMatcher } from './silence.js';
import { fieldOfFact } from './state/fact-fields.js';

export const SILENCE_STATES = ['active', 'pending', 'ended'] as const;
export type SilenceState = (typeof SILENCE_STATES)[number];

/** A silence with what has become of it. Times in milliseconds since 1970. */
export interface StoredSilence extends Silence {
  readonly state: SilenceState;
  readonly createdAt: number;
  /** Who ended it before its time; null: nobody. */
  readonly endedBy: string | null;
}

/** What a silence is added with. */
export type NewSilence = Omit<Silence, 'id'>;

interface SilenceRow {
  readonly id: string;
  readonly matcher: SilenceMatcher;
  readonly author: string;
  readonly reason: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly createdAt: Date;
  readonly endedBy: string | null;
}

/** So long before its end a silence gives notice; one that is shorter than that gives none. */
export const SILENCE_NOTICE_MS = 3_600_000;
/** Every decision asks all that stand; nobody oversees so many. */
export const MOST_SILENCES = 1000;

const COLUMNS = `id, matcher, author, reason, starts_at as "startsAt", ends_at as "endsAt", created_at as "createdAt",
  ended_by as "endedBy"`;

/** What people have silenced, and until when. */
export class SilenceStore {
  private compiled = new Map<string, CompiledSilence>();
  private compiledBy: Catalogue | null = null;

  constructor(
    private readonly dataSource: DataSource,
    /** Says how event types write times. */
    private readonly catalogue: { readonly current: Catalogue },
  ) {}

  /** Those that are in force at `now` (ms), the oldest first. */
  async active(tx: EntityManager, now: number): Promise<CompiledSilence[]> {
    const rows = await tx.query<SilenceRow[]>(
      `select ${COLUMNS} from silences where ends_at > $1 and starts_at <= $1 order by id`,
      [new Date(now)],
    );
    return this.compile(rows.map((row) => silenceOf(row, now)));
  }

  /** Answers null when too many stand already. */
  async add(tx: EntityManager, silence: NewSilence, now: number): Promise<StoredSilence | null> {
    const [row] = await tx.query<SilenceRow[]>(
      `insert into silences (id, matcher, author, reason, starts_at, ends_at, created_at)
       select $1, $2, $3, $4, $5, $6, $7 where (select count(*) from silences where ends_at > $7) < ${MOST_SILENCES}
       returning ${COLUMNS}`,
      [
        uuidv7(),
        JSON.stringify(silence.matcher),
        silence.author,
        silence.reason,
        new Date(silence.startsAt),
        new Date(silence.endsAt),
        new Date(now),
      ],
    );
    return row ? silenceOf(row, now) : null;
  }

  /**
   * Ends one at `now` that is in force or has not begun. Answers it, and whether it was ended just now; null: there is
   * none of this id.
   */
  async end(
    tx: EntityManager,
    id: string,
    by: string,
    now: number,
  ): Promise<{ readonly ended: boolean; readonly silence: StoredSilence } | null> {
    const [[ended]] = await tx.query<[SilenceRow[], number]>(
      `update silences set ends_at = $2, ended_by = $3 where id = $1 and ends_at > $2 returning ${COLUMNS}`,
      [id, new Date(now), by],
    );
    if (ended) return { ended: true, silence: silenceOf(ended, now) };
    const [row] = await tx.query<SilenceRow[]>(`select ${COLUMNS} from silences where id = $1`, [id]);
    return row ? { ended: false, silence: silenceOf(row, now) } : null;
  }

  /** Up to `limit` + 1, the newest first. `after`: the id of the last one that was seen. */
  async list(
    { state }: { readonly state?: SilenceState | undefined },
    { limit, after }: { readonly limit: number; readonly after: string | null },
    now: number,
  ): Promise<StoredSilence[]> {
    const rows = await this.dataSource.query<SilenceRow[]>(
      `select ${COLUMNS} from silences
        where ($2::text is null or $2 = case when ends_at <= $1 then 'ended' when starts_at > $1 then 'pending' else 'active' end)
          and ($3::uuid is null or id < $3)
        order by id desc limit $4`,
      [new Date(now), state ?? null, after, limit + 1],
    );
    return rows.map((row) => silenceOf(row, now));
  }

  /** Those in force that end within the hour and have given no notice yet: each is answered once. */
  async takeNotices(tx: EntityManager, now: number): Promise<StoredSilence[]> {
    const [rows] = await tx.query<[SilenceRow[], number]>(
      `update silences set noticed_at = $1
        where ends_at > $1 and ends_at <= $2 and starts_at <= $1 and noticed_at is null
          and ends_at - starts_at > $2::timestamptz - $1::timestamptz
        returning ${COLUMNS}`,
      [new Date(now), new Date(now + SILENCE_NOTICE_MS)],
    );
    return rows.map((row) => silenceOf(row, now)).sort((a, b) => a.endsAt - b.endsAt);
  }

  /** What a silence is about never changes; when it ends may. Those that are no longer in force are let go. */
  private compile(silences: readonly Silence[]): CompiledSilence[] {
    const catalogue = this.catalogue.current;
    const known = this.compiledBy === catalogue ? this.compiled : new Map<string, CompiledSilence>();
    const all = silences.map((silence) => {
      const before = known.get(silence.id);
      return before?.silence.endsAt === silence.endsAt
        ? before
        : new CompiledSilence(silence, timeFormatsOf(catalogue));
    });
    this.compiledBy = catalogue;
    this.compiled = new Map(all.map((one) => [one.id, one]));
    return all;
  }
}

function timeFormatsOf(catalogue: Catalogue) {
  return (eventType: string, fact: string, path: readonly string[] | null): TimeFormat => {
    const { definition } = fieldWithin(fieldOfFact(catalogue, eventType, fact), path ?? []);
    return (definition?.items ?? definition)?.format ?? 'date-time';
  };
}

function silenceOf(row: SilenceRow, now: number): StoredSilence {
  const { id, matcher, author, reason, endedBy } = row;
  const [startsAt, endsAt] = [row.startsAt.getTime(), row.endsAt.getTime()];
  return {
    id,
    matcher,
    author,
    reason,
    startsAt,
    endsAt,
    state: endsAt <= now ? 'ended' : startsAt > now ? 'pending' : 'active',
    createdAt: row.createdAt.getTime(),
    endedBy,
  };
}
