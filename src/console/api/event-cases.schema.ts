import { z } from 'zod';
import type { CaseFailure } from '../../rules/cases/case-result.js';
import type { CaseFileDocument } from '../../rules/cases/case-document.js';
import { TERM, VALUE } from './schema-parts.js';

export const EVENT_CASE_QUERY = z.strictObject({
  rule: TERM.optional().meta({ description: 'The rule to watch; all that said something of it by default.' }),
});
export type EventCaseQuery = z.infer<typeof EVENT_CASE_QUERY>;

const RULE_SET = z.string().meta({ description: 'Its hash.' });
const PASSED = z.boolean();
const FAILURES = z
  .array(z.looseObject({ kind: z.enum(['missing', 'unexpected', 'verdict', 'broken']) }))
  .meta({ description: 'Where the case is not as it was.' });

/** A case of what happened, and how it runs. */
export interface EventCaseAnswer {
  readonly eventId: string;
  readonly document: CaseFileDocument;
  readonly ruleSet: string;
  readonly passed: boolean;
  readonly failures: readonly CaseFailure[];
  readonly notes: readonly string[];
  /** Null: the set that decided is the live one, or none is. */
  readonly today: {
    readonly ruleSet: string;
    readonly passed: boolean;
    readonly failures: readonly CaseFailure[];
  } | null;
}

export const EVENT_CASE = z
  .object({
    eventId: z.string().meta({ description: "The sender's id." }),
    document: z.record(z.string(), VALUE).meta({
      description: 'What a `*.cases.json` holds. Stand-ins are in the place of personal values.',
    }),
    ruleSet: RULE_SET.meta({ description: 'The hash of the set that decided the event.' }),
    passed: PASSED.meta({ description: 'Whether the case runs on that set as it was recorded.' }),
    failures: FAILURES,
    notes: z.array(z.string()).meta({ description: 'What of the record a case cannot say.' }),
    today: z.object({ ruleSet: RULE_SET, passed: PASSED, failures: FAILURES }).nullable().meta({
      description: 'The same on the live rule set; null: that is the one that decided, or none is live.',
    }),
  })
  .meta({
    id: 'EventCase',
    description: 'A rule test of what happened at an event.',
  }) as unknown as z.ZodType<EventCaseAnswer>;
