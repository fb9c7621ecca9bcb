import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  decryptFeishu,
  ExpectedSecret,
  feishuAesKey,
  feishuSignature,
  isSignature,
} from '../../src/ingestion/feishu-crypto.js';

interface Vectors {
  webhook: {
    id: string;
    encrypt_key: string;
    crypto: { plaintext: string; encrypt_base64: string } | null;
    signature: { timestamp: string; nonce: string; hex: string } | null;
    signature_valid_over_raw_body: boolean | null;
    request: { headers: Record<string, string>; body: string };
  }[];
  decrypt_only: { encrypt_key: string; encrypt_base64: string; plaintext: string }[];
}
const vectors = JSON.parse(readFileSync('test/fixtures/feishu-vectors.json', 'utf8')) as Vectors;
const encrypted = [
  ...vectors.decrypt_only,
  ...vectors.webhook.flatMap((v) => (v.crypto ? [{ ...v.crypto, encrypt_key: v.encrypt_key }] : [])),
];

describe('Feishu decryption', () => {
  it.each(encrypted)(
    'decrypts a published ciphertext ($encrypt_base64)',
    ({ encrypt_key, encrypt_base64, plaintext }) => {
      expect(decryptFeishu(feishuAesKey(encrypt_key), encrypt_base64)?.toString('utf8')).toBe(plaintext);
    },
  );

  it.each([
    '',
    'AAAA',
    '====',
    'not base64!',
    'A'.repeat(44),
    Buffer.alloc(40).toString('base64'),
    Buffer.alloc(64, 7).toString('base64'),
  ])('answers null for %j', (text) => {
    expect(decryptFeishu(feishuAesKey('key'), text)).toBeNull();
  });
});

describe('Feishu signature', () => {
  const signed = vectors.webhook.filter(
    (v) => v.signature_valid_over_raw_body !== null && v.request.headers['X-Lark-Signature'],
  );

  it.each(signed)('judges $id as published', (v) => {
    const { headers, body } = v.request;
    const computed = feishuSignature(
      headers['X-Lark-Request-Timestamp'] ?? '',
      headers['X-Lark-Request-Nonce'] ?? '',
      v.encrypt_key,
      Buffer.from(body, 'utf8'),
    );
    expect(isSignature(headers['X-Lark-Signature'], computed)).toBe(v.signature_valid_over_raw_body);
  });

  it.each([undefined, null, 42, { length: 3 }, ['abc'], '', 'ab', 'abcd'])(
    'finds %j different from "abc"',
    (given) => {
      expect(new ExpectedSecret('abc').equals(given)).toBe(false);
      expect(isSignature(given, 'abc')).toBe(false);
    },
  );
});
