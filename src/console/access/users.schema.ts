import { z } from 'zod';
import { USER_ROLES } from '../../config/config.js';
import { PAGE_QUERY, pageSchema } from '../api/page.js';
import { ID, TIME } from '../api/schema-parts.js';
import { PASSWORD } from './password.schema.js';
import { userNameOf } from './user-name.js';

export const USER_NAME = z
  .string()
  .max(200)
  .transform((text, context) => {
    const name = userNameOf(text);
    if (name !== null) return name;
    context.addIssue('must be 1 to 64 of the characters a-z 0-9 . _ @ -');
    return z.NEVER;
  })
  .meta({ description: '1 to 64 of a-z 0-9 . _ @ -; upper case becomes lower case.' });

export const ROLE = z.enum(USER_ROLES).meta({ id: 'UserRole' });

export const USER = z
  .object({
    id: ID,
    name: z.string(),
    role: ROLE,
    disabled: z.boolean(),
    mustChangePassword: z.boolean().meta({ description: 'Has a one-time password.' }),
    identity: z
      .string()
      .nullable()
      .meta({ description: 'Issuer and subject at the OpenID provider; null: a local user.' }),
    createdAt: TIME,
    lastLoginAt: TIME.nullable(),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof USER>;

export const USER_PAGE = pageSchema(USER, 'UserPage');

/** A user as it was made or changed. */
export const CHANGED_USER = USER.extend({
  oneTimePassword: z.string().optional().meta({ description: 'Shown this once; the user has to change it.' }),
}).meta({ id: 'ChangedUser' });
export type ChangedUser = z.infer<typeof CHANGED_USER>;

export const USERS_QUERY = PAGE_QUERY;

export const NEW_USER = z
  .strictObject({
    name: USER_NAME,
    role: ROLE,
    password: PASSWORD.optional().meta({ description: 'Absent: a one-time password is made and answered.' }),
  })
  .meta({ id: 'NewUser' });
export type NewUser = z.infer<typeof NEW_USER>;

export const USER_CHANGE = z
  .strictObject({
    role: ROLE.optional(),
    disabled: z.boolean().optional(),
    password: PASSWORD.nullable()
      .optional()
      .meta({ description: 'null: a one-time password is made and answered.' }),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something')
  .meta({ id: 'UserChange' });
export type UserChange = z.infer<typeof USER_CHANGE>;
