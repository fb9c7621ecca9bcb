import type { Metrics } from '../config/metrics.js';
import { NO_TRACING, type Tracing } from '../config/tracing.js';
import type { StoredEvent } from '../events/event-store.js';
import type { Decision } from './decide.js';

/** Counts and traces what became of an event in a transaction of decisions; null: it was put aside for a person. */
export function measureDecision(
  { id, eventType, receivedAt }: StoredEvent,
  decision: Decision | null,
  batch: {
    readonly ruleSet: string;
    readonly occasion: string;
    /** Clock times in ms of the transaction. */
    readonly since: number;
    readonly until: number;
  },
  { metrics, tracing = NO_TRACING }: { readonly metrics: Metrics; readonly tracing?: Tracing },
): void {
  metrics.decided.inc({ outcome: decision ? 'decided' : 'quarantined' });
  metrics.decisionAge.observe(Math.max(0, batch.until - receivedAt.getTime()) / 1000);
  const verdicts = decision?.verdicts ?? [];
  for (const { verdict } of verdicts) metrics.verdicts.inc({ verdict });
  const listening = decision?.listening ?? 0;
  metrics.verdicts.inc({ verdict: 'not matched' }, listening - verdicts.length);
  if (!tracing.isOn) return;
  tracing.decided({
    ...batch,
    id,
    eventType,
    listening,
    matched: rulesOf(verdicts, 'matched'),
    unknown: rulesOf(verdicts, 'unknown'),
    failed: rulesOf(verdicts, 'error'),
    deliveries: decision?.deliveries.length ?? 0,
    quarantined: decision === null,
  });
}

/** The rules whose verdict it is. */
export function rulesOf(verdicts: Decision['verdicts'], verdict: string): string[] {
  return verdicts.filter((one) => one.verdict === verdict).map(({ rule }) => rule);
}
