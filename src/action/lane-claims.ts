import type { DataSource } from 'typeorm';
import { plainArray } from '../database/array-parameters.js';
import { type Pipeline, pipelined } from '../database/prepared.js';
import type { DeliveryRow } from './delivery-store.js';
import {
  type LaneLimits,
  type LaneRoom,
  laneRoom,
  rateAfter,
  rateWait,
  type TargetLane,
} from './target-lane.js';
import { DEFAULT_CONCURRENCY, DEFAULT_MAIL_CONCURRENCY, MAIL_LANE } from './target-limits.js';

/** Lanes with pending deliveries that are looked at in one go, and of them those that are taken. */
const LOOKED_AT = 200;
const TAKEN = 64;
/** How often a claim that finds nothing due goes on to the next lanes. */
const LOOKS = 10;

/** A delivery that this instance may send until its lease ends. */
export type ClaimedDelivery = DeliveryRow & {
  readonly lane: string;
  readonly orderKey: string | null;
  readonly giveUpAt: Date | null;
};

export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[];
  /** There is more for the same lanes: worth a claim when something ends. */
  readonly more: boolean;
  /** Milliseconds until a rate lets the next begin; null: no rate holds anything back. */
  readonly againMs: number | null;
}

/** What the instance that claims has under way. */
export interface Underway {
  /** So many more it takes. */
  readonly free: number;
  /** By lane, those it is sending. */
  readonly sending: ReadonlyMap<string, number>;
  /** Sent, and not recorded yet: they hold no place at their target any more. */
  readonly ended: readonly string[];
}

/** A lane with something due that this claim has locked. */
interface DueLane extends Pick<TargetLane, 'breaker' | 'ramp' | 'probeAt'> {
  readonly lane: string;
  readonly rateAt: number | null;
  readonly concurrency: number | null;
  readonly rateMax: number | null;
  readonly ratePerMs: number | null;
}

/** One without a lane says how far the look went; one without a breaker is locked elsewhere, or has no row yet. */
type LaneRow = Omit<DueLane, 'lane' | 'breaker'> & {
  readonly lane: string | null;
  readonly breaker: TargetLane['breaker'] | null;
  /** Whoever made its delivery was not the door. */
  readonly missing: boolean | null;
  readonly looked: number | null;
  readonly last: string | null;
};

const isLocked = (row: LaneRow): row is LaneRow & DueLane => row.lane !== null && row.breaker !== null;

/** The lane after another that has pending deliveries, or the first of all, and when its first is due. */
function nextLane(after: string): string {
  const first = (where: string): string => `(select target_lane as lane, due_at from action_keys
     where state = 'pending' ${where} order by target_lane, due_at limit 1)`;
  return `${first(`and target_lane > ${after}`)} union all ${first('')} limit 1`;
}

/**
 * Lanes that have something due, in rotation from the one after $1, with one look at the index for each; locked, but
 * for those that another instance is claiming from: the limits hold over all instances. A claim that the database
 * forgets when it crashes is made again, so nobody waits for it to be on the disk.
 */
const LANES = `
  with recursive walk (lane, due_at, n, first) as (
    select lane, due_at, 1, lane from (${nextLane('$1')}) as begin
    union all
    select next.lane, next.due_at, n + 1, first from walk cross join lateral (${nextLane('walk.lane')}) as next
     where n < ${LOOKED_AT} and next.lane <> first),
  due as materialized (
    select w.lane, w.n, l.lane is null as missing from walk w left join target_lanes l using (lane)
     where w.due_at <= $2 and (l.probe_at is null or l.probe_at <= $2)
     order by w.n limit ${TAKEN}),
  locked as materialized (
    select lane, breaker, ramp, probe_at, rate_at from target_lanes
     where lane = any(array(select lane from due)) for update skip locked)
  select due.lane, due.missing, locked.breaker, locked.ramp,
         extract(epoch from locked.probe_at)::float8 * 1000 as "probeAt",
         extract(epoch from locked.rate_at)::float8 * 1000 as "rateAt",
         coalesce(own.concurrency, others.concurrency) as concurrency,
         coalesce(own.rate_max, others.rate_max) as "rateMax",
         case when own.rate_max is null then others.rate_per_ms else own.rate_per_ms end::float8 as "ratePerMs",
         (select max(n) from walk) as looked, (select lane from walk order by n desc limit 1) as last
    from (select set_config('synchronous_commit', 'off', true)) as always left join due on true
    left join locked using (lane)
    left join target_limits own on own.lane = due.lane left join target_limits others on others.lane = '*'
   order by due.n`;

