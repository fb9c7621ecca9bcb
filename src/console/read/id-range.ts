import { leastIdOf } from '../../events/received-at.js';
import type { Slice } from './slice.js';

/** Ids from `low` on and before `high`. UUIDs order as their texts do. */
export interface IdRange {
  readonly low: string;
  readonly high: string;
}

const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The ids of rows made from `since` on and before `until`, beyond the row that was seen last. */
export function idRange(
  { since, until }: { readonly since?: Date | undefined; readonly until?: Date | undefined },
  { after }: Pick<Slice, 'after'>,
): IdRange {
  const high = until === undefined ? LAST : leastIdOf(until.getTime());
  return {
    low: since === undefined ? FIRST : leastIdOf(since.getTime()),
    high: after !== null && after < high ? after : high,
  };
}

/** One id, as far as it is within the range. */
export function oneId(id: string, { low, high }: IdRange): IdRange {
  const digits = (BigInt(`0x${id.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0');
  const next =
    digits.length > 32 ? LAST : digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { low: id > low ? id : low, high: next < high ? next : high };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text is a UUID as PostgreSQL writes it. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
