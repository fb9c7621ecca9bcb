import { z } from 'zod';
import { PAGE_QUERY, pageSchema } from '../api/page.js';
import { ID, TIME } from '../api/schema-parts.js';
import { ROLE, USER_NAME } from './users.schema.js';

export const TOKEN = z
  .object({
    id: ID,
    user: z.string(),
    name: z.string(),
    role: ROLE.meta({ description: "At most that; never more than its user's at the moment of use." }),
    createdAt: TIME,
    expiresAt: TIME.nullable(),
    lastUsedAt: TIME.nullable().meta({ description: 'To the minute.' }),
    revokedAt: TIME.nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof TOKEN>;

export const TOKEN_PAGE = pageSchema(TOKEN, 'TokenPage');

export const MADE_TOKEN = TOKEN.extend({
  token: z.string().meta({ description: 'Shown this once.' }),
}).meta({ id: 'MadeToken' });
export type MadeToken = z.infer<typeof MADE_TOKEN>;

export const TOKENS_QUERY = PAGE_QUERY.extend({
  user: USER_NAME.optional().meta({ description: 'Admins: of this user; absent: one’s own.' }),
});
export type TokensQuery = z.infer<typeof TOKENS_QUERY>;

export const NEW_TOKEN = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\p{L}\p{N}._ @-]{1,64}$/u, 'must be 1 to 64 letters, digits, spaces or . _ @ -')
      .meta({ description: 'What it is for.' }),
    role: ROLE.optional().meta({ description: 'Absent: that of whoever makes it.' }),
    expiresInDays: z.number().int().min(1).max(365).default(90),
  })
  .meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof NEW_TOKEN>;
