import {
  createCipheriv,
  createDecipheriv,
  createHash,
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
  if (encrypted.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encrypted)) return null;
  const bytes = Buffer.from(encrypted, 'base64');
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
  return createHash('sha256')
    .update(timestamp + nonce + encryptKey, 'utf8')
    .update(rawBody)
    .digest('hex');
}

/** Compares in constant time, whatever the lengths and types: hashes of equal length are compared. */
export function equalInConstantTime(given: unknown, expected: string): boolean {
  const text = typeof given === 'string' ? given : '';
  const same = timingSafeEqual(hash('sha256', text, 'buffer'), hash('sha256', expected, 'buffer'));
  return same && typeof given === 'string';
}
