import type { DataSource } from 'typeorm';
import type { SilenceMatcher } from '../../rules/silence.js';
import { microsOf, timeIn } from '../read/micros.js';
import {
  byPosition,
  type Change,
  type ChangeMessage,
  type ChangeSource,
  newestOf,
  totalOf,
} from './change-source.js';
import { SILENCE_CHANGES, type SilenceChange } from './stream.schema.js';

/** What becomes of silences, up to `$1`. There are few. */
const CHANGES = `(
  select id, 'added' as what, created_at as at from silences
  union all select id, 'began', starts_at from silences where starts_at > created_at and starts_at <= $1 and starts_at < ends_at
  union all select id, 'ends soon', noticed_at from silences where noticed_at is not null
  union all select id, 'ended', ends_at from silences where ends_at <= $1) as changes`;
const KEYS = `select id, what, ${microsOf('at')} as micros`;

interface ChangedKey {
  readonly id: string;
  readonly what: string;
  readonly micros: string;
  readonly total?: number;
}

interface SilenceRow extends Pick<SilenceChange, 'id' | 'author' | 'reason' | 'endedBy'> {
  readonly matcher: SilenceMatcher;
  readonly endsAt: Date;
}

/** Silences that were added, began, end soon, or have ended. */
export class SilenceChanges implements ChangeSource {
  readonly topic = 'silences';

  constructor(
    private readonly dataSource: DataSource,
    private readonly now: () => number,
  ) {}

  async latest(): Promise<Change | null> {
    return (await this.rows('order by at desc limit 1', []))[0] ?? null;
  }

  async since(time: number, limit: number): Promise<Change[]> {
    return await this.rows('where at > $2 order by at limit $3', [new Date(time), limit]);
  }

  async after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const rows = await this.dataSource.query<ChangedKey[]>(
      newestOf(KEYS, `${CHANGES} where at > ${timeIn('$2')}`, 'at', '$3'),
      [new Date(this.now()), position, Math.max(limit, 1)],
    );
    return { count: totalOf(rows), last: rows.map(changeOf).sort(byPosition) };
  }

  async messages(changes: readonly Change[]): Promise<ChangeMessage[]> {
    const rows = await this.dataSource.query<SilenceRow[]>(
      `select id, matcher, author, reason, ends_at as "endsAt", ended_by as "endedBy" from silences where id = any($1::uuid[])`,
      [changes.map(({ id }) => id)],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return changes.flatMap(({ id, key, at }) => {
      const row = byId.get(id);
      return row ? messageOf(row, key.slice(id.length + 1), at) : [];
    });
  }

  private async rows(which: string, values: readonly unknown[]): Promise<Change[]> {
    const rows = await this.dataSource.query<ChangedKey[]>(`${KEYS} from ${CHANGES} ${which}`, [
      new Date(this.now()),
      ...values,
    ]);
    return rows.map(changeOf);
  }
}

function changeOf({ id, what, micros }: ChangedKey): Change {
  return { key: `${id} ${what}`, id, position: micros, at: Number(micros) / 1000 };
}

/** Without its conditions: what they compare with may be personal. */
function messageOf(
  { id, matcher, author, reason, endsAt, endedBy }: SilenceRow,
  what: string,
  at: number,
): ChangeMessage[] {
  const known = SILENCE_CHANGES.find((one) => one === what);
  if (!known) return [];
  const { rule = null, action = null, owner = null } = matcher;
  const data: SilenceChange = {
    id,
    what: known,
    at: new Date(at).toISOString(),
    rule,
    action,
    owner,
    endsAt: endsAt.toISOString(),
    author,
    reason,
    endedBy,
  };
  return [{ eventType: '', rules: null, data, masked: data }];
}
