import type { DeliveryRow } from '../../action/delivery-store.js';
import { readableRequest, shownRequest } from '../../action/readable-request.js';
import type { StoredEvent } from '../../events/event-store.js';
import { LIVE, SETTLE } from '../decision-batch.js';
import type { Evaluation, Suppression } from '../evaluation-store.js';
import type { LookupAnswers } from '../lookup-document.js';
import { STEP } from '../timer-store.js';
import type { ExpectedDelivery, ExpectedVerdict } from './case-document.js';

/** An event, and everything that was recorded of it. */
export interface RecordedEvent {
  readonly event: StoredEvent;
  /** The earliest first. */
  readonly evaluations: readonly RecordedEvaluation[];
  /** In the order in which they were made. */
  readonly deliveries: readonly RecordedDelivery[];
}

export type RecordedEvaluation = Evaluation & { readonly decidedAt: Date };

export type RecordedDelivery = Pick<
  DeliveryRow,
  'occasion' | 'rule' | 'action' | 'state' | 'code' | 'createdAt' | 'request'
>;

/** When something was decided that a case has to wait for, and what look-ups had answered then. */
export interface RecordedMoment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly lookups: LookupAnswers;
}

/** The evaluation of when the event came; null: it has none. */
export function liveOf({ evaluations }: RecordedEvent): RecordedEvaluation | null {
  return evaluations.find(({ occasion }) => occasion === LIVE) ?? null;
}

/** Steps of escalations that an event armed, and what was settled for it, as far as it is about some rules. */
export function laterMoments({ evaluations }: RecordedEvent, rules: ReadonlySet<string>): RecordedMoment[] {
  return evaluations
    .filter(
      ({ occasion, verdicts }) =>
        isLater(occasion) && verdicts.some((one) => 'verdict' in one && rules.has(one.rule)),
    )
    .map(({ decidedAt, inputs }) => ({ at: decidedAt.getTime(), lookups: inputs.lookups ?? {} }));
}

/** Replays and recalls are no part of what happened first. */
function isLater(occasion: string): boolean {
  return occasion.startsWith(STEP) || isSettle(occasion);
}

const isSettle = (occasion: string): boolean => occasion === SETTLE || occasion.startsWith(`${SETTLE}:`);

/** What some rules sent because of an event, as a case expects it. `isOut`: whether what was decided then (ms) is out by its end. */
export function recordedDeliveries(
  { deliveries }: RecordedEvent,
  rules: ReadonlySet<string>,
  isOut: (rule: string, at: number) => boolean,
): ExpectedDelivery[] {
  const seen = new Set<string>();
  return deliveries.flatMap(({ occasion, rule, action, state, code, createdAt, request }) => {
    if (!rules.has(rule) || !isOut(rule, createdAt.getTime())) return [];
    if (occasion !== LIVE && !isLater(occasion)) return [];
    // A second one is the edited redrive of the first.
    const key = JSON.stringify([occasion, rule, action]);
    if (seen.has(key)) return [];
    seen.add(key);
    const step = occasion.startsWith(STEP) ? { step: occasion.slice(`${STEP}${rule}:`.length) } : {};
    if (request === null)
      return { rule, action, ...step, state: 'dead' as const, ...(code === null ? {} : { code }) };
    const held = state === 'held' ? { state: 'held' as const } : {};
    return { rule, action, ...step, with: readableRequest(shownRequest(request)), ...held };
  });
}

/** What a rule said of an event when it came; null: that was not evaluated. */
export function recordedVerdict(recorded: RecordedEvent, rule: string): ExpectedVerdict | null {
  const live = liveOf(recorded);
  if (!live) return null;
  const one = live.verdicts.find(
    (found): found is Exclude<typeof found, Suppression> => 'verdict' in found && found.rule === rule,
  );
  if (!one) return 'not matched';
  switch (one.verdict) {
    case 'matched': {
      const suppressed = live.verdicts.flatMap((found) =>
        'action' in found && found.rule === rule ? [[found.action, found.cause] as const] : [],
      );
      if (suppressed.length === 0) return 'matched';
      return { verdict: 'matched', suppressed: Object.fromEntries(suppressed) };
    }
    case 'not matched':
      return 'not matched';
    case 'unknown':
      return { verdict: 'unknown', missing: one.missing };
    case 'error':
      return { verdict: 'error', error: one.error };
    case 'skipped':
      return { verdict: 'skipped', cause: one.cause };
  }
}

/** Causes for which an action of a rule was not sent when an event came, or at a step of it. */
export function recordedCauses({ evaluations }: RecordedEvent, rule: string): Suppression['cause'][] {
  return evaluations.flatMap(({ verdicts }) =>
    verdicts.flatMap((one) => ('action' in one && one.rule === rule ? one.cause : [])),
  );
}
