import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isSignature } from './feishu-crypto.js';
import type { RequestHeaders } from './verified.js';

/** How far a sender's clock may be ahead of ours. */
const AHEAD = 5 * 60_000;
/**
 * An id with a brace, bracket or quote is none: what is signed has no unambiguous end of the id, so that a part of a
 * JSON body could be passed off as one.
 */
const ID = /^[^ \t{["]{1,500}$/;

/**
 * The symmetric signatures of Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`, as `v1,<base64>`, several of
 * them when the sender changes its secret.
 */
export class StandardWebhooks {
  /** The id is signed, and no other header. */
  readonly coversHeaders = false;
  private readonly keys: readonly KeyObject[];

  /** A secret is `whsec_` and base64, or any other text as it is. `maxAge`: ms a timestamp may be old. */
  constructor(
    secrets: readonly string[],
    private readonly maxAge: number,
  ) {
    this.keys = secrets.map((secret) =>
      createSecretKey(
        secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8'),
      ),
    );
  }

  /** `now` in ms since 1970. */
  holds(headers: RequestHeaders, raw: Buffer, now: number): boolean {
    const id = headers['webhook-id'];
    const timestamp = headers['webhook-timestamp'];
    const signatures = headers['webhook-signature'];
    if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
      return false;
    const age = now - Number(timestamp) * 1000;
    const inTime = age <= this.maxAge && age >= -Math.min(AHEAD, this.maxAge);
    return this.isSigned(signatures, `${id}.${timestamp}.`, raw) && inTime && isId(id, timestamp);
  }

  private isSigned(signatures: string, before: string, raw: Buffer): boolean {
    const given = signatures.split(' ').filter((one) => one.startsWith('v1,'));
    let holds = false;
    for (const key of this.keys) {
      // As bytes: the sender signed those of its headers, which Node reads as Latin-1.
      const computed = createHmac('sha256', key).update(before, 'latin1').update(raw).digest('base64');
      for (const one of given) holds = isSignature(one.slice(3), computed) || holds;
    }
    return holds;
  }
}

function isId(id: string, timestamp: string): boolean {
  return ID.test(id) && /^\d{10}$/.test(timestamp);
}
