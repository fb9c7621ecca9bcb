import type { DataSource } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';
import {
  type Change,
  type ChangeMessage,
  type ChangeSource,
  byPosition,
  inOrderOf,
  newestOf,
  totalOf,
} from './change-source.js';
import { microsOf, timeIn } from '../read/micros.js';
import type { VerdictChange } from './stream.schema.js';

const RULES_SHOWN = 20;
/** An evaluation belongs to the day of its event: older events that are decided now are left out. */
const OLDEST_DECIDED_MS = 3 * 86_400_000;

interface DecidedRow extends Omit<VerdictChange, 'decidedAt' | 'rules'> {
  readonly decidedAt: Date;
  readonly verdicts: readonly { readonly rule: string; readonly verdict?: string }[];
}

/** Events that were decided. */
export class VerdictChanges implements ChangeSource {
  readonly topic = 'verdicts';

  constructor(
    private readonly dataSource: DataSource,
    private readonly now: () => number,
  ) {}

  async latest(): Promise<Change | null> {
    return (await this.rows(`${DECIDED} order by decided_at desc limit 1`, [this.oldest()]))[0] ?? null;
  }

  async since(time: number, limit: number): Promise<Change[]> {
    return await this.rows(`${DECIDED} and decided_at > $2 order by decided_at limit $3`, [
      this.oldest(),
      new Date(time),
      limit,
    ]);
  }

  async after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const from = `evaluations where event_id > $1 and decided_at > ${timeIn('$2')} and decided_at < 'infinity'`;
    const rows = await this.dataSource.query<DecidedKey[]>(newestOf(KEYS, from, 'decided_at', '$3'), [
      this.oldest(),
      position,
      Math.max(limit, 1),
    ]);
    return { count: totalOf(rows), last: rows.map(changeOf).sort(byPosition) };
  }

  async messages(changes: readonly Change[]): Promise<ChangeMessage[]> {
    const rows = await this.dataSource.query<DecidedRow[]>(
      `select v.event_id as "eventId", e.event_type as "eventType", v.occasion, v.decided_at as "decidedAt",
              v.rule_set as "ruleSet", v.matched, v.unknown, v.errors, v.verdicts
         from evaluations v join events e on e.id = v.event_id
        where v.event_id = any($1::uuid[]) and e.id = any($1::uuid[])`,
      [changes.map(({ id }) => id)],
    );
    const keyOf = ({ eventId, occasion }: DecidedRow): string => `${eventId} ${occasion}`;
    return inOrderOf(changes, rows, keyOf, ({ key }) => key).map(({ verdicts, decidedAt, ...row }) => {
      const rules = verdicts.flatMap(({ rule, verdict }) =>
        verdict === 'matched' || verdict === 'unknown' || verdict === 'error'
          ? [{ rule, verdict } as const]
          : [],
      );
      const data: VerdictChange = {
        ...row,
        decidedAt: decidedAt.toISOString(),
        rules: rules.slice(0, RULES_SHOWN),
      };
      return { eventType: row.eventType, rules: rules.map(({ rule }) => rule), data, masked: data };
    });
  }

  private oldest(): string {
    return leastIdOf(this.now() - OLDEST_DECIDED_MS);
  }

  private async rows(sql: string, values: unknown[]): Promise<Change[]> {
    return (await this.dataSource.query<DecidedKey[]>(sql, values)).map(changeOf);
  }
}

const KEYS = `select event_id as id, occasion, ${microsOf('decided_at')} as micros`;
const DECIDED = `${KEYS} from evaluations where event_id > $1`;

interface DecidedKey {
  readonly id: string;
  readonly occasion: string;
  readonly micros: string;
  readonly total?: number;
}

function changeOf({ id, occasion, micros }: DecidedKey): Change {
  return { key: `${id} ${occasion}`, id, position: micros, at: Number(micros) / 1000 };
}
