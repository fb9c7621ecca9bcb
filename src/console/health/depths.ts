import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { type Log, messageOf } from '../../config/log.js';
import { within } from '../../config/within.js';
import { receivedAtOf } from '../../events/received-at.js';
import { BREAKER_STATES } from '../read/target-list.js';
import { RADAR_KINDS } from '../../rules/radar/finding.js';
import { UNSETTLED_STATES } from '../read/unsettled-list.js';

/** How much waits in the database, and for how long. Counts end at `COUNTED`; ages are in ms, 0: nothing waits. */
export interface Depths {
  readonly undecided: number;
  readonly undecidedAge: number;
  readonly waiting: number;
  readonly waitingAge: number;
  readonly quarantined: number;
  readonly deliveries: Readonly<Record<(typeof OPEN_STATES)[number], number>>;
  readonly due: number;
  readonly dueAge: number;
  /** Ladders with a step to come, and those whose step is due. */
  readonly timers: Readonly<Record<(typeof TIMER_STANDINGS)[number], number>>;
  readonly overdueAge: number;
  /** Verdicts "unknown" that a later event may settle, and those that need a person. */
  readonly unsettled: Readonly<Record<(typeof UNSETTLED_STATES)[number], number>>;
  /** Target lanes by their breaker. */
  readonly targets: Readonly<Record<(typeof BREAKER_STATES)[number], number>>;
  /** Findings of the radar that are open. */
  readonly radar: Readonly<Record<(typeof RADAR_KINDS)[number], number>>;
  readonly indexLag: number;
  /** The live rule set; null: none. */
  readonly ruleSet: { readonly hash: string; readonly activatedAt: Date } | null;
  /** Nobody has changed the one-time password of the first user yet. */
  readonly passwordIsInitial: boolean;
}

/** The states of deliveries that are not done. */
export const OPEN_STATES = ['pending', 'delivering', 'held', 'deferred', 'dead'] as const;
export const TIMER_STANDINGS = ['armed', 'overdue'] as const;
/** Where counting ends: what is deeper is no less trouble, and a count must stay cheap however much there is. */
const COUNTED = 100_000;
const FRESH_MS = 5000;
/** What is older says nothing of now. */
const KNOWN_MS = 60_000;
const WITHIN_MS = 2000;
const TELL_MS = 60_000;

const count = (from: string): string =>
  `(select count(*)::int from (select 1 from ${from} limit ${COUNTED}) as c)`;

/**
 * A count that ends early is best read off an index from its start: neither the table nor the whole index first, as the
 * planner likes to do when there is much.
 */
export const DEPTHS_LIMITS = `select set_config('statement_timeout', '${WITHIN_MS}', true),
  set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`;

/** Every part reads one end of a partial index, or as many of its entries as are counted. */
export const DEPTHS_SQL = `
  select ${count(`event_keys where state = 'undecided'`)} as undecided,
         (select id from event_keys where state = 'undecided' order by id limit 1) as "firstUndecided",
         waits.count as waiting, waits.since as "waitingSince",
         ${count(`event_keys where state = 'quarantined'`)} as quarantined,
         ${OPEN_STATES.map((state) => `${count(`action_keys where state = '${state}'`)} as ${state}`).join(', ')},
         ${count(`action_keys where state = 'pending' and due_at <= $1`)} as due,
         (select min(first.due_at) from target_lanes l cross join lateral (
            select due_at from action_keys where state = 'pending' and target_lane = l.lane order by due_at limit 1) as first) as "firstDue",
         ${count(`timers where state = 'armed' and due_at > $1`)} as armed,
         ${count(`timers where state = 'armed' and due_at <= $1`)} as overdue,
         (select due_at from timers where state = 'armed' order by due_at limit 1) as "firstOverdue",
         ${count(`unsettled where until > $1`)} as open, ${count(`unsettled where until <= $1`)} as expired,
         ${count(`target_lanes where breaker = 'closed'`)} as closed,
         ${count(`target_lanes where breaker = 'open' and probe_at > $1`)} as "openBreakers",
         ${count(`target_lanes where breaker = 'open' and probe_at <= $1`)} as "halfOpen",
         (select k.id from event_keys k where k.id > (select through from event_search_progress)
            and not exists (select 1 from event_search s where s.id = k.id) order by k.id limit 1) as "firstNotIndexed",
         (select json_object_agg(kind, count) from (
            select kind, count(*)::int as count from radar_findings where state = 'open' group by kind) as r) as radar,
         active.hash, active.activated_at as "activatedAt",
         exists (select 1 from users where name = 'admin' and must_change_password and not disabled) as "passwordIsInitial"
    from (select count(*)::int as count, min(created_at) as since
            from (select created_at from lookups where state <> 'answered' limit ${COUNTED}) as w) as waits
    left join (select hash, activated_at from rule_set_activations order by number desc limit 1) as active on true`;

