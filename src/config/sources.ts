import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseDuration } from './duration.js';

/** One Feishu or Lark app that events come from and messages go through. */
export interface FeishuApp {
  /** Of `SOURCES_FILE`; `default`: the app of the settings `FEISHU_…`. */
  readonly name: string;
  /** Where its pushes come in: `/webhook/event`, or `/webhook/feishu/<name>`. */
  readonly path: string;
  readonly mode: 'webhook' | 'long-connection' | 'both';
  /** The platform's origin, without a slash at the end. */
  readonly domain: string;
  readonly appId: string | undefined;
  readonly appSecret: string | undefined;
  readonly encryptKey: string | undefined;
  readonly verificationToken: string | undefined;
  /** Milliseconds a signature may be old; null: any age. */
  readonly signatureMaxAge: number | null;
}

/** How it is told that a request is genuine. Several secrets: any of them, so that they can be changed. */
export type Verification =
  /** The Standard Webhooks headers `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
  | {
      readonly kind: 'standard-webhooks';
      readonly secrets: readonly string[];
      /** Milliseconds the timestamp may be away from now. */
      readonly maxAge: number;
    }
  /** The HMAC of the body in a header, as GitHub sends it. */
  | {
      readonly kind: 'hmac';
      readonly secrets: readonly string[];
      /** In lower case. */
      readonly header: string;
      readonly algorithm: 'sha256' | 'sha384' | 'sha512';
      readonly encoding: 'hex' | 'base64';
      /** What stands before the signature, like `sha256=`. */
      readonly prefix: string;
    }
  /** `Authorization: Bearer <secret>`. */
  | { readonly kind: 'bearer'; readonly secrets: readonly string[] };

/** Where a part of an event stands: a header (in lower case), or a path of names in the JSON body. */
export type PartPlace = { readonly header: string } | { readonly path: readonly string[] };

/** Another system that sends events. */
export interface WebhookSource {
  /** Also the origin of its events. */
  readonly name: string;
  /** `/webhook/<name>` */
  readonly path: string;
  readonly verification: Verification;
  readonly format:
    | { readonly kind: 'cloudevents' }
    | {
        readonly kind: 'json';
        readonly id: PartPlace;
        /** A text that stands for every event's type, or where the type stands. */
        readonly type: PartPlace | { readonly value: string };
        /** Goes before the type: `github.` makes `github.push` of `push`. */
        readonly typePrefix: string;
        /** Epoch seconds or milliseconds, or ISO 8601; null: the time of arrival orders the events. */
        readonly time: PartPlace | null;
        /** Where the object with the event's fields stands in the body; empty: the body itself. */
        readonly fields: readonly string[];
      };
}

export interface Sources {
  readonly apps: readonly FeishuApp[];
  readonly webhooks: readonly WebhookSource[];
}

/** What the SDK of the platform takes for an app id; it refuses any other without a word. */
export const APP_ID_OF_CONNECTION = /^cli_[0-9a-f]{16}$/;

type Secrets = ReadonlyMap<string, string>;

const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'must be 1 to 63 characters of a-z 0-9 - and start with a letter or digit',
  );

function duration(example: string) {
  return z.string('must be a duration in quotes').transform((text, context): number => {
    const ms = parseDuration(text);
    if (ms !== null && ms >= 1000) return ms;
    context.addIssue(`is "${text}"; use a duration of at least 1s like ${example}`);
    return z.NEVER;
  });
}

/** The platform's address: an origin alone. */
export const platform = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && isOrigin(text),
    'must be an address like https://open.feishu.cn, without a path',
  )
  .transform((text) => new URL(text).origin);

function isOrigin(text: string): boolean {
  const { pathname, search, hash, username } = new URL(text);
  return pathname === '/' && search === '' && hash === '' && username === '';
}

/** `{{ secrets.NAME }}` → the secret. The text itself in the file would end up in a repository. */
function secretIn(secrets: Secrets) {
  return z.string('must be a text like "{{ secrets.NAME }}"').transform((text, context): string => {
    const [, secret] = /^\{\{\s*secrets\.([A-Za-z][A-Za-z0-9_]*)\s*\}\}$/.exec(text) ?? [];
    // Not repeated: somebody may have written the secret itself.
    if (secret === undefined)
      context.addIssue('must be "{{ secrets.NAME }}": secrets do not stand in this file');
    else {
      const value = secrets.get(secret);
      if (value !== undefined && value !== '') return value;
      context.addIssue(`needs the secret ${secret}: set SECRET_${secret}`);
    }
    return z.NEVER;
  });
}

