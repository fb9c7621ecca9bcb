import type { Log } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { OpenSpan, Tracing } from '../config/tracing.js';
import { receivedAtOf } from '../events/received-at.js';
import type { ClaimedRow } from '../queue/leased-rows.js';
import type { Ended } from './delivery-end.js';
import type { TurnedLane } from './delivery-notices.js';
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

/** Counts an attempt that has ended in `state`; null: another instance has taken the delivery meanwhile. */
export function measureAttempt(
  { delivery, result, startedAt, durationMs, span }: Ended,
  state: string | null,
  metrics: Metrics,
): void {
  const { kind, eventId, occasion, dueAt } = delivery;
  const { outcome, code, status } = result;
  metrics.attempts.inc({ kind, outcome });
  metrics.attemptSeconds.observe({ kind }, durationMs / 1000);
  metrics.lateness.observe(Math.max(0, startedAt - dueAt.getTime()) / 1000);
  // What is not recorded is made again, and told by whoever does so.
  if (state === null) return;
  const until = startedAt + durationMs;
  span.end({ until, outcome, code, status });
  if (state === 'delivered' || state === 'dead') metrics.ended.inc({ kind, state });
  if (state === 'delivered' && occasion === 'live')
    metrics.endToEnd.observe(Math.max(0, until - receivedAtOf(eventId)) / 1000);
}

/** One line for each attempt. */
export function reportAttempt(
  { row, delivery, result, durationMs }: Ended,
  state: string | null,
  log: Log,
): void {
  if (result.outcome === 'deferred') {
    log.debug(
      { event: 'action.deferred', delivery: row.id, code: result.code, ms: result.retryAfterMs },
      result.detail,
    );
    return;
  }
  const fields = {
    event: 'action.attempted',
    delivery: row.id,
    rule: delivery.rule,
    action: delivery.action,
    kind: delivery.kind,
    attempt: row.attempt,
    outcome: result.outcome,
    state: state ?? '',
    recorded: state !== null,
    code: result.code,
    status: result.status,
    ms: durationMs,
  };
  if (state === 'dead') log.warn(fields, `delivery dead: ${result.detail}`);
  else
    log.info(fields, result.outcome === 'delivered' ? 'delivered' : `will be tried again: ${result.detail}`);
}

/** One line when a target begins to fail, and one when it is reached again. */
export function reportTurned({ name, to, since, code, failures }: TurnedLane, log: Log): void {
  const fields = {
    event: `target.${to}`,
    target: name,
    since: new Date(since).toISOString(),
    code,
    failures,
  };
  if (to === 'failing') log.warn(fields, 'the target fails: one delivery at a time tries it from now on');
  else log.info(fields, 'the target is reached again');
}
