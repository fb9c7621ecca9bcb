import { z } from 'zod';
import { parseDuration } from '../../config/duration.js';
import { SILENCE_STATES } from '../../rules/silence-store.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { ID, MASKED, TERM, TIME, VALUE } from './schema-parts.js';

export const SILENCE_QUERY = PAGE_QUERY.extend({ state: z.enum(SILENCE_STATES).optional() });
export type SilenceQuery = z.infer<typeof SILENCE_QUERY>;

const MATCHER_FIELDS = {
  rule: z
    .string()
    .regex(/^[a-z0-9*][a-z0-9._*-]{0,63}$/, 'must be the name of a rule, or a pattern like payroll-*')
    .optional()
    .meta({ description: 'A rule, or a pattern of them.', examples: ['payroll-*'] }),
  action: TERM.optional().meta({ description: 'The name of an action.' }),
  owner: TERM.optional().meta({ description: 'The owner of a rule, as it stands there.' }),
  conditions: z.record(z.string(), VALUE).optional().meta({
    description:
      'As in a rule, without named conditions: over the facts of the event, its state and the look-ups. A delivery is silenced when they are surely true.',
  }),
};

export const SILENCE_MATCHER = z
  .object(MATCHER_FIELDS)
  .meta({ id: 'SilenceMatcher', description: 'What is silenced: whatever fits every part that is given.' });

const SILENCE_FIELDS = {
  id: ID,
  state: z.enum(SILENCE_STATES),
  matcher: SILENCE_MATCHER,
  startsAt: TIME,
  endsAt: TIME,
  author: z.string(),
  reason: z.string(),
  createdAt: TIME,
  endedBy: z.string().nullable().meta({ description: 'Who ended it before its time; null: nobody.' }),
  endsSoon: z.boolean().meta({ description: 'It is in force, and ends within the hour.' }),
  masked: MASKED,
};

export const SILENCE = z.object(SILENCE_FIELDS).meta({
  id: 'Silence',
  description: 'Deliveries that are not wanted for a time. They are not made later either.',
});
export type Silence = z.infer<typeof SILENCE>;

export const SILENCE_PAGE = pageSchema(SILENCE, 'SilencePage');

export const ADDED_SILENCE = z
  .object({
    ...SILENCE_FIELDS,
    warnings: z
      .array(z.string())
      .meta({ description: 'What may be a mistake: nothing that is known now fits some part.' }),
  })
  .meta({ id: 'AddedSilence' });
export type AddedSilence = z.infer<typeof ADDED_SILENCE>;

const MOMENT_OF_BODY = z.iso.datetime({
  offset: true,
  error: 'must be a time as 2026-11-02T09:00:00Z',
});

export const NEW_SILENCE = z
  .strictObject({
    matcher: z
      .strictObject(MATCHER_FIELDS)
      .refine(
        (matcher) => Object.values(matcher).some((part) => part !== undefined),
        'must name a rule, an action, an owner or conditions',
      ),
    startsAt: MOMENT_OF_BODY.optional().meta({ description: 'Absent, or past: now.' }),
    endsAt: MOMENT_OF_BODY.optional(),
    for: z
      .string()
      .refine((text) => (parseDuration(text) ?? 0) > 0, 'must be a duration, like 30m, 2h or 3d')
      .optional()
      .meta({ description: 'From the beginning on, instead of `endsAt`.', examples: ['2h'] }),
    reason: z.string().trim().min(1).max(500),
  })
  .refine((one) => (one.endsAt === undefined) !== (one.for === undefined), 'needs either "endsAt" or "for"')
  .meta({ id: 'NewSilence' });
export type NewSilence = z.input<typeof NEW_SILENCE>;
