import type { LookupAnswer, LookupAnswers } from './lookup-document.js';
import type { LookupPlan } from './lookup-plan.js';

/**
 * Answers all that a plan asks for, round by round, as long as an answer leads to more that has to be asked; nobody is
 * asked in truth. `give` gets the name of a look-up and what is asked of it (empty: nothing could be asked, for want of
 * a value); null leaves what could not be asked as it is, and of anything else says that nobody was asked.
 */
export function answerAll(
  plan: (known: LookupAnswers) => LookupPlan,
  known: LookupAnswers,
  {
    give,
    now,
  }: { readonly give: (name: string, request: string) => LookupAnswer | null; readonly now: number },
): LookupAnswers {
  let lookups = known;
  for (;;) {
    const { fetch, failed, answers } = plan(lookups);
    const found: Record<string, LookupAnswer> = {};
    for (const name of Object.keys(failed)) {
      const answer = give(name, '');
      if (answer) found[name] = answer;
    }
    for (const { name, key } of fetch) found[name] = give(name, key) ?? notAsked(key, now);
    lookups = { ...answers, ...found };
    if (Object.keys(found).length === 0) return lookups;
  }
}

/** Where a person may say what a look-up would have answered, and has not. */
function notAsked(request: string, now: number): LookupAnswer {
  return {
    request,
    failed: {
      code: 'LOOKUP_NOT_ASKED',
      detail: 'nobody is asked here: give its answer in a step {"lookup": {…}}',
    },
    fetchedAt: now,
  };
}
