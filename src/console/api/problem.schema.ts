import { z } from 'zod';

/** What goes wrong, as it is told. */
export const PROBLEM = z
  .object({
    status: z.number().int(),
    code: z.string().meta({ description: 'Stable: docs/errors.md lists them all.' }),
    detail: z.string(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Of a request that does not fit: each place and what is wrong there.' }),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457.',
    examples: [{ status: 404, code: 'EVENT_UNKNOWN', detail: 'no event has the id "7063…"' }],
  });
