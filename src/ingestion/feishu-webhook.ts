import type { KeyObject } from 'node:crypto';
import type { FeishuApp } from '../config/sources.js';
import type { Catalogue } from '../events/catalogue.js';
import { readEnvelope } from '../events/envelope.js';
import type { IncomingEvent } from '../events/event.js';
import { isObject, own } from '../events/own-member.js';
import {
  decryptFeishu,
  ExpectedSecret,
  feishuAesKey,
  feishuSignature,
  isSignature,
} from './feishu-crypto.js';
import { FeishuEvents, parseBody, type Parser } from './feishu-event.js';

/** What a Feishu app's webhook is checked against. */
export type WebhookApp = Pick<FeishuApp, 'appId' | 'encryptKey' | 'verificationToken' | 'signatureMaxAge'>;

export type FeishuHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Why a request is refused. The texts say nothing an attacker could use to tell one wrong secret from another. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: 400 | 401 | 404;
  readonly code: 'SOURCE_NOT_CONFIGURED' | 'NOT_AUTHENTIC' | 'BODY_INVALID';
  readonly detail: string;
}

export type Verified =
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'event'; readonly event: IncomingEvent }
  | Refusal;

const NOT_AUTHENTIC: Refusal = {
  kind: 'refused',
  status: 401,
  code: 'NOT_AUTHENTIC',
  detail: 'The signature, the encryption or the verification token does not fit this app.',
};
const AHEAD = 5 * 60_000;
/** Bytes of a body without a signature. A challenge of 1 kB fits, whatever escapes and encryption make of it. */
const UNSIGNED_MOST = 16 * 1024;

/**
 * Turns a webhook request into an event or the answer to `url_verification` (feishu-events 1). Raw bytes first:
 * signature, then decryption, then strict parsing, then the token and the app.
 */
export class FeishuWebhook {
  private readonly key: KeyObject | null;
  private readonly token: ExpectedSecret | null;
  private readonly events: FeishuEvents;

  constructor(
    private readonly app: WebhookApp,
    catalogue: { readonly current: Catalogue },
  ) {
    this.events = new FeishuEvents(app, catalogue);
    this.key = app.encryptKey === undefined ? null : feishuAesKey(app.encryptKey);
    const { verificationToken } = app;
    this.token = verificationToken === undefined ? null : new ExpectedSecret(verificationToken);
  }

  /** `now` in ms since 1970. */
  verify(headers: FeishuHeaders, raw: Buffer, now: number): Verified {
    const { encryptKey } = this.app;
    if (encryptKey === undefined && this.token === null) {
      return {
        kind: 'refused',
        status: 404,
        code: 'SOURCE_NOT_CONFIGURED',
        detail: 'No Feishu app is configured here: set FEISHU_ENCRYPT_KEY or FEISHU_VERIFICATION_TOKEN.',
      };
    }
    if (this.key === null || encryptKey === undefined) return this.plain(raw);

    const unsigned = ['x-lark-signature', 'x-lark-request-timestamp', 'x-lark-request-nonce'].every(
      (name) => headers[name] === undefined,
    );
    if (unsigned ? raw.length > UNSIGNED_MOST : !this.signatureHolds(headers, raw, encryptKey, now))
      return NOT_AUTHENTIC;
    // Nothing of it is stored but its bytes: numbers need not be exact.
    const outer = parseBody(raw, JSON.parse);
    const encrypted = isObject(outer) ? own(outer, 'encrypt') : undefined;
    const content = typeof encrypted === 'string' ? decryptFeishu(this.key, encrypted) : null;
    if (unsigned) {
      // Only url_verification comes without a signature. Every other outcome answers alike, or the answers would
      // tell an attacker which ciphertexts decrypt.
      const body = content === null ? undefined : parseBody(content);
      return (isObject(body) && this.challenge(body)) || NOT_AUTHENTIC;
    }
    if (typeof encrypted !== 'string')
      return invalid('the body has no text "encrypt", and an Encrypt Key is set here');
    if (content === null) return invalid('"encrypt" is not a ciphertext of this app');
    return this.read(raw, content);
  }

  private plain(raw: Buffer): Verified {
    // Anybody can send this, and some bodies take the exact parser long: it is for those who have shown the token.
    const verified = this.read(raw, null, JSON.parse);
    return verified.kind === 'event' ? this.read(raw, null) : verified;
  }

  private read(raw: Buffer, content: Buffer | null, parser?: Parser): Verified {
    const body = parseBody(content ?? raw, parser);
    if (body === undefined) return invalid('the body is not JSON in UTF-8');
    if (isObject(body) && own(body, 'type') === 'url_verification')
      return this.challenge(body) ?? NOT_AUTHENTIC;
    if (isObject(body) && content === null && own(body, 'encrypt') !== undefined) {
      return invalid('the body is encrypted, and no Encrypt Key is set here');
    }
    const envelope = readEnvelope(body);
    // What was said of the envelope would help only a sender who has shown the token or the key.
    if (typeof envelope === 'string') return content === null ? NOT_AUTHENTIC : invalid(envelope);
    const { appId } = this.app;
    if (this.token !== null && !this.token.equals(envelope.token)) return NOT_AUTHENTIC;
    // No secret: every event says it.
    if (appId !== undefined && envelope.appId !== appId) return NOT_AUTHENTIC;
    return { kind: 'event', event: this.events.of(envelope, 'feishu-webhook', raw, content) };
  }

  private challenge(body: Record<string, unknown>): Verified | null {
    const challenge = own(body, 'challenge');
    if (own(body, 'type') !== 'url_verification' || typeof challenge !== 'string') return null;
    if (Buffer.byteLength(challenge) > 1024) return null;
    if (this.token !== null && !this.token.equals(own(body, 'token'))) return null;
    return { kind: 'challenge', challenge };
  }

  private signatureHolds(headers: FeishuHeaders, raw: Buffer, encryptKey: string, now: number): boolean {
    const timestamp = headers['x-lark-request-timestamp'];
    const nonce = headers['x-lark-request-nonce'];
    const signature = headers['x-lark-signature'];
    if (typeof timestamp !== 'string' || typeof nonce !== 'string') return false;
    // Exactly 10 digits: the signature covers timestamp and nonce without a separator, so digits could wander.
    const wellFormed = /^\d{10}$/.test(timestamp) && nonce.length <= 128;
    const holds = isSignature(signature, feishuSignature(timestamp, nonce, encryptKey, raw));
    const age = now - Number(timestamp) * 1000;
    const { signatureMaxAge } = this.app;
    const inTime = signatureMaxAge === null || (age <= signatureMaxAge && age >= -AHEAD);
    return wellFormed && holds && inTime;
  }
}

function invalid(detail: string): Refusal {
  return { kind: 'refused', status: 400, code: 'BODY_INVALID', detail };
}
