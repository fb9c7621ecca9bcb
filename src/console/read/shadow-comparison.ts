import type { DataSource } from 'typeorm';
import type { RenderedRequest } from '../../action/action.js';
import type { DeliveryState } from '../../action/delivery-states.js';
import type { ShadowState } from '../../rules/shadow-store.js';
import { leastIdOf } from '../../events/received-at.js';
import type { Slice } from './slice.js';

/**
 * How what a rule in shadow mode would send stands to what its twin sends, for the same action, entity and reason: both to
 * the same target with the same content; only the live rule; only the one in shadow mode; both, and not the same.
 */
export const STANDINGS = ['same', 'live', 'shadow', 'different'] as const;
export type Standing = (typeof STANDINGS)[number];

/** By when it was decided: from, and before. */
export interface ShadowWindow {
  readonly since: Date;
  readonly until: Date;
}

export interface ShadowCounts {
  readonly counts: Readonly<Record<Standing, number>>;
  /** Messages of digests that are not due yet: they are compared when they are. */
  readonly gathering: number;
}

/** What both sides have. */
interface ComparedSide {
  readonly id: string;
  readonly target: string;
  readonly dueAt: Date;
  readonly code: string | null;
}
export type ShadowSide = ComparedSide & { readonly state: ShadowState };
export type LiveSide = ComparedSide & { readonly state: DeliveryState };

/** One of both sides is there. */
export interface ComparedRow {
  /** Of the shadow delivery; of one that only the live rule sends, of that. */
  readonly id: string;
  readonly standing: Standing;
  readonly action: string;
  readonly eventId: string;
  readonly occasion: string;
  readonly entity: string;
  readonly decidedAt: Date;
  readonly shadow: ShadowSide | null;
  readonly live: LiveSide | null;
}

/** A shadow delivery with all that is stored of it, and the delivery of its twin. */
export interface ShadowDetailRow {
  readonly id: string;
  readonly actionKey: string;
  readonly shadowOf: string | null;
  readonly eventId: string;
  readonly occasion: string;
  readonly rule: string;
  readonly action: string;
  readonly kind: string;
  readonly target: string;
  readonly entity: string;
  readonly decidedAt: Date;
  readonly dueAt: Date;
  readonly state: ShadowState;
  readonly code: string | null;
  readonly reason: string | null;
  readonly request: RenderedRequest | null;
  readonly liveId: string | null;
  readonly liveTarget: string | null;
  readonly liveState: DeliveryState | null;
  readonly liveCode: string | null;
  readonly liveDueAt: Date | null;
  readonly liveRequest: RenderedRequest | null;
}

/** A message of a digest that is not due yet has no content. */
const GATHERING = `(k.state = 'deferred' and k.deferred_for is not distinct from 'digest')`;
const STANDING = `case when d.id is null then 'shadow'
                       when d.target = s.target and d.request::text = s.request::text then 'same'
                       else 'different' end`;

/** Of \`$1\`, the rule in shadow mode, from the id \`$2\` on and before \`$3\`. */
const SHADOW_SIDE = `
  select s.id, s.id as shadow, d.id as live, ${STANDING} as standing
    from shadow_deliveries s
    left join action_keys k on k.key = s.twin_key
    left join deliveries d on d.id = k.id
   where s.rule = $1 and s.id >= $2 and s.id < $3 and s.state in ('pending', 'held', 'dead') and ${GATHERING} is not true`;

/**
 * What its twins, \`$4\`, have sent beside it, as far as it was evaluated beside them. An edited redrive and a replay are
 * acts of people on the live rule, and a digest that came to nothing has sent nothing.
 */
const LIVE_SIDE = `
  select d.id, null::uuid as shadow, d.id as live, 'live' as standing
    from deliveries d join action_keys k on k.id = d.id
   where d.rule = any($4::text[]) and array[d.rule, d.action, d.kind, d.target, d.occasion] && $4::text[]
     and d.id >= $2 and d.id < $3 and d.generation = 0 and d.occasion !~ '^(?:replay|recall):' and not ${GATHERING}
     and not (k.state = 'cancelled' and k.code in ('RULE_GONE', 'DIGEST_EMPTY'))
     and not exists (select from shadow_keys o where o.twin_key = d.action_key and o.rule = $1)
     and exists (select from evaluations e join shadow_rules r on r.rule_set = e.rule_set
                  where e.event_id = d.event_id and e.occasion = d.occasion and r.rule = $1 and r.shadow_of = d.rule)`;

/** Compares what rules in shadow mode would send with what their twins send. */
export class ShadowComparison {
  constructor(private readonly dataSource: DataSource) {}

  /** Whether a rule was ever in shadow mode, and the live rules that it was compared with, the last one first. */
  async twinsOf(rule: string): Promise<readonly string[] | null> {
    const rows = await this.dataSource.query<{ shadowOf: string | null }[]>(
      `select r.shadow_of as "shadowOf" from shadow_rules r left join rule_set_activations a on a.hash = r.rule_set
        where r.rule = $1 group by r.shadow_of order by max(a.number) desc nulls last`,
      [rule],
    );
    return rows.length === 0 ? null : rows.flatMap(({ shadowOf }) => shadowOf ?? []);
  }

