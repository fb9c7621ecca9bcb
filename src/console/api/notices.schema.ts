import { z } from 'zod';
import { NOTICE_KINDS } from '../../action/notice-store.js';
import { NOTICE_STATES } from '../../rules/notice-rows.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { ID, TERM, TIME } from './schema-parts.js';

export const NOTICE_QUERY = PAGE_QUERY.extend({
  state: z
    .enum(NOTICE_STATES)
    .optional()
    .meta({ description: '`open`: nobody has been told yet. `nobody`: owners.json names nobody to tell.' }),
  kind: z.enum(NOTICE_KINDS).optional(),
  rule: TERM.optional().meta({ description: 'A rule that it is about.' }),
});
export type NoticeQuery = z.infer<typeof NOTICE_QUERY>;

export const NOTICE = z
  .object({
    id: ID.meta({ description: 'Deliveries that tell of it have it as `eventId`.' }),
    kind: z.enum(NOTICE_KINDS),
    subject: z.string().meta({
      description: 'What it is about: a target, `rule:<name>`, a silence, a look-up.',
      examples: ['http:payroll.example.com'],
    }),
    rules: z.array(z.string()).meta({ description: 'Whose owners are told; empty: those for all others.' }),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
    state: z.enum(NOTICE_STATES),
    createdAt: TIME,
  })
  .meta({ id: 'Notice', description: 'Something that the owners of rules were told.' });
export type Notice = z.infer<typeof NOTICE>;

export const NOTICE_PAGE = pageSchema(NOTICE, 'NoticePage');
