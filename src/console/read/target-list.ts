import type { DataSource } from 'typeorm';
import type { ActionKind } from '../../action/action.js';

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
}

/** Where deliveries go, and where they do not get through. */
export class TargetList {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to 1000 targets; those where something stands still come first. */
  async list(): Promise<TargetRow[]> {
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
          group by target, rule)
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
        limit ${MOST}`,
    );
  }
}

const MOST = 1000;
/** The first 48 bits of a UUIDv7 are its milliseconds. */
const CREATED_AT = `to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)`;
