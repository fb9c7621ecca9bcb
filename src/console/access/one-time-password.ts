import { randomInt } from 'node:crypto';

/** Without those that look like others. */
const CHARACTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP = 5;

/** A hundred random bits that can be read out and typed. */
export function oneTimePassword(): string {
  const group = (): string =>
    Array.from({ length: GROUP }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}
