type User = Readonly<Record<string, unknown>>;

/** A user by the key of the map, or by the id of the given type that it carries. */
export function findUser(users: ReadonlyMap<string, object>, idType: string, id: string): object | null {
  const known = users.get(id) as User | undefined;
  if (known && (known[idType] === undefined || known[idType] === id)) return known;
  for (const user of users.values()) if ((user as User)[idType] === id) return user;
  return null;
}

/**
 * The ids of users by e-mail address and mobile number (feishu-events 4.3). One that is not found has no `user_id`;
 * enterprise mailbox addresses are not looked at.
 */
export function batchGetId(users: ReadonlyMap<string, object>, idType: string, asked: User): object[] {
  return (['email', 'mobile'] as const).flatMap((by) => {
    const wanted = asked[`${by}s`];
    return textsOf(wanted).map((value) => {
      const user = [...users.values()].find((one) => (one as User)[by] === value) as User | undefined;
      const id = user?.[idType];
      return typeof id === 'string' ? { user_id: id, [by]: value } : { [by]: value };
    });
  });
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
