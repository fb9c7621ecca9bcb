import type { EntityManager } from 'typeorm';
import { type Notice, NOTICE_RULE } from './notice-store.js';

/** A target lane that has begun to fail, or is reached again. */
export interface TurnedLane {
  readonly name: string;
  readonly to: 'failing' | 'recovered';
  /** Since when it was not reached, ms since 1970. */
  readonly since: number;
  /** Of the last failure. */
  readonly code: string | null;
  /** In a row. */
  readonly failures: number;
  /** Its breaker was closed before. */
  readonly opened: boolean;
}

/** What the owners of the rules that send through these lanes have to be told. */
export async function noticesOfLanes(
  tx: EntityManager,
  lanes: readonly TurnedLane[],
  now: number,
): Promise<readonly Notice[]> {
  if (lanes.length === 0) return [];
  const rules = await tx.query<{ lane: string; rules: string[] }[]>(
    `select target_lane as lane, array_agg(distinct rule order by rule) as rules from targets
      where target_lane = any($1::text[]) and rule <> $2 group by target_lane`,
    [lanes.map(({ name }) => name), NOTICE_RULE],
  );
  return lanes.map(({ name, to, since, code, failures }) => ({
    kind: `target-${to}`,
    subject: name,
    rules: rules.find(({ lane }) => lane === name)?.rules ?? [],
    detail: {
      code,
      failures,
      since: new Date(since).toISOString(),
      at: new Date(now).toISOString(),
    },
  }));
}

/** What the owners have to be told of deliveries that went dead: once for each target. */
export async function noticesOfDead(
  tx: EntityManager,
  dead: readonly { readonly rule: string; readonly target: string; readonly code: string | null }[],
): Promise<readonly Notice[]> {
  // A message to an owner that cannot be delivered is not told to the owner.
  const concerning = dead.filter(({ rule }) => rule !== NOTICE_RULE);
  if (concerning.length === 0) return [];
  const targets = [...new Set(concerning.map(({ target }) => target))];
  const rules = await tx.query<{ target: string; rules: string[] }[]>(
    `select target, array_agg(distinct rule order by rule) as rules from targets
      where target = any($1::text[]) and rule <> $2 group by target`,
    [targets, NOTICE_RULE],
  );
  return targets.map((target) => {
    const own = concerning.filter((one) => one.target === target);
    const known = rules.find((row) => row.target === target)?.rules ?? [];
    return {
      kind: 'deliveries-dead',
      subject: target,
      rules: [...new Set([...known, ...own.map(({ rule }) => rule)])].sort(),
      detail: { count: own.length, code: own[0]?.code ?? null, rule: own[0]?.rule ?? null },
    };
  });
}
