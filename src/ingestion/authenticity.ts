import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Verification } from '../config/sources.js';
import { ExpectedSecret } from './feishu-crypto.js';
import { StandardWebhooks } from './standard-webhooks.js';
import type { RequestHeaders } from './verified.js';

/** Tells whether a request is of the system that it says it is of. */
export interface Authenticity {
  /** Whether all headers are vouched for: only then can an event's attributes be taken from any of them. */
  readonly coversHeaders: boolean;
  /** `now` in ms since 1970. Takes the same time wherever the signature or the secret differs. */
  holds(headers: RequestHeaders, raw: Buffer, now: number): boolean;
}

export function authenticityOf(verification: Verification): Authenticity {
  switch (verification.kind) {
    case 'standard-webhooks':
      return new StandardWebhooks(verification.secrets, verification.maxAge);
    case 'hmac':
      return new HmacSignature(verification);
    case 'bearer':
      return new BearerToken(verification.secrets);
  }
}

/** The HMAC of the raw body in a header. It says nothing of when, nor of other headers. */
class HmacSignature implements Authenticity {
  readonly coversHeaders = false;
  private readonly keys: readonly KeyObject[];

  constructor(private readonly how: Extract<Verification, { kind: 'hmac' }>) {
    this.keys = how.secrets.map((secret) => createSecretKey(Buffer.from(secret, 'utf8')));
  }

  holds(headers: RequestHeaders, raw: Buffer): boolean {
    const { header, algorithm, encoding, prefix } = this.how;
    const value = headers[header];
    if (typeof value !== 'string' || !value.startsWith(prefix)) return false;
    const given = decoded(value.slice(prefix.length), encoding);
    if (given === null) return false;
    let holds = false;
    for (const key of this.keys) {
      const computed = createHmac(algorithm, key).update(raw).digest();
      holds = (given.length === computed.length && timingSafeEqual(given, computed)) || holds;
    }
    return holds;
  }
}

/** Node's decoders leave out what does not belong: what is not exactly a signature is none. */
function decoded(text: string, encoding: 'hex' | 'base64'): Buffer | null {
  const form = encoding === 'hex' ? /^(?:[0-9a-fA-F]{2})+$/ : /^(?:[A-Za-z0-9+/]{4})+$/;
  const padded = encoding === 'base64' ? text.replace(/={1,2}$/, (end) => 'A'.repeat(end.length)) : text;
  return form.test(padded) ? Buffer.from(text, encoding) : null;
}

/** `Authorization: Bearer <secret>`. Whoever has the secret may say anything, headers too. */
class BearerToken implements Authenticity {
  readonly coversHeaders = true;
  private readonly expected: readonly ExpectedSecret[];

  constructor(secrets: readonly string[]) {
    this.expected = secrets.map((secret) => new ExpectedSecret(secret));
  }

  holds(headers: RequestHeaders): boolean {
    const { authorization = '' } = headers;
    const [, given] = /^bearer +(\S.*)$/i.exec(typeof authorization === 'string' ? authorization : '') ?? [];
    const bytes = given === undefined ? undefined : Buffer.from(given, 'latin1').toString('utf8');
    let holds = false;
    for (const one of this.expected) holds = one.equals(bytes) || holds;
    return holds;
  }
}
