import type { AskedOutcome } from '../../rules/replays/outcome-counts.js';
import type { ReplayPreview } from '../../rules/replays/replay-preview.js';
import type { ReplayPreviewAnswer } from './replays.schema.js';

const EXAMPLES = 20;

type Summed = Pick<ReplayPreviewAnswer, 'verdicts' | 'asked' | 'skipped' | 'examples'>;

/** A preview as sums, and its first examples: what would be sent before what would not. */
export function previewed({ outcomes, verdicts, skipped }: ReplayPreview): Summed {
  const told = verdicts.flatMap(({ rule, verdict }) => (verdict === 'not matched' ? [] : { rule, verdict }));
  const asked = outcomes.map(({ rule, action, target, outcome, generation }) => ({
    rule,
    action,
    target,
    outcome,
    again: (generation ?? 0) > 0,
  }));
  return {
    verdicts: counted(told),
    asked: counted(asked),
    skipped: counted(skipped.map(({ code }) => ({ code }))),
    examples: examplesOf(outcomes),
  };
}

/** Equal ones as one, with how many there are; the first first. */
export function counted<T extends object>(all: readonly T[]): (T & { readonly count: number })[] {
  return [...Map.groupBy(all, (one) => JSON.stringify(one)).values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ ...first, count: same.length }] : [];
  });
}

function examplesOf(outcomes: readonly AskedOutcome[]): Summed['examples'] {
  const made = outcomes.filter(({ generation }) => generation !== null);
  const others = outcomes.filter(({ generation }) => generation === null);
  return [...made, ...others]
    .slice(0, EXAMPLES)
    .map(({ eventId, rule, action, target, outcome }) => ({ eventId, rule, action, target, outcome }));
}
