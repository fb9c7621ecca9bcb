import type { OpenSpan } from '../config/tracing.js';
import type { ClaimedRow } from '../queue/leased-rows.js';
import { type DeliveryMove, type DeliveryState, isTransition } from './delivery-states.js';
import type { AttemptRow } from './delivery-store.js';
import type { ClaimedDelivery } from './lane-claims.js';
import { giveUpAt, nextDelay } from './retry-schedule.js';
import type { AttemptResult } from './sender.js';

/** An attempt that has ended and is not written yet. */
export interface Ended {
  readonly row: ClaimedRow;
  readonly delivery: ClaimedDelivery;
  readonly result: AttemptResult;
  /** Clock time in ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly span: OpenSpan;
}

/** Milliseconds until one comes again that was deferred without a word of how long. */
const SHORT_WAIT_MS = 500;

/** The record of an attempt; none of what was none. */
export function recordOf(
  { row, result, startedAt, durationMs }: Ended,
  instance: string,
): readonly AttemptRow[] {
  const { outcome, code, detail, status, answer } = result;
  if (outcome === 'deferred') return [];
  return [
    {
      deliveryId: row.id,
      attempt: row.attempt,
      startedAt: new Date(startedAt),
      durationMs,
      outcome,
      code,
      detail: storable(detail),
      status,
      answer: storable(answer),
      instance,
      ambiguous: result.ambiguous ?? false,
    },
  ];
}

/** What a delivery is after an attempt. */
export interface NextState extends ClaimedRow {
  readonly move: DeliveryMove;
  readonly state: DeliveryState;
  readonly dueAt: Date;
  readonly code: string | null;
  readonly reason: string | null;
}

/** What each ending of an attempt is in the life of its delivery. */
const MOVES = {
  delivered: 'success',
  retry: 'failure',
  permanent: 'refusal',
  deferred: 'not-sent',
} as const satisfies Record<AttemptResult['outcome'], DeliveryMove>;

/**
 * What a delivery is after an attempt. `now` in ms.
 *
 * @throws when that is no move of the table: a mistake of this program, and nothing is written
 */
export function stateAfter(ended: Ended, now: number): NextState {
  const next = { ...outcomeOf(ended, now), move: MOVES[ended.result.outcome] };
  if (!isTransition(next.move, 'delivering', next.state))
    throw new Error(`a delivery cannot be ${next.state} by ${next.move}`);
  return next;
}

function outcomeOf({ row, delivery, result }: Ended, now: number): Omit<NextState, 'move'> {
  const base = {
    id: row.id,
    attempt: row.attempt,
    dueAt: new Date(now),
    code: result.code,
    reason: storable(result.detail),
  };
  if (result.outcome === 'delivered') return { ...base, state: 'delivered', code: null, reason: null };
  if (result.outcome === 'permanent') return { ...base, state: 'dead' };
  if (result.outcome === 'deferred')
    return {
      ...base,
      state: 'pending',
      dueAt: new Date(now + Math.max(0, result.retryAfterMs ?? SHORT_WAIT_MS)),
    };
  const { attemptsBefore } = delivery;
  const attempts = row.attempt - attemptsBefore;
  const retry = delivery.request?.retry ?? null;
  const delay = nextDelay(retry, attempts, now - scheduleBegin(delivery), result.retryAfterMs);
  if (delay !== null) return { ...base, state: 'pending', dueAt: new Date(now + delay) };
  return {
    ...base,
    state: 'dead',
    code: 'RETRIES_USED_UP',
    reason: storable(
      attemptsBefore === 0
        ? `after ${attempts} attempts: ${result.detail}`
        : `after ${attempts} attempts since it was redriven, ${row.attempt} in all: ${result.detail}`,
    ),
  };
}

/** When its retries began, ms since 1970: at first, or anew by a redrive, or when what it had to wait for was done. */
function scheduleBegin({ request, giveUpAt: end, redrivenAt, createdAt }: ClaimedDelivery): number {
  return end === null
    ? (redrivenAt ?? createdAt).getTime()
    : end.getTime() - giveUpAt(request?.retry ?? null, 0);
}

/** PostgreSQL's text takes every character but NUL. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}
