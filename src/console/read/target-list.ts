import type { DataSource } from 'typeorm';
import type { ActionKind } from '../../action/action.js';
import {
  ANY_LANE,
  DEFAULT_CONCURRENCY,
  DEFAULT_MAIL_CONCURRENCY,
  MAIL_LANE,
} from '../../action/target-limits.js';

/** A target and how its deliveries stand now. */
export interface TargetRow {
  readonly target: string;
  readonly kind: ActionKind;
  readonly pending: number;
  readonly delivering: number;
  readonly deferred: number;
  readonly held: number;
  readonly dead: number;
  readonly lastDeliveredAt: Date | null;
  readonly lastFailedAt: Date | null;
  readonly lastCode: string | null;
  /** Since when the oldest waits that is due to be sent. */
  readonly oldestPendingAt: Date | null;
  readonly rules: readonly string[];
  /** What its limits and its breaker are of: the target itself, or `email` and `feishu` for all of these. */
  readonly lane: string;
  /** `half-open`: one delivery at a time may try. */
  readonly breaker: (typeof BREAKER_STATES)[number];
  /** Of its lane, in a row. */
  readonly failures: number;
  /** Until when an open breaker lets nothing through. */
  readonly probeAt: Date | null;
  /** Since when somebody was told that the lane fails. */
  readonly failingSince: Date | null;
  /** How many of its lane may be under way at once, over all instances, and how many are. */
  readonly concurrency: number;
  readonly underWay: number;
  /** How many of its lane may begin in a time; null: no limit. */
  readonly rateMax: number | null;
  readonly ratePerMs: number | null;
}

export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;

/** Where deliveries go, and where they do not get through. */
export class TargetList {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to 1000 targets; those where something stands still come first. `now` in ms. */
  async list(now: number): Promise<TargetRow[]> {
    return await this.dataSource.query<TargetRow[]>(
      `with standing as (
         select target, rule,
                count(*) filter (where state = 'pending')::int as pending,
                count(*) filter (where state = 'delivering')::int as delivering,
                count(*) filter (where state = 'deferred')::int as deferred,
                count(*) filter (where state = 'held')::int as held,
                count(*) filter (where state = 'dead')::int as dead,
                min(waiting_since) as "oldestPendingAt"
           from (select target, rule, state, null::timestamptz as waiting_since from action_keys
                  where state in ('held', 'deferred', 'dead')
                 union all
                 select target, rule, state, ${CREATED_AT} from action_keys where state = 'pending'
                 union all
                 select target, rule, state, null from action_keys where state = 'delivering') as each
          group by target, rule),
       places as (
       select target, split_part(target, ':', 1) as kind,
              coalesce(sum(pending), 0)::int as pending, coalesce(sum(delivering), 0)::int as delivering,
              coalesce(sum(deferred), 0)::int as deferred, coalesce(sum(held), 0)::int as held,
              coalesce(sum(dead), 0)::int as dead, max(last_delivered_at) as "lastDeliveredAt",
              max(last_failed_at) as "lastFailedAt",
              (array_agg(last_code order by last_failed_at desc) filter (where last_failed_at is not null))[1] as "lastCode",
              min("oldestPendingAt") as "oldestPendingAt", array_agg(distinct rule order by rule) as rules
         from standing full join targets using (target, rule)
        group by target
        order by coalesce(sum(dead + held + deferred), 0) desc, min("oldestPendingAt") nulls last, target
        limit ${MOST}),
       sending as (
         select target_lane, count(*)::int as count from action_keys where state = 'delivering' group by target_lane)
       select p.*, n.lane,
              case when l.breaker is distinct from 'open' then 'closed'
                   when l.probe_at <= $1 then 'half-open' else 'open' end as breaker,
              coalesce(l.failures, 0) as failures, l.probe_at as "probeAt", l.failing_since as "failingSince",
              coalesce(own.concurrency, any_lane.concurrency, case n.lane when '${MAIL_LANE}' then ${DEFAULT_MAIL_CONCURRENCY}
                                                                    else ${DEFAULT_CONCURRENCY} end) as concurrency,
              coalesce(s.count, 0) as "underWay",
              case when own.rate_max is null then any_lane.rate_max else own.rate_max end as "rateMax",
              (case when own.rate_max is null then any_lane.rate_per_ms else own.rate_per_ms end)::float8 as "ratePerMs"
         from places p
        cross join lateral (select target_lane_of(p.target) as lane) as n
         left join target_lanes l on l.lane = n.lane
         left join target_limits own on own.lane = n.lane
         left join target_limits any_lane on any_lane.lane = '${ANY_LANE}'
         left join sending s on s.target_lane = n.lane
        order by dead + held + deferred desc, "oldestPendingAt" nulls last, target`,
      [new Date(now)],
    );
  }
}

const MOST = 1000;
/** The first 48 bits of a UUIDv7 are its milliseconds. */
const CREATED_AT = `to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)`;
