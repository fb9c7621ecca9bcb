import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryState } from '../../action/delivery-states.js';
import { NOTICE_RULE } from '../../action/notice-store.js';
import { leastIdOf } from '../../events/received-at.js';

/** What a delivery is in the balance: asked for by a match, or beside that. */
export type BalancePart = 'asked' | 'digest' | 'edited' | 'undo' | 'uncounted' | 'notice';

export interface BalanceDelivery {
  readonly part: BalancePart;
  readonly rule: string;
  readonly target: string;
  readonly state: DeliveryState;
  readonly count: number;
}

export interface BalanceAttempts {
  readonly total: number;
  /** No answer came after the request was sent. */
  readonly ambiguous: number;
  /** The instance that made them is gone. */
  readonly lost: number;
}

/** What the matches of some time asked for, and what there is of it. All of one moment. */
export interface BalanceRows {
  readonly asked: readonly { readonly rule: string; readonly count: number }[];
  readonly suppressed: readonly { readonly rule: string; readonly cause: string; readonly count: number }[];
  readonly deliveries: readonly BalanceDelivery[];
  readonly attempts: BalanceAttempts;
  /** Evaluations with matches from before it was kept what they ask for; what came of them is not in the balance. */
  readonly uncountedEvaluations: number;
}

/** Instances whose clocks differ make ids that differ: a delivery may seem to be older than its event. */
const CLOCKS_DIFFER_MS = 3_600_000;

/**
 * Reads both sides of the balance. What came of an event belongs to the time in which the event was received, whenever it
 * was decided or sent: so both sides speak of the same events.
 */
export class Balance {
  constructor(private readonly dataSource: DataSource) {}

  /** Of the events received from `since` on and before `until`. `withinMs`: when the database gives up. */
  async read(since: Date, until: Date, withinMs: number): Promise<BalanceRows> {
    const low = leastIdOf(since.getTime());
    const window = [low, leastIdOf(until.getTime())];
    const made = [...window, leastIdOf(since.getTime() - CLOCKS_DIFFER_MS)];
    // One snapshot: between two statements deliveries go on, and evaluations are written.
    return await this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      await tx.query(`select set_config('statement_timeout', $1, true)`, [String(withinMs)]);
      return {
        ...(await decided(tx, window)),
        deliveries: await tx.query<BalanceDelivery[]>(DELIVERIES, [...made, NOTICE_RULE]),
        attempts: await attempts(tx, made),
      };
    });
  }
}

type Decided = Pick<BalanceRows, 'asked' | 'suppressed' | 'uncountedEvaluations'>;

async function decided(tx: EntityManager, window: readonly string[]): Promise<Decided> {
  const asked = await tx.query<{ rule: string; count: number }[]>(
    `select a.key as rule, sum(a.value::int)::int as count
       from evaluations e cross join lateral json_each_text(e.asked) as a
      where e.event_id >= $1 and e.event_id < $2 and e.asked is not null group by a.key`,
    [...window],
  );
  const suppressed = await tx.query<{ rule: string; cause: string; count: number }[]>(
    `select v ->> 'rule' as rule, v ->> 'cause' as cause,
            sum(coalesce((v ->> 'times')::int, 1))::int as count
       from evaluations e cross join lateral json_array_elements(e.verdicts) as v
      where e.event_id >= $1 and e.event_id < $2 and e.asked is not null and v ->> 'action' is not null
      group by 1, 2`,
    [...window],
  );
  // A match of a rule that only escalates asks for nothing, and has nothing to show for it either.
  const [{ count }] = await tx.query<[{ count: number }]>(
    `select count(*)::int as count from evaluations e
      where e.event_id >= $1 and e.event_id < $2 and e.asked is null and e.matched > 0
        and (exists (select from deliveries d where d.event_id = e.event_id and d.occasion = e.occasion)
             or exists (select from json_array_elements(e.verdicts) as v where v ->> 'action' is not null))`,
    [...window],
  );
  return { asked, suppressed, uncountedEvaluations: count };
}

/**
 * Of a digest, of a notice and of what takes something back no evaluation asked; an edited one is in the place of one that
 * is counted. What a recall sends anew its own evaluation has asked for.
 */
const DELIVERIES = `
  select part, rule, target, state, count(*)::int as count
    from (select d.rule, d.target, k.state,
                 case when d.rule = $4 then 'notice'
                      when exists (select from recall_deliveries r where r.undo_id = d.id) then 'undo'
                      when d.generation > 0
                           and not exists (select from recall_deliveries r where r.new_id = d.id) then 'edited'
                      when exists (select from digests g where g.id = d.id) then 'digest'
                      when exists (select from evaluations e where e.event_id = d.event_id and e.occasion = d.occasion
                                      and e.asked is null) then 'uncounted'
                      else 'asked' end as part
            from deliveries d join action_keys k on k.id = d.id
           where d.event_id >= $1 and d.event_id < $2 and d.id >= $3) as each
   group by part, rule, target, state
   order by rule, target, state`;

async function attempts(tx: EntityManager, made: readonly string[]): Promise<BalanceAttempts> {
  const [row] = await tx.query<[BalanceAttempts]>(
    `select count(*)::int as total, (count(*) filter (where a.ambiguous))::int as ambiguous,
            (count(*) filter (where a.outcome = 'lost'))::int as lost
       from deliveries d join attempts a on a.delivery_id = d.id
      where d.event_id >= $1 and d.event_id < $2 and d.id >= $3 and a.delivery_id >= $3`,
    [...made],
  );
  return row;
}
