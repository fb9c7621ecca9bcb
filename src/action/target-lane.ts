import type { RateBudget } from '../config/config.js';

/** Failures in a row after which a target is left alone. */
const FAILURES = 5;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
const JITTER = 0.2;
/** A target may ask that nothing is sent to it; not for longer than this. */
const LONGEST_ASKED_MS = 3_600_000;
/** After it has closed: so many at once, twice as many after each success, and as the limits say from here on. */
const RAMP_FROM = 2;
const RAMP_TO = 128;
/** How much of a rate may go out in one breath. */
const BURST_SHARE = 0.1;

/** What is known of a target lane. Times in ms since 1970. */
export interface TargetLane {
  readonly breaker: 'closed' | 'open';
  /** Failures in a row, and when the first of them was. */
  readonly failures: number;
  readonly downSince: number | null;
  /** How often the breaker has opened without closing in between. */
  readonly openings: number;
  /** While it is open: from when one delivery at a time may try. */
  readonly probeAt: number | null;
  /** After it has closed: how many may be under way at once; null: as many as the limits say. */
  readonly ramp: number | null;
  /** Of the last failure. */
  readonly lastCode: string | null;
}

/** What one attempt says of its target. */
export interface LaneOutcome {
  /** It answers, or it is down; null: neither. */
  readonly target: 'up' | 'down' | null;
  readonly code: string | null;
  /** Milliseconds that a target which is down asked to be left alone. */
  readonly retryAfterMs: number | null;
  /** When the attempt began, ms since 1970. */
  readonly startedAt: number;
}

export const QUIET_LANE: TargetLane = {
  breaker: 'closed',
  failures: 0,
  downSince: null,
  openings: 0,
  probeAt: null,
  ramp: null,
  lastCode: null,
};

/** Whether nothing is remembered that a success would change. */
export function isQuiet({ breaker, failures, ramp }: TargetLane): boolean {
  return breaker === 'closed' && failures === 0 && ramp === null;
}

/** Open, and one delivery may try: the two names of one state in the table. */
export function breakerOf(
  { breaker, probeAt }: Pick<TargetLane, 'breaker' | 'probeAt'>,
  now: number,
): 'closed' | 'open' | 'half-open' {
  return breaker === 'open' && (probeAt ?? 0) <= now ? 'half-open' : breaker;
}

/**
 * What a lane is after attempts, in the order in which they ended.
 *
 * The breaker opens after five failures in a row, or at once when the target asks to be left alone (`Retry-After`).
 * While it is open, only attempts that began after `probeAt` count: what was on its way when it opened knows nothing
 * new. A failed probe opens it for longer, a success closes it.
 *
 * @param random from 0 to 1
 */
export function laneAfter(
  lane: TargetLane,
  outcomes: readonly LaneOutcome[],
  now: number,
  random: () => number = Math.random,
): TargetLane {
  return outcomes.reduce((before, outcome) => after(before, outcome, now, random), lane);
}

function after(lane: TargetLane, outcome: LaneOutcome, now: number, random: () => number): TargetLane {
  const asked = askedMs(outcome);
  const isProbe = outcome.startedAt >= (lane.probeAt ?? 0);
  if (outcome.target === null) return lane;
  if (outcome.target === 'up') return isProbe ? succeeded(lane) : lane;
  if (!isProbe) return { ...lane, probeAt: Math.max(lane.probeAt ?? 0, asked === 0 ? 0 : now + asked) };
  const failed = {
    ...lane,
    failures: lane.failures + 1,
    downSince: lane.downSince ?? outcome.startedAt,
    lastCode: outcome.code,
    ramp: lane.ramp === null ? null : RAMP_FROM,
  };
  if (lane.breaker === 'closed' && failed.failures < FAILURES && asked === 0) return failed;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** lane.openings, LONGEST_PAUSE_MS);
  const jittered = Math.round(pause * (1 - JITTER + 2 * JITTER * random()));
  return {
    ...failed,
    breaker: 'open',
    openings: lane.openings + 1,
    probeAt: now + (asked === 0 ? jittered : asked),
    ramp: null,
  };
}

/** Milliseconds that a target has asked to be left alone; 0: it has not. */
function askedMs({ target, retryAfterMs }: LaneOutcome): number {
  return target === 'down' ? Math.min(Math.max(retryAfterMs ?? 0, 0), LONGEST_ASKED_MS) : 0;
}

function succeeded(lane: TargetLane): TargetLane {
  const { ramp } = lane;
  const next = lane.breaker === 'open' ? RAMP_FROM : ramp === null || ramp * 2 > RAMP_TO ? null : ramp * 2;
  return { ...QUIET_LANE, ramp: next, lastCode: lane.lastCode };
}

/** Whether somebody has to be told: a target that only asks for a pause is not failing yet. */
export function isFailing({ breaker, failures, openings }: TargetLane): boolean {
  return breaker === 'open' && (failures >= FAILURES || openings > 1);
}

/** The limits of a lane, over all instances. */
export interface LaneLimits {
  readonly concurrency: number;
  readonly rate: RateBudget | null;
}

/** How many deliveries of a lane may begin now, beside those under way. */
export interface LaneRoom {
  /** So many may be under way at once. */
  readonly atOnce: number;
  /** So many may begin. */
  readonly begin: number;
}

export function laneRoom(
  lane: Pick<TargetLane, 'breaker' | 'probeAt' | 'ramp'>,
  limits: LaneLimits,
  rateAt: number | null,
  now: number,
): LaneRoom {
  const rate = rateTokens(limits.rate, rateAt, now);
  if (lane.breaker === 'open')
    return { atOnce: 1, begin: breakerOf(lane, now) === 'half-open' ? Math.min(1, rate) : 0 };
  return { atOnce: Math.min(limits.concurrency, lane.ramp ?? Infinity), begin: rate };
}

/** The spacing of a rate and how many may go out in one breath, so that no window of its length ever holds more. */
function spacing({ max, perMs }: RateBudget): { readonly everyMs: number; readonly burst: number } {
  const burst = Math.max(1, Math.floor(max * BURST_SHARE));
  return { everyMs: perMs / (max - burst + 1), burst };
}

/** How many may begin now. `rateAt` is when the next would be due if none had been saved up. */
function rateTokens(rate: RateBudget | null, rateAt: number | null, now: number): number {
  if (rate === null) return Infinity;
  const { everyMs, burst } = spacing(rate);
  return Math.max(0, Math.min(burst, Math.floor((now - (rateAt ?? 0)) / everyMs) + burst));
}

/** `rateAt` after `begun` more have begun. */
export function rateAfter(rate: RateBudget, rateAt: number | null, begun: number, now: number): number {
  return Math.max(rateAt ?? 0, now) + begun * spacing(rate).everyMs;
}

/** Milliseconds until another may begin; 0: now. */
export function rateWait(rate: RateBudget, rateAt: number | null, now: number): number {
  const { everyMs, burst } = spacing(rate);
  return Math.max(0, Math.ceil((rateAt ?? 0) - (burst - 1) * everyMs - now));
}