function fileSchema(secrets: Secrets) {
  const secret = secretIn(secrets);
  const app = z.strictObject({
    appId: z.string().regex(/^cli_[0-9a-zA-Z]{1,60}$/, 'must look like cli_9f5343c580712544'),
    appSecret: secret.optional(),
    encryptKey: secret.optional(),
    verificationToken: secret.optional(),
    mode: z
      .enum(['webhook', 'long-connection', 'both'], 'must be webhook, long-connection or both')
      .default('webhook'),
    domain: platform.default('https://open.feishu.cn'),
    signatureMaxAge: z
      .union([z.literal('off').transform(() => null), duration('24h')])
      .default(24 * 3_600_000),
  });
  const oneOrMore = z
    .union([secret.transform((one) => [one]), z.array(secret).min(1).max(4)])
    .transform((list): readonly string[] => list);
  const header = z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header')
    .transform((text) => text.toLowerCase());
  const path = z
    .string()
    .regex(/^[\w-]+(?:\.[\w-]+){0,7}$/, 'must be a plain path like data.id')
    .transform((text) => text.split('.'));
  const place = z.union([z.strictObject({ header }), z.strictObject({ path })], {
    error: 'must be {"header": "x-event-id"} or {"path": "data.id"}',
  });
  const verify = z.discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('standard-webhooks'),
        secret: oneOrMore,
        maxAge: duration('5m').default(300_000),
      }),
      z.strictObject({
        type: z.literal('hmac'),
        secret: oneOrMore,
        header: header.default('x-hub-signature-256'),
        algorithm: z.enum(['sha256', 'sha384', 'sha512']).default('sha256'),
        encoding: z.enum(['hex', 'base64']).default('hex'),
        prefix: z.string().max(20).default('sha256='),
      }),
      z.strictObject({ type: z.literal('bearer'), secret: oneOrMore }),
    ],
    { error: 'must have "type": standard-webhooks, hmac or bearer' },
  );
  const format = z.discriminatedUnion(
    'format',
    [
      z.strictObject({ verify, format: z.literal('cloudevents') }),
      z.strictObject({
        verify,
        format: z.literal('json'),
        id: place.optional(),
        type: z.union([z.strictObject({ value: z.string().regex(/^[\w.:-]{1,128}$/) }), place], {
          error: 'must be {"header": "x-event"}, {"path": "type"} or {"value": "order.paid"}',
        }),
        typePrefix: z
          .string()
          .regex(/^[\w.:-]{0,64}$/, 'must be characters of A-Z a-z 0-9 _ . : -')
          .default(''),
        time: place.optional(),
        fields: path.optional(),
      }),
    ],
    { error: 'must have "format": cloudevents or json' },
  );
  return z.strictObject({
    apps: z.record(name, app).default({}),
    sources: z
      .record(
        name.refine((text) => text !== 'event' && text !== 'feishu', 'is a path that Feishu apps use'),
        format,
      )
      .default({}),
  });
}

/**
 * Reads `SOURCES_FILE`. What is wrong goes to `problems`, a sentence each; no secret is repeated.
 */
export function readSources(file: string, secrets: Secrets, problems: string[]): Sources {
  const report = (message: string): Sources => {
    problems.push(`SOURCES_FILE "${file}" ${message}`);
    return { apps: [], webhooks: [] };
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    return report(
      error instanceof SyntaxError
        ? 'is not JSON'
        : `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
  const parsed = fileSchema(secrets).safeParse(json);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) report(`${path.join('.')}: ${message}`);
    return { apps: [], webhooks: [] };
  }
  const apps = Object.entries(parsed.data.apps).map(([of, app]): FeishuApp => ({
    appSecret: undefined,
    encryptKey: undefined,
    verificationToken: undefined,
    ...app,
    name: of,
    path: `/webhook/feishu/${of}`,
  }));
  const webhooks = Object.entries(parsed.data.sources).flatMap(([of, source]): WebhookSource[] => {
    const common = { name: of, path: `/webhook/${of}`, verification: verificationOf(source.verify) };
    if (source.format === 'cloudevents') return [{ ...common, format: { kind: 'cloudevents' } }];
    const standard = source.verify.type === 'standard-webhooks';
    const id = source.id ?? (standard ? { header: 'webhook-id' } : null);
    if (id === null) {
      report(`sources.${of}: "id" is missing: say where the sender's id of the event stands`);
      return [];
    }
    return [
      {
        ...common,
        format: {
          kind: 'json',
          id,
          type: source.type,
          typePrefix: source.typePrefix,
          time: source.time ?? null,
          fields: source.fields ?? [],
        },
      },
    ];
  });
  return { apps, webhooks };
}

function verificationOf(
  verify:
    | { type: 'standard-webhooks'; secret: readonly string[]; maxAge: number }
    | ({ type: 'hmac'; secret: readonly string[] } & Omit<
        Extract<Verification, { kind: 'hmac' }>,
        'kind' | 'secrets'
      >)
    | { type: 'bearer'; secret: readonly string[] },
): Verification {
  const { type, secret, ...rest } = verify;
  return { kind: type, secrets: secret, ...rest } as Verification;
}

/** What apps need beyond their form: ids that differ, and what a long connection asks for. */
export function checkApps(apps: readonly FeishuApp[]): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const { name: of, appId, appSecret, mode } of apps) {
    const setting = (key: string, variable: string): string =>
      of === 'default' ? variable : `SOURCES_FILE apps.${of}.${key}`;
    if (appId !== undefined) {
      const other = seen.get(appId);
      if (other !== undefined)
        problems.push(`${setting('appId', 'FEISHU_APP_ID')} is also the app id of "${other}"`);
      seen.set(appId, of);
    }
    if (mode === 'webhook') continue;
    if (appId === undefined || !APP_ID_OF_CONNECTION.test(appId)) {
      problems.push(
        `${setting('appId', 'FEISHU_APP_ID')} must be cli_ and 16 hex digits for a long connection, like cli_9f5343c580712544`,
      );
    }
    if (appSecret === undefined)
      problems.push(`${setting('appSecret', 'FEISHU_APP_SECRET')} is missing: a long connection needs it`);
  }
  return problems;
}
