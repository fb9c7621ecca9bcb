import type { DataSource, EntityManager } from 'typeorm';
import { type Notice, raiseNotices } from '../action/notice-store.js';
import type { RateBudget } from '../config/config.js';
import { writeDuration } from '../config/duration.js';
import { prepared, preparedLookup } from '../database/prepared.js';
import {
  type BrakeCount,
  type BrakeGates,
  type BrakeHold,
  budgetScope,
  countedSince,
  NO_BRAKES,
  sliceAt,
  sliceMs,
  STORM_SCOPE,
} from './brake.js';
import type { Firing } from './firing.js';
import { apart, gateNameOf } from './shadow.js';

/** Advisory locks of budgets: one of so many for each rule, so that a batch of many rules takes few. */
const BUDGET_LOCKS = 4157007;
/** Others for rules in shadow mode: those come last, so that no live decision waits for one in a circle. */
const SHADOW_LOCKS = 4157017;
const LOCKS = 256;

/**
 * What the brakes have let through, in slices of time. A rule's budget is exact over all instances: who counts it locks
 * it until the end of the transaction. The storm brake is counted by each connection for itself and added up, so that
 * no decision waits for another; what is being decided elsewhere at the moment is not in it.
 */
export class BrakeStore {
  constructor(
    private readonly dataSource: DataSource,
    /** Of all rules together; null: off. */
    private readonly storm: RateBudget | null,
  ) {}

  /** Reads what the brakes need for some firings; `now` in ms. */
  async read(tx: EntityManager, firings: readonly Firing[], now: number): Promise<BrakeGates> {
    const sending = firings.filter(({ deliveries }) => deliveries.some(({ state }) => state === 'pending'));
    if (sending.length === 0) return NO_BRAKES;
    const { live, shadow } = apart(sending);
    const storm = live.length > 0 ? this.storm : null;
    const wanted = new Map<string, RateBudget>();
    for (const [space, some] of [
      [BUDGET_LOCKS, live],
      [SHADOW_LOCKS, shadow],
    ] as const) {
      const budgets = some.flatMap(({ rule }): [string, RateBudget][] =>
        rule.budget ? [[budgetScope(gateNameOf(rule)), rule.budget]] : [],
      );
      for (const [scope, budget] of budgets) wanted.set(scope, budget);
      if (budgets.length > 0) await lock(tx, space, [...new Set(budgets.map(([scope]) => scope))]);
    }
    if (storm) wanted.set(STORM_SCOPE, storm);
    const through = await counted(tx, wanted, now);
    return { budgets: through, storm: storm && { ...storm, through: through.get(STORM_SCOPE) ?? 0 } };
  }

  /**
   * Writes what was let through, and that somebody has to be told of what is held. Wake `NOTICE_QUEUE` after the commit
   * when something is.
   */
  async write(
    tx: EntityManager,
    { counts, holds }: { readonly counts: readonly BrakeCount[]; readonly holds: readonly BrakeHold[] },
    now: number,
  ): Promise<void> {
    if (counts.length > 0) {
      const slices = counts.map(({ perMs }) => sliceAt(now, perMs));
      await prepared(
        tx,
        'count-through',
        `insert into brake_counts (scope, slice, shard, count, expires_at)
         select scope, slice, case when scope = '${STORM_SCOPE}' then pg_backend_pid()::text else '' end, count, expires_at
           from unnest($1::text[], $2::bigint[], $3::int[], $4::timestamptz[]) as u (scope, slice, count, expires_at)
         on conflict (scope, slice, shard) do update set count = brake_counts.count + excluded.count`,
        [
          counts.map(({ scope }) => scope),
          slices,
          counts.map(({ count }) => count),
          counts.map(({ perMs }, index) => new Date((slices[index] ?? now) + sliceMs(perMs) + perMs)),
        ],
      );
    }
    await raiseNotices(tx, noticesOf(holds), now);
  }

  /** Forgets what counts no more; `now` in ms. */
  async forget(now: number): Promise<void> {
    await this.dataSource.query('delete from brake_counts where expires_at < $1', [new Date(now)]);
  }
}

/** In one order, so that two transactions wait for each other and not in a circle. */
async function lock(tx: EntityManager, space: number, scopes: readonly string[]): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock($1, slot)
       from (select distinct hashtext(scope) & ${LOCKS - 1} as slot from unnest($2::text[]) as u (scope) order by slot) as s`,
    [space, scopes],
  );
}

async function counted(
  tx: EntityManager,
  wanted: ReadonlyMap<string, RateBudget>,
  now: number,
): Promise<ReadonlyMap<string, number>> {
  if (wanted.size === 0) return new Map();
  const scopes = [...wanted.keys()];
  const rows = await preparedLookup<{ scope: string; through: number }>(
    tx,
    'let-through',
    `select scope, (select coalesce(sum(count), 0)::int from brake_counts b
                     where b.scope = u.scope and b.slice > u.since) as through
       from unnest($1::text[], $2::bigint[]) as u (scope, since)`,
    [scopes, [...wanted.values()].map(({ perMs }) => countedSince(now, perMs))],
  );
  return new Map(rows.map(({ scope, through }) => [scope, through]));
}

/** One for each brake: of the storm brake, the owners of all rules that it holds something of are told together. */
function noticesOf(holds: readonly BrakeHold[]): Notice[] {
  const scopes = [...new Set(holds.map(({ scope }) => scope))];
  return scopes.map((scope) => {
    const own = holds.filter((one) => one.scope === scope);
    const { max = 0, perMs = 0, rule = '' } = own[0] ?? {};
    return {
      kind: 'brake-held',
      subject: scope,
      rules: own.map((one) => one.rule),
      detail: {
        held: own.reduce((sum, { count }) => sum + count, 0),
        max,
        per: writeDuration(perMs),
        rule: scope === STORM_SCOPE ? null : rule,
      },
    };
  });
}
