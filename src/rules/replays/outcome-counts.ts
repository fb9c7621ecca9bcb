import type { Admission, AdmittedDelivery } from '../admission.js';
import type { Verdict } from '../decide.js';
import type { SuppressionCause } from '../firing.js';

/** What can come of an action that a rule asks for: where its delivery begins, or why there is none. */
export type Asked = 'sent' | 'held' | 'deferred' | 'dead' | SuppressionCause;

/** How often each came of something; what is not there did not. Verdicts `unknown` and `error` are counted too. */
export type OutcomeCounts = Readonly<Partial<Record<Asked | 'unknown' | 'error', number>>>;

/** One action of one match, and what came of it. */
export interface AskedOutcome {
  readonly eventId: string;
  readonly rule: string;
  readonly action: string;
  /** Null: it is known only when it is sent, as of a digest; or nothing was rendered. */
  readonly target: string | null;
  readonly outcome: Asked;
  /** Of the delivery that would be made; null: there would be none. */
  readonly generation: number | null;
  /** What it was: the id of a silence, the key of a throttle; null: nothing more is to be said. */
  readonly by: string | null;
}

/** What came of each action that was asked for. `again`: deliveries that turned out to be there when they were written. */
export function outcomesOf(
  { deliveries, suppressions }: Pick<Admission, 'deliveries' | 'suppressions'>,
  again: readonly AdmittedDelivery[],
  targetOf: (eventId: string, rule: string, action: string) => string | null,
): AskedOutcome[] {
  return [
    ...deliveries.map((one) => {
      const { rule, action, target } = one.delivery;
      return {
        eventId: one.eventId,
        rule,
        action,
        target,
        outcome: again.includes(one) ? 'already-sent' : beginOf(one),
        generation: one.delivery.generation,
        by: null,
      } as const;
    }),
    ...suppressions.map(({ eventId, suppression: { rule, action, cause, by } }) => ({
      eventId,
      rule,
      action,
      target: targetOf(eventId, rule, action),
      outcome: cause,
      generation: null,
      by: by ?? null,
    })),
  ];
}

function beginOf({ delivery, dueAt }: AdmittedDelivery): Asked {
  if (delivery.state !== 'pending') return delivery.state;
  return dueAt === null ? 'sent' : 'deferred';
}

/** The sum of it. */
export function countsOf(
  outcomes: readonly Pick<AskedOutcome, 'outcome'>[],
  verdicts: readonly Verdict[],
): OutcomeCounts {
  const counts: Partial<Record<Asked | 'unknown' | 'error', number>> = {};
  const told = verdicts.flatMap(({ verdict }) =>
    verdict === 'unknown' || verdict === 'error' ? [verdict] : [],
  );
  for (const what of [...outcomes.map(({ outcome }) => outcome), ...told])
    counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}