/**
 * Takes of each lane as many as it has room for, oldest due first. Those under way are counted here, in a statement
 * that begins after the lanes were locked: it sees what the instance before has taken.
 */
const CLAIM = `
  update action_keys set state = 'delivering', attempt = attempt + 1, leased_by = $5, updated_at = now(),
         lease_until = clock_timestamp() + make_interval(secs => $6)
   where ctid = any(array(
           select k.place from unnest($1::text[], $2::int[], $3::int[]) as w (lane, at_once, begin_now)
            cross join lateral (
              select ctid as place from action_keys
               where state = 'pending' and target_lane = w.lane and due_at <= $4
               order by due_at
               limit greatest(0, least(w.begin_now, w.at_once - (
                 select count(*) from action_keys s
                  where s.state = 'delivering' and s.target_lane = w.lane and s.id <> all($7::uuid[]))))) as k))
     and state = 'pending'
  returning id, key as "actionKey", target_lane as lane, rule, action, target, state, attempt, attempts_before as "attemptsBefore",
            due_at as "dueAt", redriven_at as "redrivenAt", code, reason, order_key as "orderKey", give_up_at as "giveUpAt"`;

type ClaimedKey = Omit<ClaimedDelivery, 'eventId' | 'occasion' | 'kind' | 'createdAt' | 'request'>;

/** Without a plan that is kept: one made anew each time looks at the partitions of these days alone. */
const READ = `
  select id, event_id as "eventId", occasion, kind, created_at as "createdAt", request
    from deliveries where id = any($1::uuid[])`;

/**
 * Claims deliveries lane by lane, in rotation, within the limits that each lane has over all instances. An instance
 * gives one lane no more than it keeps free for the others: whichever targets hang, some places are left.
 */
export class LaneClaims {
  /** The last lane that was looked at: the next claim begins after it. */
  private last = '';

  constructor(
    private readonly dataSource: DataSource,
    private readonly instance: string,
    private readonly leaseSeconds: number,
  ) {}

  /** `now` in ms. What was claimed and has no delivery is left out: its lease runs out. */
  async claim(underway: Underway, now: number): Promise<Claim> {
    return await pipelined(this.dataSource, async (tx) => {
      const begun = tx.send('begin');
      const [lanes] = await Promise.all([this.lockDueLanes(tx, now), begun]);
      const rooms = shared(
        lanes.map((lane) => ({ lane: lane.lane, ...laneRoom(lane, limitsOf(lane), lane.rateAt, now) })),
        underway,
      );
      const claimed = rooms.length === 0 ? Promise.resolve([]) : this.take(tx, rooms, underway, now);
      const againMs = lanes.some(({ rateMax }) => rateMax !== null)
        ? await this.spend(tx, lanes, await claimed, now)
        : null;
      const [keys] = await Promise.all([claimed, tx.send('commit')]);
      return { deliveries: await read(tx, keys), more: lanes.length > 0, againMs };
    });
  }

  private async take(
    tx: Pipeline,
    rooms: readonly (LaneRoom & { readonly lane: string })[],
    underway: Underway,
    now: number,
  ): Promise<readonly ClaimedKey[]> {
    return await tx.lookup<ClaimedKey>('claim-deliveries', CLAIM, [
      rooms.map(({ lane }) => lane),
      plainArray(rooms.map(({ atOnce }) => atOnce)),
      plainArray(rooms.map(({ begin }) => begin)),
      new Date(now),
      this.instance,
      this.leaseSeconds,
      plainArray(underway.ended),
    ]);
  }

