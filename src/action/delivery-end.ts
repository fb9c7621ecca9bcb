import type { OpenSpan } from '../config/tracing.js';
import type { ClaimedRow } from '../queue/leased-rows.js';
import type { AttemptRow, DeliveryRow } from './delivery-store.js';
import { nextDelay } from './retry-schedule.js';
import type { AttemptResult } from './sender.js';

/** An attempt that has ended and is not written yet. */
export interface Ended {
  readonly row: ClaimedRow;
  readonly delivery: DeliveryRow;
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

/** What a delivery is after an attempt. `now` in ms. */
export function stateAfter({ row, delivery, result }: Ended, now: number) {
  const base = { ...row, dueAt: new Date(now), code: result.code, reason: storable(result.detail) };
  if (result.outcome === 'delivered') return { ...base, state: 'delivered', code: null, reason: null };
  if (result.outcome === 'permanent') return { ...base, state: 'dead' };
  if (result.outcome === 'deferred')
    return { ...base, state: 'pending', dueAt: new Date(now + (result.retryAfterMs ?? SHORT_WAIT_MS)) };
  // A redrive begins the schedule anew.
  const { attemptsBefore, redrivenAt, createdAt } = delivery;
  const attempts = row.attempt - attemptsBefore;
  const elapsed = now - (redrivenAt ?? createdAt).getTime();
  const delay = nextDelay(delivery.request?.retry ?? null, attempts, elapsed, result.retryAfterMs);
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

/** PostgreSQL's text takes every character but NUL. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}
