import { z } from 'zod';
import { parseDuration } from '../config/duration.js';
import { isObject } from '../events/own-member.js';
import { RECEIVER_KINDS } from './sender.js';

/** Keys of the rule language that this version does not act upon. Refused by name, never ignored. */
export const LATER_ACTION_KEYS: readonly string[] = ['sign', 'allowHostFromEvent'];

/** The schema for the form that was written: a mistake is then reported where it is, not as "none of these forms". */
function chosen<Output>(
  choose: (given: unknown) => z.ZodType<Output> | null,
  otherwise: string,
): z.ZodType<Output> {
  return z.unknown().transform((given, context): Output => {
    const parsed = choose(given)?.safeParse(given);
    if (parsed?.success) return parsed.data;
    if (!parsed) context.addIssue(otherwise);
    for (const issue of parsed?.error.issues ?? []) context.addIssue({ ...issue });
    return z.NEVER;
  });
}

const duration = (least: number, most: number, range: string) =>
  z.string('must be a duration in quotes, like "30s"').transform((text, context): number => {
    const ms = parseDuration(text);
    if (ms === null || ms < least || ms > most) {
      context.addIssue(`"${text}" must be a duration ${range}, like "30s" or "2h"`);
      return z.NEVER;
    }
    return ms;
  });

const delays = z
  .array(duration(0, 7 * 86_400_000, 'up to 7d'))
  .min(1, 'must not be empty')
  .max(50, 'must not hold more than 50 delays');
const spread = z.strictObject({
  over: duration(1000, 30 * 86_400_000, 'from 1s to 30d'),
  max: z.int('must be a whole number').min(1, 'must be 1 or more').max(100, 'must be 100 or less').optional(),
});
/** Delays in ms, one per retry; or the time over which exponential retries are spread. */
export type RetryDocument = z.infer<typeof delays> | z.infer<typeof spread>;
const retry = chosen<RetryDocument>(
  (given) => (Array.isArray(given) ? delays : isObject(given) ? spread : null),
  'must be a list of delays like ["10s", "1m"], or {"over": "72h", "max": 10}',
);

const name = z
  .string('must be a text')
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
  );

/** What every kind of action may say of when it is asked for and in which order it goes out. */
const asking = {
  /** Conditions: what they may say is for the rules to judge. */
  when: z.unknown().optional(),
  order: z.enum(['none', 'task', 'process'], 'must be "none", "task" or "process"').optional(),
  /** An action that takes back what this one did: `undoOf` gives it. */
  undo: z.unknown().refine(isUndo, 'must be an action without "when", "order" and "undo"').optional(),
};

/** Keys that an undo has not: only a recall asks for it, and says in which order. */
export const NOT_OF_AN_UNDO: readonly string[] = ['when', 'order', 'undo'];

/** What an undo is called that says no name of its own. */
export function undoNameOf(action: string): string {
  return `${action.slice(0, 59)}-undo`;
}

function isUndo(given: unknown): boolean {
  if (!isObject(given) || Object.keys(given).some((key) => NOT_OF_AN_UNDO.includes(key))) return false;
  return ACTION_DOCUMENT.safeParse({ name: undoNameOf('a'), ...given }).success;
}

/** Header names that belong to the connection or to Aftersign itself. */
const OWN_HEADERS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|idempotency-key|proxy-.*)$/i;

const byStatus = z.strictObject({
  status: z
    .array(
      z
        .int('must be a whole number')
        .min(100, 'must be a status from 100')
        .max(599, 'must be a status to 599'),
    )
    .min(1, 'must not be empty'),
});
const byAnswer = z.strictObject({
  path: z.string('must be a text').regex(/^[\w-]+(?:\.[\w-]+){0,15}$/, 'must be a plain path like data.code'),
  equal: z.union(
    [z.string(), z.number(), z.boolean(), z.null()],
    'must be a text, a number, true, false or null',
  ),
});
const success = chosen<z.infer<typeof byStatus> | z.infer<typeof byAnswer>>(
  (given) => (!isObject(given) ? null : 'status' in given ? byStatus : byAnswer),
  'must be {"status": [200, 202]} or {"path": "code", "equal": 0}',
);

/** What keys say together. zod looks at it only when each of them is right; the loader does not wait for that. */
export const TOGETHER = { together: true };

const app = z
  .string('must be a text')
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of an app in SOURCES_FILE, or an app id')
  .optional();

/** Whose value is a secret, for `sign`. */
const secretName = z
  .string('must be a text')
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'must be the name of a secret, without {{ }}')
  .optional();

