import type { RuleDuration } from '../calendar/work-duration.js';
import type { Rule, RuleSet } from '../rule-set.js';

const DAY_MS = 86_400_000;
/** So long an approval may have begun before what is read of its state: most have ended by then. */
const STATE_MS = 14 * DAY_MS;
/** Nights, weekends and holidays. */
const QUIET_MS = 10 * DAY_MS;
/** Of a day of a work calendar, at least. */
const WORK_MINUTES = 4 * 60;

/**
 * How far before the window events have to be taken in for some rule sets, in ms: the longest ladder or window in use, and
 * two weeks where rules read what is known of an approval.
 */
export function warmUpOf(ruleSets: readonly RuleSet[]): number {
  return Math.max(0, ...ruleSets.flatMap(({ rules }) => rules.filter(({ enabled }) => enabled).map(reachOf)));
}

function reachOf(rule: Rule): number {
  const { throttle, budget, digest, quietHours, escalation, schedule, oncePer, stateReads, settleMs } = rule;
  const readsState = stateReads.size > 0;
  return Math.max(
    readsState || schedule !== null || oncePer !== 'event' ? STATE_MS : 0,
    readsState ? settleMs : 0,
    throttle?.perMs ?? 0,
    budget?.perMs ?? 0,
    digest?.windowMs ?? 0,
    quietHours && quietHours.then !== 'send' ? QUIET_MS : 0,
    ...(escalation?.steps.map(({ after }) => longest(after)) ?? []),
  );
}

/** What a duration may come to on the wall calendar at most, in ms. */
function longest(duration: RuleDuration): number {
  switch (duration.kind) {
    case 'time':
      return duration.ms;
    case 'work-time':
      return onWorkdays(duration.minutes / WORK_MINUTES);
    case 'workdays':
      return onWorkdays(duration.days);
  }
}

function onWorkdays(days: number): number {
  return Math.ceil((days * 7) / 5) * DAY_MS + QUIET_MS;
}
