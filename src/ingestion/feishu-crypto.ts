import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** The AES key of an Encrypt Key: its SHA-256 (feishu-events 1.4), 32 bytes. Make it once: making it is slow. */
export function feishuAesKey(encryptKey: string): KeyObject {
  return createSecretKey(hash('sha256', encryptKey, 'buffer'));
}

/**
 * Decrypts the `encrypt` member of a Feishu body: standard base64 of a 16-byte IV and AES-256-CBC ciphertext
 * with PKCS#7 padding. Returns null when it is not that, whatever the reason: callers answer all alike.
 */
export function decryptFeishu(key: KeyObject, encrypted: string): Buffer | null {
  const bytes = Buffer.from(encrypted, 'base64');
  // What is no base64 is left out by the decoder, and then the length is not what the text promised.
  const padding = encrypted.endsWith('==') ? 2 : encrypted.endsWith('=') ? 1 : 0;
  if (bytes.length !== (encrypted.length / 4) * 3 - padding) return null;
  if (bytes.length < 32 || bytes.length % 16 !== 0) return null;
  try {
    const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16));
    return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]);
  } catch {
    return null;
  }
}

/** The `encrypt` member of a body as Feishu makes it: base64 of a fresh IV and the ciphertext. For what sends like Feishu. */
export function encryptFeishu(key: KeyObject, plaintext: string): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64');
}

/** Lower-case hex of `X-Lark-Signature`: SHA-256 over timestamp, nonce, Encrypt Key and the raw body (feishu-events 1.5). */
export function feishuSignature(
  timestamp: string,
  nonce: string,
  encryptKey: string,
  rawBody: Buffer,
): string {
  return hash('sha256', Buffer.concat([Buffer.from(timestamp + nonce + encryptKey, 'utf8'), rawBody]), 'hex');
}

/** Whether `given` is the signature that was computed, in a time that does not depend on where they differ. */
export function isSignature(given: unknown, computed: string): boolean {
  if (typeof given !== 'string') return false;
  const [one, other] = [Buffer.from(given, 'utf8'), Buffer.from(computed, 'utf8')];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** A secret that others must show. Comparing takes the same time whatever is shown: hashes of equal length are compared. */
export class ExpectedSecret {
  private readonly digest: Buffer;

  constructor(secret: string) {
    this.digest = hash('sha256', secret, 'buffer');
  }

  equals(given: unknown): boolean {
    const text = typeof given === 'string' ? given : '';
    return timingSafeEqual(hash('sha256', text, 'buffer'), this.digest) && typeof given === 'string';
  }
}
