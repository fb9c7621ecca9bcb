import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits that open something. Only the hash is stored: it needs no salt, for nobody guesses them. */
export interface Secret {
  readonly text: string;
  readonly hash: Buffer;
}

const FORM = /^[A-Za-z0-9_-]{43}$/;

export function newSecret(): Secret {
  const text = randomBytes(32).toString('base64url');
  return { text, hash: hashOf(text) };
}

/** Null: this is no secret of ours. */
export function secretHash(text: string): Buffer | null {
  return FORM.test(text) ? hashOf(text) : null;
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
