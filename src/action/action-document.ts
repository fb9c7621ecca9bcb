import { z } from 'zod';
import { parseDuration } from '../config/duration.js';

/** Keys of the rule language that this version does not act upon. Refused, never ignored. */
const LATER_KEYS = ['when', 'order', 'undo', 'sign', 'auth', 'allowHostFromEvent'];

const duration = (least: number, most: number, range: string) =>
  z.string('must be a duration in quotes, like "30s"').transform((text, context): number => {
    const ms = parseDuration(text);
    if (ms === null || ms < least || ms > most) {
      context.addIssue(`"${text}" must be a duration ${range}, like "30s" or "2h"`);
      return z.NEVER;
    }
    return ms;
  });

const retry = z.union(
  [
    z
      .array(duration(0, 7 * 86_400_000, 'up to 7d'))
      .min(1)
      .max(50),
    z.strictObject({
      over: duration(1000, 30 * 86_400_000, 'from 1s to 30d'),
      max: z.int().min(1).max(100).optional(),
    }),
  ],
  'must be a list of delays like ["10s", "1m"], or {"over": "72h", "max": 10}',
);

const name = z
  .string('must be a text')
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
  );

const forLater = Object.fromEntries(
  LATER_KEYS.map((key) => [key, z.never(`"${key}" is not available in this version`).optional()]),
);

/** Header names that belong to the connection or to Aftersign itself. */
const OWN_HEADERS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|idempotency-key|proxy-.*)$/i;

const http = z
  .strictObject({
    ...forLater,
    type: z.literal('http'),
    name,
    method: z
      .enum(
        ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        'must be GET, HEAD, POST, PUT, PATCH or DELETE',
      )
      .default('POST'),
    url: z.string('must be a text').min(1, 'must not be empty'),
    headers: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'is no HTTP header name')
          .refine((header) => !OWN_HEADERS.test(header), 'is a header that Aftersign sets itself'),
        z.string('must be a text'),
      )
      .default({}),
    body: z.json().optional(),
    timeout: duration(100, 120_000, 'from 100ms to 2m').default(15_000),
    success: z
      .union(
        [
          z.strictObject({ status: z.array(z.int().min(100).max(599)).min(1) }),
          z.strictObject({
            path: z.string().regex(/^[\w-]+(?:\.[\w-]+){0,15}$/, 'must be a plain path like data.code'),
            equal: z.union([z.string(), z.number(), z.boolean(), z.null()]),
          }),
        ],
        'must be {"status": [200, 202]} or {"path": "code", "equal": 0}',
      )
      .optional(),
    retry: retry.optional(),
  })
  .refine((action) => action.body === undefined || !['GET', 'HEAD'].includes(action.method), {
    path: ['body'],
    message: 'cannot be sent with GET or HEAD',
  });

const addresses = z
  .union(
    [z.string(), z.array(z.string('must be a text')).min(1).max(50)],
    'must be an address or a list of addresses',
  )
  .transform((one) => (typeof one === 'string' ? [one] : one));

const domain = z
  .string('must be a text')
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'must be a domain in lower case, like example.com');

const email = z
  .strictObject({
    ...forLater,
    type: z.literal('email'),
    name,
    to: addresses,
    cc: addresses.optional(),
    bcc: addresses.optional(),
    replyTo: addresses.optional(),
    subject: z.string('must be a text').min(1, 'must not be empty'),
    text: z.string('must be a text').optional(),
    html: z.string('must be a text').optional(),
    allowRecipientFromEvent: z.array(domain).min(1).optional(),
    retry: retry.optional(),
  })
  .refine((action) => action.text !== undefined || action.html !== undefined, {
    path: ['subject'],
    message: 'is not enough: add "text" or "html"',
  });

/** One action as a rule file holds it. The kinds of Feishu messages are known to the language, not to this version. */
export const ACTION_DOCUMENT = z.discriminatedUnion('type', [http, email], {
  error: 'must be "http" or "email" (the Feishu kinds are not available in this version)',
});
export type ActionDocument = z.infer<typeof ACTION_DOCUMENT>;
export type HttpDocument = z.infer<typeof http>;
export type EmailDocument = z.infer<typeof email>;
/** Delays in ms, one per retry; or the time over which exponential retries are spread. */
export type RetryDocument = z.infer<typeof retry>;
