import { z } from 'zod';
import { USER_ROLES } from '../../config/config.js';
import { PAGE_QUERY, pageSchema } from '../api/page.js';
import { ID, MOMENT, TERM, TIME } from '../api/schema-parts.js';

export const AUDIT_QUERY = PAGE_QUERY.extend({
  actor: TERM.optional().meta({
    description: "A user's name; what was done with the user's tokens is found too.",
  }),
  action: TERM.optional().meta({ examples: ['delivery.redrive'] }),
  subject: TERM.optional().meta({ examples: ['user:anna'] }),
  since: MOMENT.optional(),
  until: MOMENT.optional(),
});
export type AuditQuery = z.infer<typeof AUDIT_QUERY>;

export const AUDIT_ROW = z
  .object({
    id: ID,
    at: TIME,
    actor: z.string().meta({ description: 'A user, `<user>/<token>`, or `<system user>@<host>`.' }),
    means: z
      .enum(['session', 'token', 'command', 'none'])
      .meta({ description: 'none: a sign-in that failed.' }),
    role: z.enum(USER_ROLES).nullable(),
    address: z.string().nullable().meta({ description: 'Where the request came from; null: a command.' }),
    action: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditRow' });
export type AuditRow = z.infer<typeof AUDIT_ROW>;

export const AUDIT_PAGE = pageSchema(AUDIT_ROW, 'AuditPage');
