const NAME = /^[a-z0-9._@-]{1,64}$/;

/** A user's name as it is stored: in lower case; null: it cannot be one. */
export function userNameOf(text: string): string | null {
  const name = text.trim().toLowerCase();
  // Names of dots alone are no part of a path.
  return NAME.test(name) && !/^\.+$/.test(name) ? name : null;
}

/** A name that resembles the text, whatever it holds. */
export function userNameLike(text: string): string {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._@-]+/g, '-')
    .slice(0, 56);
  return /[a-z0-9]/.test(name) ? name : 'user';
}
