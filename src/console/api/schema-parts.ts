import { z } from 'zod';

/** Parts that the schemas of several routes have. Those of answers are texts as JSON has them. */
export const ID = z.string().meta({ format: 'uuid' });
export const TIME = z.string().meta({ format: 'date-time', examples: ['2026-11-02T09:00:00.000Z'] });
export const COUNT = z.number().int().min(0);
export const LABEL = z
  .object({ zh: z.string(), en: z.string() })
  .meta({ id: 'Label', description: 'What the catalogue calls something, in Chinese and English.' });

/** Any JSON. */
export const VALUE = z.unknown();

/** A day or a moment in a query: ISO 8601. A day is its beginning in UTC. */
export const MOMENT = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'must be a date or a time as 2026-11-02T09:00:00Z')
  .transform((text) => new Date(text));

/** A text to compare with, in a query. PostgreSQL's text has no NUL. */
export const TERM = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\0]*$/, 'must not hold the character NUL');

export const MASKED = z
  .boolean()
  .meta({ description: 'Personal values stand as "•••", because the one who asks is a viewer.' });

/** ISO 8601 of a time that may be missing. */
export function isoOf(time: Date): string;
export function isoOf(time: Date | null): string | null;
export function isoOf(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
