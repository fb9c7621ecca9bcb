import { createHmac } from 'node:crypto';

/** What the specification says of symmetric keys. */
const KEY_BYTES = { least: 24, most: 64 };
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The keys that a secret holds: one, or several with spaces or line ends between them while they change, each
 * `whsec_<base64>` or base64 alone, of 24 to 64 bytes. Null when it holds none, or something else.
 */
export function signingKeysOf(secret: string): readonly Buffer[] | null {
  const texts = signingKeyTexts(secret);
  const keys = texts.filter((text) => BASE64.test(text)).map((text) => Buffer.from(text, 'base64'));
  const fit = keys.filter(({ length }) => length >= KEY_BYTES.least && length <= KEY_BYTES.most);
  return fit.length === texts.length && fit.length > 0 ? fit : null;
}

/** The texts of the keys, without what only says that they are some: what a target might echo. */
export function signingKeyTexts(secret: string): readonly string[] {
  return secret
    .split(/\s+/)
    .filter((text) => text !== '')
    .map((text) => text.replace(/^whsec_/, ''));
}

/**
 * The headers of Standard Webhooks 1.0 for one attempt: one signature with each key, so that a target which knows the
 * old or the new one can tell who sent it.
 *
 * @param id the same for every attempt
 * @param body the bytes that are sent
 * @param now in ms
 */
export function signatureHeaders(
  keys: readonly Buffer[],
  id: string,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = keys.map((key) => {
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body, 'utf8');
    return `v1,${signature.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
