import { z } from 'zod';
import { LEVELS, PHASES } from '../../rules/state/root-state.js';
import { DELIVERY_STATES } from '../../action/delivery-store.js';
import { EVENT_STATES } from './events.schema.js';
import { COUNT, ID, LABEL, MASKED, TIME } from './schema-parts.js';
import { TIMER } from './timers.schema.js';
import { UNSETTLED } from './unsettled.schema.js';

const STATUS_VALUE = z.union([z.string(), z.number()]);

export const ENTITY_STATUS = z
  .object({
    value: STATUS_VALUE,
    label: LABEL.nullable(),
    phase: z.enum(PHASES).meta({ description: 'What the status means, whatever its number.' }),
    since: TIME.meta({ description: 'When it became so, by the sender.' }),
  })
  .meta({ id: 'EntityStatus' });
export type EntityStatus = z.infer<typeof ENTITY_STATUS>;

export const ENTITY_NODE = z
  .object({
    id: z.string(),
    status: ENTITY_STATUS.nullable().meta({ description: 'Null: no event has told it.' }),
    seen: COUNT.meta({ description: 'Tasks that were seen: there may be more.' }),
    pending: COUNT,
    done: COUNT,
    rejected: COUNT,
    cancelled: COUNT,
    complete: z.boolean().nullable().meta({ description: 'Null: not known.' }),
  })
  .meta({ id: 'EntityNode' });
export type EntityNode = z.infer<typeof ENTITY_NODE>;

export const ENTITY_TASK = z
  .object({ id: z.string(), node: z.string().nullable(), status: ENTITY_STATUS })
  .meta({ id: 'EntityTask' });
export type EntityTask = z.infer<typeof ENTITY_TASK>;

export const ENTITY_TRANSITION = z
  .object({
    at: TIME.meta({ description: 'When it happened, by the sender.' }),
    level: z.enum(LEVELS),
    id: z.string(),
    eventId: z.string().meta({ description: "The sender's id of the event that told it." }),
    from: STATUS_VALUE.nullable()
      .optional()
      .meta({ description: 'Null: it began with this status. Absent: the one before was not seen.' }),
    fromLabel: LABEL.nullable(),
    to: STATUS_VALUE,
    toLabel: LABEL.nullable(),
    kind: z.enum(['first', 'repeat', 'forward', 'irregular']),
  })
  .meta({ id: 'EntityTransition' });
export type EntityTransition = z.infer<typeof ENTITY_TRANSITION>;

export const ENTITY = z
  .object({
    entity: z.string(),
    status: ENTITY_STATUS.nullable().meta({ description: 'Null: no event has told it.' }),
    endedAt: TIME.nullable().meta({ description: 'Since when it is known to have ended.' }),
    updatedAt: TIME.nullable().meta({ description: 'Null: no status of it, its nodes or tasks is known.' }),
    nodes: z.array(ENTITY_NODE),
    tasks: z.array(ENTITY_TASK),
    history: z
      .array(ENTITY_TRANSITION)
      .meta({ description: 'The last 500 changes of status, the earliest first.' }),
    timers: z.array(TIMER).meta({ description: 'Those to come first, then the latest: 50 at most.' }),
    unsettled: z.array(UNSETTLED).meta({ description: '50 at most.' }),
    events: z
      .array(
        z.object({
          id: ID,
          eventId: z.string(),
          eventType: z.string(),
          createTime: TIME.nullable(),
          receivedAt: TIME,
          state: z.enum(EVENT_STATES),
        }),
      )
      .meta({ description: 'The last 50, the newest first.' }),
    deliveries: z
      .array(
        z.object({
          id: ID,
          rule: z.string(),
          action: z.string(),
          state: z.enum(DELIVERY_STATES),
          createdAt: TIME,
          dueAt: TIME,
        }),
      )
      .meta({ description: 'The last 50, the newest first.' }),
    masked: MASKED,
  })
  .meta({ id: 'Entity', description: 'What is known of a process, or another root entity.' });
export type Entity = z.infer<typeof ENTITY>;
