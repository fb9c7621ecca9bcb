import { z } from 'zod';
import { LEVELS } from '../../rules/state/root-state.js';
import { TIMER_STATES } from '../read/timer-list.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { ID, MOMENT, TERM, TIME } from './schema-parts.js';

export const TIMER_QUERY = PAGE_QUERY.extend({
  state: z
    .enum(TIMER_STATES)
    .optional()
    .meta({ description: 'Absent: `armed` and `asking`, whose next step is still to come.' }),
  rule: TERM.optional(),
  entity: TERM.optional().meta({ description: 'A process or another root entity, like `process:7063…`.' }),
  dueBefore: MOMENT.optional().meta({ description: 'The next step is due before this time.' }),
});
export type TimerQuery = z.infer<typeof TIMER_QUERY>;

export const TIMER = z
  .object({
    id: ID,
    state: z.enum(TIMER_STATES).meta({
      description:
        '`asking`: before the next step the platform, or a look-up, is asked. `finished`: all steps are sent.',
    }),
    rule: z.string(),
    per: z.enum(LEVELS),
    subject: z.string().meta({ description: 'Which task, node or process: `task:123`.' }),
    entity: z.string(),
    step: z.string().meta({ description: 'The next step; of one that has ended, the last.' }),
    dueAt: TIME,
    eventId: ID.meta({ description: 'Our id of the event that armed it.' }),
    baseTime: TIME.meta({ description: 'When that happened: from then the steps count.' }),
    armedAt: TIME,
    sent: z.array(z.string()).meta({ description: 'The steps that were sent.' }),
    holders: z
      .array(z.string())
      .meta({ description: 'On whom the conditions held when they were seen last.' }),
    code: z.string().nullable().meta({ description: 'Why it was cancelled: a stable code.' }),
    reason: z.string().nullable(),
    updatedAt: TIME,
  })
  .meta({
    id: 'Timer',
    description: 'A ladder of steps that go out one after the other until something cancels it.',
  });
export type Timer = z.infer<typeof TIMER>;

export const TIMER_PAGE = pageSchema(TIMER, 'TimerPage');
