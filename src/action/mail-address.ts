// No % and no !: old relays read victim%other.example@relay and other!victim as a route to another place.
const LOCAL = /^[a-z0-9#$&'*+/=?^_`{|}~-]+(?:\.[a-z0-9#$&'*+/=?^_`{|}~-]+)*$/i;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Whether a text is exactly one mail address, `local@domain` in ASCII: no display name, quotes, comments, lists,
 * spaces, line breaks or address literals. Stricter than RFC 5321 on purpose: the text may come from an event.
 */
export function isPlainAddress(text: string): boolean {
  if (text.length > 254) return false;
  const at = text.indexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  return (
    local.length <= 64 &&
    LOCAL.test(local) &&
    text
      .slice(at + 1)
      .split('.')
      .every((label) => LABEL.test(label))
  );
}
