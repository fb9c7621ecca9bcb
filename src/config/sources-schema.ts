import { z } from 'zod';
import { parseDuration } from './duration.js';
import { platform } from './platform-address.js';

/** The secrets that the file may name. */
export type Secrets = ReadonlyMap<string, string>;

/** What `SOURCES_FILE` holds, with its secrets in their places. */
export type SourcesDocument = z.infer<ReturnType<typeof sourcesSchema>>;

const EVENT_TYPE = 'must be 1 to 128 characters of A-Z a-z 0-9 _ . : -';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be named with 1 to 63 of a-z 0-9 - and not begin with -');

function duration(example: string, off: boolean) {
  return z.string().transform((text, context): number | null => {
    if (off && text === 'off') return null;
    const ms = parseDuration(text);
    if (ms !== null && ms >= 1000) return ms;
    context.addIssue(
      `is ${shown(text)}; use a duration of at least 1s like ${example}${off ? ', or off' : ''}`,
    );
    return z.NEVER;
  });
}

const header = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header, like x-event-id')
  .transform((text) => text.toLowerCase());

const path = z
  .string()
  .regex(/^[\w-]+(?:\.[\w-]+){0,7}$/, 'must be a plain path of up to 8 names, like data.id')
  .transform((text) => text.split('.'));

const pattern = z
  .string()
  .regex(/^[\w.:*-]{1,128}$/, 'must be an event type, or a pattern like com.example.*');

/** Exactly one of the given ways to say something. A union of Zod says nothing of what is wrong inside. */
function oneOf<Shape extends z.core.$ZodLooseShape>(ways: Shape, example: string) {
  return z.strictObject(ways, { error: ownSentence(`must be ${example}`) }).superRefine((value, context) => {
    if (Object.keys(value).length !== 1) context.addIssue(`must be ${example}, one of them`);
  });
}

/** Says so of a value that is there and is no object; what is missing is told like anything else. */
function ownSentence(sentence: string) {
  return ({ code, input }: { code?: string; input?: unknown }): string | undefined =>
    code === 'invalid_type' && input !== undefined ? sentence : undefined;
}

const place = oneOf(
  { header: header.optional(), path: path.optional() },
  '{"header": "x-event-id"} or {"path": "data.id"}',
);
const typePlace = oneOf(
  {
    header: header.optional(),
    path: path.optional(),
    value: z
      .string()
      .regex(/^[\w.:-]{1,128}$/, EVENT_TYPE)
      .optional(),
  },
  '{"header": "x-event"}, {"path": "type"} or {"value": "order.paid"}',
);

/** What stands in a place where a secret belongs is never repeated: it may be the secret. */
function secretOf(value: unknown, secrets: Secrets): { readonly value: string } | { readonly wrong: string } {
  if (typeof value !== 'string') return { wrong: 'must be a text like "{{ secrets.NAME }}"' };
  const [, secret] = /^\{\{\s*secrets\.([A-Za-z][A-Za-z0-9_]*)\s*\}\}$/.exec(value) ?? [];
  if (secret === undefined)
    return { wrong: 'must be "{{ secrets.NAME }}": the secret itself does not belong in this file' };
  const found = secrets.get(secret);
  return found === undefined || found === ''
    ? { wrong: `needs the secret ${secret}: set SECRET_${secret}, or put a file ${secret} into SECRETS_DIR` }
    : { value: found };
}

function secretIn(secrets: Secrets) {
  return z
    .unknown()
    .transform((value, context): string => {
      const found = secretOf(value, secrets);
      if ('value' in found) return found.value;
      context.addIssue(found.wrong);
      return z.NEVER;
    })
    .optional();
}

/** One secret, or up to four so that they can be changed. `wrongWith` says what is wrong with the form of one. */
function secretsIn(secrets: Secrets, wrongWith: (secret: string) => string | null = () => null) {
  return z.unknown().transform((value, context): readonly string[] => {
    const list: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : [value];
    if (value === undefined) context.addIssue('is missing');
    else if (list.length < 1 || list.length > 4) context.addIssue(`has ${list.length} secrets; use 1 to 4`);
    else {
      const found = list.map((one): string => {
        const result = secretOf(one, secrets);
        const wrong = 'wrong' in result ? result.wrong : wrongWith(result.value);
        if (wrong !== null) context.addIssue(wrong);
        return 'value' in result ? result.value : '';
      });
      return found;
    }
    return z.NEVER;
  });
}

