import { z } from 'zod';
import { type ConditionDocument, DECORATORS, OPERATORS } from './conditions.js';
import { parsePath } from './plain-path.js';

/** Keys of the rule language that this version does not act upon. Refused, never ignored: each changes what is sent. */
const LATER_KEYS = [
  'mode',
  'shadowOf',
  'effective',
  'escalate',
  'settle',
  'throttle',
  'digest',
  'quietHours',
  'budget',
  'oncePer',
];
const forLater = Object.fromEntries(
  LATER_KEYS.map((key) => [key, z.never(`"${key}" is not available in this version`).optional()]),
);

const operator = z.string('must be a text').superRefine((text, context) => {
  const names = text.split(':');
  const base = names.pop() ?? '';
  if (!OPERATORS.includes(base))
    context.addIssue(`there is no operator "${base}"; use one of ${OPERATORS.join(', ')}`);
  for (const name of names) {
    if (!DECORATORS.includes(name))
      context.addIssue(`there is no decorator "${name}:"; use one of ${DECORATORS.join(', ')}`);
  }
});

const fact = z.string('must be the name of a fact').min(1, 'must not be empty').max(200, 'is too long');
const path = z
  .string('must be a text')
  .refine(
    (text) => parsePath(text) !== null,
    'must be a plain path like $.a.b[0]["c"]: filters and scripts are not allowed',
  );

const leaf = z
  .strictObject({
    fact,
    operator,
    value: z.json(),
    path: path.optional(),
    name: z.string().optional(),
    priority: z.int().min(1).optional(),
  })
  .superRefine(({ operator: given, value }, context) => {
    const reference = typeof value === 'object' && value !== null && !Array.isArray(value) && 'fact' in value;
    if (reference) {
      const checked = z.strictObject({ fact, path: path.optional() }).safeParse(value);
      for (const issue of checked.error?.issues ?? [])
        context.addIssue({ code: 'custom', message: issue.message, path: ['value', ...issue.path] });
    } else if (/^(?:not:)?(?:in|notIn)$/.test(given) && !Array.isArray(value)) {
      context.addIssue({
        code: 'custom',
        path: ['value'],
        message: `must be a list: "${given}" with a text would look for a part of it`,
      });
    }
  });

const children = z
  .array(z.lazy(() => condition))
  .min(1, 'must not be empty: an empty list is true for every event');

/** Chosen by the key that is there, so that a mistake is reported where it is and not once per alternative. */
const condition: z.ZodType<ConditionDocument> = z.lazy(() =>
  z
    .record(
      z.string(),
      z.unknown(),
      'must be an object with fact, operator and value, or with all, any or not',
    )
    .transform((given, context) => {
      const sets = ['all', 'any', 'not'].filter((key) => Object.hasOwn(given, key));
      if (sets.length > 1) {
        context.addIssue(
          `has ${sets.map((key) => `"${key}"`).join(' and ')} on one level: json-rules-engine would ignore one; nest one within the other`,
        );
        return z.NEVER;
      }
      if (Object.hasOwn(given, 'condition')) {
        context.addIssue('a named "condition" is not available in this version');
        return z.NEVER;
      }
      const name = { name: z.string().optional(), priority: z.int().min(1).optional() };
      const schema: z.ZodType =
        sets[0] === 'not'
          ? z.strictObject({ not: condition, ...name })
          : sets[0] === undefined
            ? leaf
            : z.strictObject({ [sets[0]]: children, ...name });
      const parsed = schema.safeParse(given);
      if (parsed.success) return withoutPriority(parsed.data as Record<string, unknown>);
      for (const issue of parsed.error.issues) context.addIssue({ ...issue });
      return z.NEVER;
    }),
);

/** Priorities of conditions only say which is looked at first; with all facts at hand every one is looked at. */
function withoutPriority(condition: Record<string, unknown>): ConditionDocument {
  const kept = Object.entries(condition).filter(([key]) => key !== 'priority' && key !== 'name');
  return Object.fromEntries(kept) as unknown as ConditionDocument;
}

const eventType = z
  .string('must be an event type')
  .regex(
    /^[\w.:*-]{1,128}$/,
    'must be an event type like corehr.process.approver.updated_v2, or a pattern like corehr.process.*',
  );

/** One rule as a file holds it. The actions are checked by the action room. */
export const RULE_DOCUMENT = z.strictObject({
  ...forLater,
  $schema: z.string().optional(),
  name: z
    .string('must be a text')
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
    ),
  description: z.string('must be a text').max(2000).optional(),
  owner: z.string('must be a text').max(200).optional(),
  labels: z.record(z.string(), z.string('must be a text'), 'must be an object of texts').optional(),
  enabled: z.boolean('must be true or false').default(true),
  trigger: z
    .union(
      [eventType, z.array(eventType).min(1)],
      'must be an event type, a list of them, or a pattern (schedules are not available in this version)',
    )
    .transform((one) => (typeof one === 'string' ? [one] : one)),
  conditions: condition,
  priority: z.int('must be a whole number').min(1, 'must be 1 or more').default(1),
  actions: z.array(z.unknown(), 'must be a list of actions').min(1, 'must not be empty'),
});
export type RuleDocument = z.infer<typeof RULE_DOCUMENT>;
