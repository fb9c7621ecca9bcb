import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-states.js';
import { COUNT, ID, LABEL, TIME } from './schema-parts.js';

/** Minutes that the overview shows, the one that is under way as the last. */
export const OVERVIEW_MINUTES = 60;
/** So much of what goes out next is told. */
export const OVERVIEW_NEXT = 12;

const MINUTE = z.object({
  at: TIME.meta({ description: 'Begin of the minute.' }),
  events: COUNT.meta({ description: 'Received in it.' }),
  matches: COUNT.meta({ description: 'Rules that matched, of the events received in it.' }),
  deliveries: COUNT.meta({ description: 'Made in it.' }),
  delivered: COUNT.meta({ description: 'Attempts that began in it and delivered.' }),
  failed: COUNT.meta({ description: 'Attempts that began in it and did not.' }),
});

export const DRIFT = z
  .object({
    eventType: z.string(),
    kind: z.enum(['unknown type', 'unknown field', 'unknown value', 'wrong type', 'missing field']),
    field: z.string().nullable().meta({ description: 'Null: the whole type.' }),
    label: LABEL.nullable(),
    value: z.string().nullable().meta({ description: 'Of an enum: as JSON. Never a personal one.' }),
    count: COUNT.meta({ description: 'Of the events that were looked at.' }),
    eventId: ID.meta({ description: 'Our id of the last such event.' }),
  })
  .meta({ id: 'Drift', description: 'Live events no longer fit the catalogue.' });
export type Drift = z.infer<typeof DRIFT>;

const NEXT = z.object({
  at: TIME,
  what: z.enum(['step', 'delivery', 'schedule', 'digest']),
  rule: z.string(),
  name: z.string().nullable().meta({ description: 'The step or the action; null: of a schedule.' }),
  id: ID.nullable().meta({ description: 'Of the timer or the delivery; null: of a schedule.' }),
  entity: z.string().nullable(),
});

export const OVERVIEW = z
  .object({
    at: TIME.meta({ description: 'When it was counted: at most some seconds ago.' }),
    minutes: z.array(MINUTE).meta({ description: `The last ${OVERVIEW_MINUTES}.` }),
    lastDay: z
      .object({ events: COUNT, matches: COUNT, deliveries: COUNT, delivered: COUNT })
      .nullable()
      .meta({ description: 'The last 24 hours; null: they are still being counted, after a start.' }),
    states: z.record(z.enum(DELIVERY_STATES), COUNT.nullable()).meta({
      description:
        'What stands in each state now, up to 100 000; of `cancelled` what was made in the last 24 hours, of `delivered` what was delivered in them (null: as `lastDay`).',
    }),
    needsPerson: z
      .object({
        dead: COUNT,
        held: COUNT,
        quarantined: COUNT.meta({ description: 'Events that could not be decided.' }),
        unknown: COUNT.meta({ description: 'Verdicts that stayed unknown: expired.' }),
        errors: COUNT.meta({ description: 'Evaluations with a verdict "error", of the last 24 hours.' }),
        findings: z.object({ error: COUNT, warning: COUNT }).nullable().meta({
          description: 'Of the rule files; null: the process that answers does not read them.',
        }),
        failingTargets: COUNT,
        untold: COUNT.meta({ description: 'Notices that nobody is named for, of the last 24 hours.' }),
        drift: z.array(DRIFT).meta({ description: 'Of the last events, the most frequent first.' }),
      })
      .meta({ description: 'What waits for a person.' }),
    next: z.array(NEXT).meta({ description: `What goes out next: the first ${OVERVIEW_NEXT}.` }),
    ruleSet: z
      .object({
        hash: z.string(),
        number: z.number().int().min(1),
        activatedAt: TIME,
        rules: COUNT.nullable().meta({
          description: 'How many; null: it is being read, or this version cannot read it.',
        }),
        actor: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'The live one; null: none is.' }),
  })
  .meta({ id: 'Overview', description: 'How things stand, at a glance.' });
export type Overview = z.infer<typeof OVERVIEW>;
