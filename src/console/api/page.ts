import { z } from 'zod';
import { Refusal } from '../../config/problem.js';
import { isUuid } from '../read/id-range.js';

export { isUuid };

/** The part of a list that is asked for. */
export const PAGE_QUERY = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many at most.' }),
  cursor: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'The `next` of the page before; absent: the first page, with the newest.' }),
});
export type PageQuery = z.infer<typeof PAGE_QUERY>;

/** One part of a list, mostly the newest first. `next`: the cursor of the part after it; null: there is none. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** The schema of a page, under a name of its own. */
export function pageSchema<T extends z.ZodType>(item: T, id: string) {
  return z
    .object({
      items: z.array(item),
      next: z
        .string()
        .nullable()
        .meta({ description: 'Cursor of the next page; null: this is the last one.' }),
    })
    .meta({ id });
}

/**
 * The id after which a page begins; null: at the beginning.
 *
 * @throws Refusal 400 CURSOR_INVALID
 */
export function readCursor(cursor: string | undefined): string | null {
  return readCursorLike(cursor, isUuid);
}

/**
 * The same of a list whose ids are numbers.
 *
 * @throws Refusal 400 CURSOR_INVALID
 */
export function readNumberCursor(cursor: string | undefined): string | null {
  return readCursorLike(cursor, (id) => /^\d{1,15}$/.test(id));
}

/** Where a row stands in a list that is in the order of a time: microseconds since 1970, then what tells rows apart. */
export interface TimeKey {
  readonly micros: string;
  /** A UUID, perhaps with the name of a rule behind it. */
  readonly id: string;
}

const TIME_KEY = /^(-?\d{1,17}) (\S{36})((?: [a-z0-9._-]{1,64})?)$/;

/**
 * The same of a list in the order of a time.
 *
 * @throws Refusal 400 CURSOR_INVALID
 */
export function readTimeCursor(cursor: string | undefined): TimeKey | null {
  const [, micros = '', id = '', rule = ''] = TIME_KEY.exec(readCursorLike(cursor, isTimeKey) ?? '') ?? [];
  return micros === '' ? null : { micros, id: id + rule };
}

function isTimeKey(text: string): boolean {
  return isUuid(TIME_KEY.exec(text)?.[2] ?? '');
}

/** A page of rows that were fetched with one more than `limit`, in the order of a time. */
export function timePageOf<Row extends TimeKey, T>(
  rows: readonly Row[],
  limit: number,
  shown: (row: Row) => T,
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(shown),
    next: rows.length > limit && last ? cursorOf(`${last.micros} ${last.id}`) : null,
  };
}

function readCursorLike(cursor: string | undefined, isId: (text: string) => boolean): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  // What decodes to the same id in another way is no cursor of ours.
  if (isId(id) && cursorOf(id) === cursor) return id;
  throw new Refusal(
    400,
    'CURSOR_INVALID',
    'The cursor is none that a page of this list has given: leave it out.',
  );
}

/** A page of rows that were fetched with one more than `limit`, the newest first. */
export function pageOf<T extends { readonly id: string }>(rows: readonly T[], limit: number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last ? cursorOf(last.id) : null };
}

/** The cursor of what comes behind an id. */
export function cursorOf(id: string): string {
  return Buffer.from(id, 'latin1').toString('base64url');
}
