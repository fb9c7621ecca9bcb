import type { Metrics } from '../config/metrics.js';
import type { OpenSpan, Tracing } from '../config/tracing.js';
import { receivedAtOf } from '../events/received-at.js';
import type { ClaimedRow } from '../queue/leased-rows.js';
import type { Ended } from './delivery-end.js';
import type { DeliveryRow } from './delivery-store.js';

/** The span of an attempt; `since` is clock time in ms. */
export function beginAttempt(
  tracing: Tracing,
  { id: delivery, attempt }: ClaimedRow,
  { eventId: id, occasion, kind, rule, action }: DeliveryRow,
  since: number,
): OpenSpan {
  return tracing.beginAttempt({ id, occasion, delivery, attempt, kind, rule, action, since });
}

/** Counts an attempt that has ended in `state`. */
export function measureAttempt(
  { delivery, result, startedAt, durationMs, span }: Ended,
  state: string,
  recorded: boolean,
  metrics: Metrics,
): void {
  const { kind, eventId, occasion, dueAt } = delivery;
  const { outcome, code, status } = result;
  metrics.attempts.inc({ kind, outcome });
  metrics.attemptSeconds.observe({ kind }, durationMs / 1000);
  metrics.lateness.observe(Math.max(0, startedAt - dueAt.getTime()) / 1000);
  // What is not recorded is made again, and told by whoever does so.
  if (!recorded) return;
  const until = startedAt + durationMs;
  span.end({ until, outcome, code, status });
  if (state === 'delivered' || state === 'dead') metrics.ended.inc({ kind, state });
  if (state === 'delivered' && occasion === 'live')
    metrics.endToEnd.observe(Math.max(0, until - receivedAtOf(eventId)) / 1000);
}
