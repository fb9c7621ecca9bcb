import { z } from 'zod';
import { TIME } from '../api/schema-parts.js';
import { GIVEN_PASSWORD } from './password.schema.js';
import { ROLE } from './users.schema.js';

export const LOGIN = z
  .strictObject({ name: z.string().max(1000), password: GIVEN_PASSWORD })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof LOGIN>;

export const SESSION = z
  .object({
    name: z.string().meta({ description: 'With a token `<user>/<token>`.' }),
    role: ROLE,
    means: z.enum(['session', 'token']),
    csrf: z.string().nullable().meta({
      description: 'For the header x-csrf-token of whatever is no GET; with a token null: none is needed.',
    }),
    mustChangePassword: z.boolean().meta({
      description: 'Signed in with a one-time password: nothing else is open until it was changed.',
    }),
    expiresAt: TIME.nullable().meta({ description: 'The latest end of the session.' }),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SESSION>;

export const LOGIN_WAYS = z
  .object({ password: z.literal(true), oidc: z.object({ issuer: z.string() }).nullable() })
  .meta({ id: 'LoginWays' });
export type LoginWays = z.infer<typeof LOGIN_WAYS>;
