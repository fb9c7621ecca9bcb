import { USER_ROLES, type UserRole } from '../../config/config.js';

export type Claims = Readonly<Record<string, unknown>>;

/** A claim by its name, or within claims by a path like `realm_access.roles`; undefined: it is not there. */
export function ownClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

/** The highest role that a value of the claim, a text or a list, has by `OIDC_ROLES`; null: none. */
export function roleOf(claim: unknown, roles: ReadonlyMap<string, UserRole>): UserRole | null {
  const values = (Array.isArray(claim) ? claim : [claim]).filter((value) => typeof value === 'string');
  const found = [...values, '*'].flatMap((value) => roles.get(value) ?? []);
  return USER_ROLES.findLast((role) => found.includes(role)) ?? null;
}
