import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

interface PasswordOfUser {
  readonly name: string;
  /** As it is stored. */
  readonly password: string;
}

/**
 * The cookie of a browser that has signed in with this user's password. It opens nothing: it only sets the browser
 * apart from those who guess. Its proof is made with the stored password, so it ends with it and needs no other key.
 */
export function newDevice(user: PasswordOfUser): string {
  const id = randomBytes(16).toString('base64url');
  return `${id}.${proof(user, id).toString('base64url')}`;
}

/** The id of the browser; null: it has not signed in as this user with this password. */
export function knownDevice(cookie: string | undefined, user: PasswordOfUser): string | null {
  const [, id = '', given = ''] = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(cookie ?? '') ?? [];
  if (id === '') return null;
  return timingSafeEqual(Buffer.from(given, 'base64url'), proof(user, id)) ? id : null;
}

function proof({ name, password }: PasswordOfUser, id: string): Buffer {
  return createHmac('sha256', password).update(`device\n${name}\n${id}`).digest();
}