const http = z
  .strictObject({
    type: z.literal('http'),
    name,
    ...asking,
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
        z
          .string('must be a text')
          .regex(/^[\x20-\x7e\xa0-\xff]*$/, 'holds characters that HTTP headers cannot carry'),
      )
      .default({}),
    body: z.json().optional(),
    timeout: duration(100, 120_000, 'from 100ms to 2m').default(15_000),
    success: success.optional(),
    auth: z.literal('feishu', 'must be "feishu"').optional(),
    app,
    sign: secretName,
    retry: retry.optional(),
  })
  .refine((action) => action.body === undefined || !['GET', 'HEAD'].includes(action.method), {
    path: ['body'],
    message: 'cannot be sent with GET or HEAD',
    params: TOGETHER,
  })
  .refine((action) => action.app === undefined || action.auth !== undefined, {
    path: ['app'],
    message: 'needs "auth": "feishu"',
    params: TOGETHER,
  })
  .refine((action) => action.auth === undefined || !hasAuthorization(action.headers), {
    path: ['headers'],
    message: 'cannot hold "authorization" beside "auth"',
    params: TOGETHER,
  })
  .refine((action) => action.sign === undefined || action.auth === undefined, {
    path: ['sign'],
    message: 'cannot stand beside "auth"',
    params: TOGETHER,
  })
  .refine((action) => action.sign === undefined || signatureHeaderIn(action.headers) === null, {
    path: ['headers'],
    message: 'cannot hold what "sign" sets',
    params: TOGETHER,
  });

/** Headers that `sign` sets. */
const SIGNATURE_HEADER = /^webhook-(?:id|timestamp|signature)$/i;

/** The first of the headers that `sign` sets; null when none is. */
export function signatureHeaderIn(headers: Readonly<Record<string, unknown>>): string | null {
  return Object.keys(headers).find((header) => SIGNATURE_HEADER.test(header)) ?? null;
}

/** Whether the headers set what `auth` sets. */
export function hasAuthorization(headers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(headers).some((header) => header.toLowerCase() === 'authorization');
}

const addressList = z
  .array(z.string('must be a text'))
  .min(1, 'must not be empty')
  .max(50, 'must not hold more than 50 addresses');
const oneAddress = z.string().transform((one) => [one]);
const addresses = chosen<string[]>(
  (given) => (typeof given === 'string' ? oneAddress : Array.isArray(given) ? addressList : null),
  'must be an address or a list of addresses',
);

const domain = z
  .string('must be a text')
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'must be a domain in lower case, like example.com');

const email = z
  .strictObject({
    type: z.literal('email'),
    name,
    ...asking,
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
    message: 'needs "text" or "html"',
    params: TOGETHER,
  });

/** What a Feishu message says. */
const message = {
  text: z.string('must be a text').min(1, 'must not be empty').optional(),
  card: z.record(z.string(), z.json(), 'must be an object, the JSON of a card').optional(),
};
const saysOneThing = (action: { text?: unknown; card?: unknown }): boolean =>
  (action.text === undefined) !== (action.card === undefined);
const ONE_THING = { message: 'needs "text" or "card", and not both', params: TOGETHER };

const feishuBot = z
  .strictObject({
    type: z.literal('feishu-bot'),
    name,
    ...asking,
    url: z.string('must be a text').min(1, 'must not be empty'),
    sign: secretName,
    ...message,
    retry: retry.optional(),
  })
  .refine(saysOneThing, ONE_THING);

const receiver = z.string('must be a text').min(1, 'must not be empty').optional();
const feishuMessage = z
  .strictObject({
    type: z.literal('feishu-message'),
    name,
    ...asking,
    to: z
      .strictObject(
        { open_id: receiver, user_id: receiver, union_id: receiver, email: receiver, chat_id: receiver },
        'must be an object like {"open_id": "ou_…"}',
      )
      .check(({ value, issues }) => {
        // A slip of the pen is one mistake, not two.
        if (issues.length > 0 || RECEIVER_KINDS.filter((kind) => value[kind] !== undefined).length === 1)
          return;
        const one = `must name one receiver, by ${RECEIVER_KINDS.join(', ')}`;
        issues.push({ code: 'custom', message: one, input: value });
      }),
    ...message,
    app,
    retry: retry.optional(),
  })
  .refine(saysOneThing, ONE_THING);

/** The kinds of action, as a sentence lists them. */
export const KINDS_SENTENCE = 'must be "http", "email", "feishu-bot" or "feishu-message"';

/** One action as a rule file holds it. */
export const ACTION_DOCUMENT = z.discriminatedUnion('type', [http, email, feishuBot, feishuMessage], {
  error: KINDS_SENTENCE,
});
export type ActionDocument = z.infer<typeof ACTION_DOCUMENT>;

/** The undo of a sound action, with its name; null: it has none. */
export function undoOf({ undo }: ActionDocument): ActionDocument | null {
  // The check of the rule files has read it.
  return (undo as ActionDocument | undefined) ?? null;
}
export type HttpDocument = z.infer<typeof http>;
export type EmailDocument = z.infer<typeof email>;
export type FeishuBotDocument = z.infer<typeof feishuBot>;
export type FeishuMessageDocument = z.infer<typeof feishuMessage>;

/** The keys of each kind of action, and those it cannot do without. */
export const ACTION_KEYS = {
  http: { known: Object.keys(http.shape), required: ['name', 'url'] },
  email: { known: Object.keys(email.shape), required: ['name', 'to', 'subject'] },
  'feishu-bot': { known: Object.keys(feishuBot.shape), required: ['name', 'url'] },
  'feishu-message': { known: Object.keys(feishuMessage.shape), required: ['name', 'to'] },
} as const satisfies Record<
  ActionDocument['type'],
  { known: readonly string[]; required: readonly string[] }
>;
