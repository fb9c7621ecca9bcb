import type { DataSource } from 'typeorm';
import { termOf } from '../../events/event-terms.js';
import type { FoundVerdict } from './event-list.js';
import { idRange, type IdRange } from './id-range.js';
import { newestFirst, type Windows } from './newest-first.js';
import type { Slice } from './slice.js';

export interface EvaluationFilter {
  readonly verdict?: FoundVerdict | undefined;
  readonly occasion?: string | undefined;
  /** When it was decided: from, and before. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface EvaluationRow {
  /** For the cursor: that of the event. */
  readonly id: string;
  /** Our id of the event. */
  readonly eventId: string;
  readonly occasion: string;
  readonly decidedAt: Date;
  /** The hash of the rule set that decided. */
  readonly ruleSet: string;
  readonly eventType: string;
  /** How many rules had this verdict. */
  readonly matched: number;
  readonly unknown: number;
  readonly errors: number;
}

const LIVE = 'live';
/** A decision has the clock of another instance than the receipt. */
const CLOCKS_DIFFER_MS = 60_000;
/** So many decisions of a time are sorted by their events. */
const MOST_OF_TIME = 5000;

/** The ledger, the newest first. */
export class EvaluationList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows?: Windows,
  ) {}

  /** Up to `limit` + 1 evaluations of one occasion, by default `live`. */
  async list(filter: EvaluationFilter, { limit, after }: Slice): Promise<EvaluationRow[]> {
    const { occasion = LIVE, verdict, since, until } = filter;
    // An event is received before it is decided.
    const latest = until && new Date(until.getTime() + CLOCKS_DIFFER_MS);
    const range = idRange({ until: latest }, { after });
    const parameters: unknown[] = [occasion];
    const parameter = (value: unknown): string => `$${parameters.push(value)}`;
    const time = [
      ...(since ? [`s.decided_at >= ${parameter(since)}`] : []),
      ...(until ? [`s.decided_at < ${parameter(until)}`] : []),
    ];
    const conditions = [
      's.occasion = $1',
      // Few: they have an index.
      ...(occasion === LIVE ? [] : [`s.occasion <> '${LIVE}'`]),
      ...(verdict === undefined ? [] : [COUNTED[verdict]]),
      ...time,
    ];
    const most = limit + 1;
    const ids =
      (since && (await this.ofTime(conditions, time, parameters, range, most))) ??
      (occasion === LIVE && time.length === 0 && (verdict === 'matched' || verdict === 'not matched')
        ? await this.byTerm(verdict, range, most)
        : await newestFirst(this.dataSource, {
            windows: this.windows,
            table: 'evaluations',
            id: 'event_id',
            indexed: conditions,
            rest: [],
            parameters,
            range,
            limit: most,
          }));
    return await this.rows(ids, occasion);
  }

  /** By the time of the decision, which may be long after the receipt; null: too many were decided then. */
  private async ofTime(
    conditions: readonly string[],
    time: readonly string[],
    parameters: readonly unknown[],
    { low, high }: IdRange,
    limit: number,
  ): Promise<string[] | null> {
    const [first, second] = [parameters.length + 1, parameters.length + 2];
    const [row] = await this.dataSource.query<[{ many: boolean; found: string[] | null }]>(
      `with s as materialized (
         select event_id, occasion, decided_at, matched, unknown, errors from evaluations s
          where ${time.join(' and ')} limit ${MOST_OF_TIME + 1})
       select (select count(*) > ${MOST_OF_TIME} from s) as many,
              array(select event_id from s where event_id >= $${first}::uuid and event_id < $${second}::uuid
                       and ${conditions.join(' and ')} order by event_id desc limit ${limit}) as found`,
      [...parameters, low, high],
    );
    return row.many ? null : (row.found ?? []);
  }

  /** Most events match, or most do not: the index of events knows which. */
  private async byTerm(verdict: FoundVerdict, range: IdRange, limit: number): Promise<string[]> {
    return await newestFirst(this.dataSource, {
      windows: this.windows,
      table: 'event_search',
      id: 'id',
      indexed: ['s.terms @> $1::text[]'],
      rest: [],
      parameters: [[termOf('verdict', verdict)]],
      range,
      limit,
    });
  }

  private async rows(ids: readonly string[], occasion: string): Promise<EvaluationRow[]> {
    if (ids.length === 0) return [];
    return await this.dataSource.query<EvaluationRow[]>(
      `select v.event_id as id, v.event_id as "eventId", v.occasion, v.decided_at as "decidedAt", v.rule_set as "ruleSet",
              e.event_type as "eventType", v.matched, v.unknown, v.errors
         from evaluations v join events e on e.id = v.event_id
        where v.event_id = any($1::uuid[]) and e.id = any($1::uuid[]) and v.occasion = $2 order by v.event_id desc`,
      [ids, occasion],
    );
  }
}

const COUNTED: Readonly<Record<FoundVerdict, string>> = {
  matched: 's.matched > 0',
  'not matched': 's.matched = 0',
  unknown: 's.unknown > 0',
  error: 's.errors > 0',
};