  /** `twins`: as `twinsOf` has them; `withinMs`: when the database gives up. */
  async count(
    rule: string,
    twins: readonly string[],
    window: ShadowWindow,
    withinMs: number,
  ): Promise<ShadowCounts> {
    const range = rangeOf(window);
    return await this.dataSource.transaction(async (tx) => {
      await tx.query(`select set_config('statement_timeout', $1, true)`, [String(withinMs)]);
      const rows = await tx.query<{ standing: Standing; count: number }[]>(
        `select standing, count(*)::int as count from (${SHADOW_SIDE} union all ${LIVE_SIDE}) as each group by standing`,
        [rule, ...range, twins],
      );
      const [{ gathering }] = await tx.query<[{ gathering: number }]>(
        `select count(*)::int as gathering from shadow_deliveries
          where rule = $1 and id >= $2 and id < $3 and state = 'gathering'`,
        [rule, ...range],
      );
      const of = (standing: Standing): number => rows.find((row) => row.standing === standing)?.count ?? 0;
      const counts = { same: of('same'), live: of('live'), shadow: of('shadow'), different: of('different') };
      return { counts, gathering };
    });
  }

  /** Up to `limit` + 1 of a standing, or of all; the newest first. */
  async list(
    rule: string,
    twins: readonly string[],
    { since, until, standing }: ShadowWindow & { readonly standing?: Standing | undefined },
    { limit, after }: Slice,
    withinMs: number,
  ): Promise<readonly ComparedRow[]> {
    const [low, high] = rangeOf({ since, until });
    const before = after !== null && after < high ? after : high;
    const sides = [
      ...(standing === 'live' ? [] : [standing ? `${SHADOW_SIDE} and ${STANDING} = $5` : SHADOW_SIDE]),
      ...(standing === undefined || standing === 'live' ? [LIVE_SIDE] : []),
    ];
    return await this.dataSource.transaction(async (tx) => {
      await tx.query(`select set_config('statement_timeout', $1, true)`, [String(withinMs)]);
      const found = await tx.query<Found[]>(
        `select * from (${sides.map((side) => `(${side} order by 1 desc limit ${limit + 1})`).join(' union all ')}) as each
          where $4::text[] is not null and ($5::text is null or standing = $5) order by id desc limit ${limit + 1}`,
        [rule, low, before, twins, standing ?? null],
      );
      const shadows = await tx.query<(ShadowSide & AboutRow)[]>(
        `select id, target, state, code, due_at as "dueAt", action, event_id as "eventId", occasion, entity,
                decided_at as "decidedAt" from shadow_deliveries where id = any($1::uuid[])`,
        [found.flatMap(({ shadow }) => shadow ?? [])],
      );
      const lives = await tx.query<(LiveSide & AboutRow)[]>(
        `select d.id, d.target, k.state, k.code, k.due_at as "dueAt", d.action, d.event_id as "eventId", d.occasion, d.entity,
                d.created_at as "decidedAt" from deliveries d join action_keys k on k.id = d.id where d.id = any($1::uuid[])`,
        [found.flatMap(({ live }) => live ?? [])],
      );
      return found.flatMap(({ id, standing: stands, shadow, live }): ComparedRow[] => {
        const own = shadows.find((one) => one.id === shadow) ?? null;
        const other = lives.find((one) => one.id === live) ?? null;
        const about = own ?? other;
        if (!about) return [];
        const { action, eventId, occasion, entity, decidedAt } = about;
        return [
          {
            id,
            standing: stands,
            action,
            eventId,
            occasion,
            entity,
            decidedAt,
            shadow: own && { ...sideOf(own), state: own.state },
            live: other && { ...sideOf(other), state: other.state },
          },
        ];
      });
    });
  }

  async find(id: string): Promise<ShadowDetailRow | null> {
    const [row] = await this.dataSource.query<ShadowDetailRow[]>(
      `select s.id, s.action_key as "actionKey", s.shadow_of as "shadowOf", s.event_id as "eventId", s.occasion, s.rule,
              s.action, s.kind, s.target, s.entity, s.decided_at as "decidedAt", s.due_at as "dueAt", s.state, s.code,
              s.reason, s.request, d.id as "liveId", d.target as "liveTarget", k.state as "liveState", k.code as "liveCode",
              k.due_at as "liveDueAt", d.request as "liveRequest"
         from shadow_deliveries s
         left join action_keys k on k.key = s.twin_key
         left join deliveries d on d.id = k.id
        where s.id = $1`,
      [id],
    );
    return row ?? null;
  }
}

interface Found {
  readonly id: string;
  readonly standing: Standing;
  readonly shadow: string | null;
  readonly live: string | null;
}

type AboutRow = Pick<ComparedRow, 'action' | 'eventId' | 'occasion' | 'entity' | 'decidedAt'>;

function sideOf({ id, target, dueAt, code }: ComparedSide): ComparedSide {
  return { id, target, dueAt, code };
}

function rangeOf({ since, until }: ShadowWindow): readonly [string, string] {
  return [leastIdOf(since.getTime()), leastIdOf(until.getTime())];
}