  /** Goes on until it finds lanes with something due, or has been at all of them. */
  private async lockDueLanes(tx: Pipeline, now: number): Promise<readonly DueLane[]> {
    for (let look = 0; look < LOOKS; look += 1) {
      const rows = await tx.lookup<LaneRow>('claim-lanes', LANES, [this.last, new Date(now)]);
      const due = rows.filter(({ lane }) => lane !== null);
      this.last = (due.length === TAKEN ? due.at(-1)?.lane : rows[0]?.last) ?? '';
      const missing = due.flatMap(({ lane, missing }) => (missing === true ? (lane ?? []) : []));
      if (missing.length > 0)
        await tx.send(
          `insert into target_lanes (lane, updated_at) select unnest($1::text[]), $2 order by 1 on conflict do nothing`,
          [missing, new Date(now)],
        );
      if (due.length > 0 || (rows[0]?.looked ?? 0) < LOOKED_AT) return due.filter(isLocked);
    }
    return [];
  }

  /** Takes what was claimed off the rates. Answers when the first of them lets more begin. */
  private async spend(
    tx: Pipeline,
    lanes: readonly DueLane[],
    claimed: readonly ClaimedKey[],
    now: number,
  ): Promise<number | null> {
    const limited = lanes.flatMap((lane) => {
      const { rate } = limitsOf(lane);
      if (rate === null) return [];
      const begun = claimed.filter((one) => one.lane === lane.lane).length;
      const rateAt = begun === 0 ? lane.rateAt : rateAfter(rate, lane.rateAt, begun, now);
      return [{ lane: lane.lane, begun, rateAt, wait: rateWait(rate, rateAt, now) }];
    });
    const spent = limited.filter(({ begun }) => begun > 0);
    if (spent.length > 0)
      await tx.send(
        `update target_lanes l set rate_at = to_timestamp(u.at / 1000), updated_at = $3
           from unnest($1::text[], $2::float8[]) as u (lane, at) where l.lane = u.lane`,
        [spent.map(({ lane }) => lane), plainArray(spent.map(({ rateAt }) => rateAt)), new Date(now)],
      );
    return limited.length === 0 ? null : Math.min(...limited.map(({ wait }) => wait));
  }
}

async function read(tx: Pipeline, keys: readonly ClaimedKey[]): Promise<readonly ClaimedDelivery[]> {
  if (keys.length === 0) return [];
  const rows = await tx.send<Omit<ClaimedDelivery, Exclude<keyof ClaimedKey, 'id'>>>(READ, [
    plainArray(keys.map(({ id }) => id)),
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return keys.flatMap((key) => {
    const row = byId.get(key.id);
    return row ? { ...key, ...row } : [];
  });
}

function limitsOf({ lane, concurrency, rateMax, ratePerMs }: DueLane): LaneLimits {
  return {
    concurrency: concurrency ?? (lane === MAIL_LANE ? DEFAULT_MAIL_CONCURRENCY : DEFAULT_CONCURRENCY),
    rate: rateMax === null || ratePerMs === null ? null : { max: rateMax, perMs: ratePerMs },
  };
}

/**
 * Shares the free places of an instance among lanes with something due: each gets as many, and none may have more
 * under way here than stays free. So one lane never has more than half of them, two no more than a third each.
 */
export function shared<Room extends LaneRoom & { readonly lane: string }>(
  rooms: readonly Room[],
  { free, sending }: Pick<Underway, 'free' | 'sending'>,
): readonly Room[] {
  const asking = rooms.filter(({ begin }) => begin > 0);
  const share = Math.max(1, Math.floor(free / Math.max(1, asking.length)));
  return asking.slice(0, Math.max(0, free)).map((room) => {
    const mine = sending.get(room.lane) ?? 0;
    const most = Math.max(mine === 0 ? 1 : 0, Math.floor((free - mine) / 2));
    return { ...room, begin: Math.min(room.begin, share, most), atOnce: Math.min(room.atOnce, 1_000_000) };
  });
}