/** What is wrong with a secret of Standard Webhooks. Without `whsec_`, any text is one. */
function wrongStandardSecret(secret: string): string | null {
  if (/^wh[ps]k_/.test(secret))
    return 'names an asymmetric key (whpk_, whsk_), which this version does not check; use one of whsec_';
  if (!secret.startsWith('whsec_')) return null;
  if (!/^whsec_[A-Za-z0-9+/]*={0,2}$/.test(secret))
    return 'names a secret with something else than base64 behind whsec_';
  const { length } = Buffer.from(secret.slice(6), 'base64');
  return length < 16 ? `names a secret of ${length} bytes; use one of at least 16` : null;
}

function verifySchema(secrets: Secrets) {
  const secret = secretsIn(secrets);
  return z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('standard-webhooks'),
      secret: secretsIn(secrets, wrongStandardSecret),
      maxAge: duration('5m', false).optional(),
    }),
    z.strictObject({
      type: z.literal('hmac'),
      secret,
      header: header.optional(),
      algorithm: z.enum(['sha256', 'sha384', 'sha512']).optional(),
      encoding: z.enum(['hex', 'base64']).optional(),
      prefix: z.string().max(20, 'is longer than 20 characters').optional(),
    }),
    z.strictObject({ type: z.literal('bearer'), secret }),
  ]);
}

/** The form of the file. Parse with `sentenceOf` as the error map. */
export function sourcesSchema(secrets: Secrets) {
  const secret = secretIn(secrets);
  const verify = verifySchema(secrets);
  const types = z.array(pattern).min(1, 'is empty; name event types, or leave it out').optional();
  const app = z.strictObject({
    appId: z.string().regex(/^cli_[0-9a-zA-Z]{1,60}$/, 'must look like cli_9f5343c580712544'),
    appSecret: secret,
    encryptKey: secret,
    verificationToken: secret,
    mode: z.enum(['webhook', 'long-connection', 'both']).optional(),
    domain: platform.optional(),
    signatureMaxAge: duration('24h', true).optional(),
  });
  const source = z.discriminatedUnion('format', [
    z.strictObject({ verify, format: z.literal('cloudevents'), types }),
    z.strictObject({
      verify,
      format: z.literal('json'),
      types,
      id: place.optional(),
      type: typePlace.optional(),
      typePrefix: z
        .string()
        .regex(/^[\w.:-]{0,64}$/, 'must be up to 64 characters of A-Z a-z 0-9 _ . : -')
        .optional(),
      time: place.optional(),
      fields: path.optional(),
    }),
  ]);
  return z.strictObject({
    apps: z
      .record(
        name.refine(
          (text) => text !== 'default',
          'must have another name: "default" is the app of the settings FEISHU_…',
        ),
        app,
      )
      .default({}),
    sources: z
      .record(
        name.refine(
          (text) => text !== 'event' && text !== 'feishu',
          'must have another name: /webhook/event and /webhook/feishu are for Feishu apps',
        ),
        source,
      )
      .default({}),
  });
}

/** What an issue says, as the end of a sentence that begins with the place. */
export const sentenceOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type')
    return issue.input === undefined
      ? 'is missing'
      : `is ${kindOf(issue.input)}; it must be ${KINDS[issue.expected] ?? `of type ${issue.expected}`}`;
  if (issue.code === 'invalid_value') return `is ${shown(issue.input)}; use ${listOf(issue.values)}`;
  if (issue.code === 'invalid_union' && 'options' in issue)
    return `${givenIn(issue)}; use ${listOf(issue.options as readonly unknown[])}`;
  if (issue.code === 'unrecognized_keys') {
    const { shape } = (issue.inst as unknown as z.ZodObject).def;
    return `has ${issue.keys.map((key) => `"${key}"`).join(', ')}, which is not known here; known are ${Object.keys(shape).join(', ')}`;
  }
  return issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
};

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'a text',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return KINDS[Array.isArray(value) ? 'array' : typeof value] ?? `a ${typeof value}`;
}

/** What stands where one of a few words belongs. */
function givenIn({ input, ...issue }: { readonly input?: unknown }): string {
  const { discriminator } = issue as { readonly discriminator?: string };
  const given = (input as Readonly<Record<string, unknown>>)[discriminator ?? ''];
  return given === undefined ? 'is missing' : `is ${shown(given)}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 40)}"` : kindOf(value);
}

function listOf(values: readonly unknown[]): string {
  return values.length < 2
    ? values.join('')
    : `${values.slice(0, -1).join(', ')} or ${String(values.at(-1))}`;
}
