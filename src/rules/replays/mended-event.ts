import { SETTLE } from '../decision-batch.js';
import { replayed } from '../replay.js';
import type { RuleSet } from '../rule-set.js';
import { apart } from '../shadow.js';
import type { MendedEvent } from './recall-unit-plan.js';
import type { RecordedEvent } from './recorded-events.js';

/**
 * What a mended rule says of an event, by what was recorded of it: when it was decided, and, as far as it could not be
 * told then, when it was settled. `mended`: with that rule alone; null: there is none.
 */
export async function mendedEvent(
  mended: RuleSet | null,
  rule: string,
  { event, subject, live, evaluations, then }: RecordedEvent,
  sends: boolean,
  occasion: string,
): Promise<MendedEvent> {
  const eventId = event.id;
  if (!mended) return { eventId, sends, verdict: null, verdicts: [], inputs: live.inputs, firing: null };
  const settled = evaluations.filter((one) => one.occasion.split(':')[0] === SETTLE);
  let told = await replayed(mended, subject, live.inputs, then, rule);
  for (const one of settled) {
    if (told.verdicts[0]?.verdict !== 'unknown') break;
    told = await replayed(mended, subject, one.inputs, then, rule);
  }
  const { verdicts, matches, inputs } = told;
  // A rule in shadow mode asks for nothing.
  const [match] = apart(matches).live;
  const verdict =
    mended.ruleOf(rule)?.mode === 'live' ? (verdicts[0]?.verdict ?? 'not matched') : 'not matched';
  return {
    eventId,
    sends,
    verdict,
    verdicts,
    inputs,
    firing: match ? { ...match, eventId, occasion } : null,
  };
}