type Row = Omit<Depths, 'deliveries' | 'timers' | 'unsettled' | 'targets' | 'radar' | 'ruleSet'> &
  Depths['deliveries'] &
  Depths['timers'] &
  Depths['unsettled'] & {
    readonly closed: number;
    readonly radar: Partial<Depths['radar']> | null;
    readonly openBreakers: number;
    readonly halfOpen: number;
    readonly firstUndecided: string | null;
    readonly waitingSince: Date | null;
    readonly firstDue: Date | null;
    readonly firstOverdue: Date | null;
    readonly firstNotIndexed: string | null;
    readonly hash: string | null;
    readonly activatedAt: Date | null;
  };

/**
 * Reads the depths, at most once in 5 s and one reading at a time, whoever asks. A database that does not answer costs
 * whoever asks 2 s and no more.
 */
export class DepthGauge {
  private last: { readonly depths: Depths; readonly at: number } | null = null;
  private reading: Promise<Depths | null> | null = null;
  private told = -Infinity;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Of the last 5 s; null: the database does not say. */
  async now(): Promise<Depths | null> {
    const age = this.age();
    if (this.last && age >= 0 && age < FRESH_MS) return this.last.depths;
    return await within(this.read(), WITHIN_MS, null);
  }

  /** What was read last, without waiting for what is read meanwhile; null: nothing of the last minute. */
  async known(): Promise<Depths | null> {
    if (!this.last) return await this.now();
    if (this.age() >= FRESH_MS) void this.read();
    return this.age() < KNOWN_MS ? this.last.depths : null;
  }

  private age(): number {
    return this.last ? this.clock.now() - this.last.at : Infinity;
  }

  /** Never rejects. */
  private read(): Promise<Depths | null> {
    this.reading ??= this.ask()
      .catch((error: unknown) => {
        if (performance.now() - this.told >= TELL_MS) {
          this.told = performance.now();
          this.log.warn({ event: 'depths.not-read' }, messageOf(error));
        }
        return null;
      })
      .finally(() => {
        this.reading = null;
      });
    return this.reading;
  }

  private async ask(): Promise<Depths> {
    const at = this.clock.now();
    const [row] = await this.dataSource.transaction('READ COMMITTED', async (tx) => {
      await tx.query(DEPTHS_LIMITS);
      return await tx.query<[Row]>(DEPTHS_SQL, [new Date(at)]);
    });
    const depths = depthsOf(row, at);
    this.last = { depths, at };
    return depths;
  }
}

function depthsOf(row: Row, at: number): Depths {
  const since = (time: number | null): number => (time === null ? 0 : Math.max(0, at - time));
  const received = (id: string | null): number | null => (id === null ? null : receivedAtOf(id));
  const { undecided, waiting, quarantined, due, hash, activatedAt, passwordIsInitial } = row;
  const { pending, delivering, held, deferred, dead, armed, overdue, open, expired } = row;
  return {
    undecided,
    undecidedAge: since(received(row.firstUndecided)),
    waiting,
    waitingAge: since(row.waitingSince?.getTime() ?? null),
    quarantined,
    deliveries: { pending, delivering, held, deferred, dead },
    due,
    dueAge: since(row.firstDue?.getTime() ?? null),
    timers: { armed, overdue },
    overdueAge: since(row.firstOverdue?.getTime() ?? null),
    unsettled: { open, expired },
    targets: { closed: row.closed, open: row.openBreakers, 'half-open': row.halfOpen },
    radar: Object.fromEntries(RADAR_KINDS.map((kind) => [kind, row.radar?.[kind] ?? 0])) as Depths['radar'],
    indexLag: since(received(row.firstNotIndexed)),
    ruleSet: hash === null || activatedAt === null ? null : { hash, activatedAt },
    passwordIsInitial,
  };
}
