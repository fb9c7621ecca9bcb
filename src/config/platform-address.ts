import { z } from 'zod';

/** The address of a Feishu or Lark platform: an origin alone. What is written is not repeated: it may hold a password. */
export const platform = z
  .string()
  .refine(isOrigin, 'must be an address like https://open.feishu.cn: no path, no user, no password')
  .transform((text) => new URL(text).origin);

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  const rest = search + hash + username + password;
  return /^https?:$/.test(protocol) && pathname === '/' && rest === '';
}
