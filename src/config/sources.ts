import { readFileSync } from 'node:fs';
import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import { type Secrets, sentenceOf, sourcesSchema, type SourcesDocument } from './sources-schema.js';

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
      /** Milliseconds the timestamp may be old. */
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
  /** Event types and patterns that it may send; null: all but those of Feishu. */
  readonly types: readonly string[] | null;
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

/** How old a signed push may be, unless the file says otherwise. */
const APP_MAX_AGE = 24 * 3_600_000;
const STANDARD_MAX_AGE = 5 * 60_000;
const GITHUB_HEADER = 'x-hub-signature-256';

/**
 * Reads `SOURCES_FILE`. What is wrong goes to `problems`, a sentence each: the place, what is wrong and the mend. No
 * secret is repeated, nor what stands where one belongs.
 */
export function readSources(file: string, secrets: Secrets, problems: string[]): Sources {
  const report = (message: string): void => {
    problems.push(`SOURCES_FILE "${file}" ${message}`);
  };
  const json = readJson(file, report);
  if (json === undefined) return NONE;
  const parsed = sourcesSchema(secrets).safeParse(json, { error: sentenceOf });
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      report(path.length === 0 ? message : `${path.join('.')} ${message}`);
    return NONE;
  }
  const { apps, sources } = parsed.data;
  return {
    apps: Object.entries(apps).map(([name, app]): FeishuApp => ({
      name,
      path: `/webhook/feishu/${name}`,
      mode: app.mode ?? 'webhook',
      domain: app.domain ?? 'https://open.feishu.cn',
      appId: app.appId,
      appSecret: app.appSecret,
      encryptKey: app.encryptKey,
      verificationToken: app.verificationToken,
      signatureMaxAge: app.signatureMaxAge === undefined ? APP_MAX_AGE : app.signatureMaxAge,
    })),
    webhooks: Object.entries(sources).flatMap(([name, source]): WebhookSource[] => {
      const format = formatOf(source, (message) => {
        report(`sources.${name}${message}`);
      });
      const { types = null, verify } = source;
      return format === null
        ? []
        : [{ name, path: `/webhook/${name}`, types, verification: verificationOf(verify), format }];
    }),
  };
}

const NONE: Sources = { apps: [], webhooks: [] };

function readJson(file: string, report: (message: string) => void): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    report(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
    return undefined;
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    report(`is not JSON: look at ${placeIn(text, errors[0]?.offset ?? text.length)}`);
    return undefined;
  }
  // JSON.parse lets the last of them win, and an app or a source would be gone without a word.
  const twice = root ? keysTwice(root) : [];
  for (const { offset, value } of twice)
    report(
      `has the key "${String(value)}" a second time at ${placeIn(text, offset)}: remove or rename one of the two`,
    );
  return twice.length > 0 ? undefined : json;
}

function keysTwice(node: Node): Node[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap((child) => {
    const [key] = child.type === 'property' ? (child.children ?? []) : [];
    const again = key !== undefined && seen.has(key.value) ? [key] : [];
    seen.add(key?.value);
    return [...again, ...keysTwice(child)];
  });
}

function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

type DeclaredSource = SourcesDocument['sources'][string];

function formatOf(source: DeclaredSource, report: (message: string) => void): WebhookSource['format'] | null {
  if (source.format === 'cloudevents') return { kind: 'cloudevents' };
  // What the Standard Webhooks specification says of every sender.
  const standard = source.verify.type === 'standard-webhooks';
  const id = placeOf(source.id) ?? (standard ? { header: 'webhook-id' } : null);
  const { value } = source.type ?? {};
  const type =
    value === undefined ? (placeOf(source.type) ?? (standard ? { path: ['type'] } : null)) : { value };
  const time = placeOf(source.time) ?? (standard ? { path: ['timestamp'] } : null);
  if (id === null)
    report('.id is missing: say where the sender\'s id of the event stands, like {"path": "id"}');
  if (type === null)
    report('.type is missing: say where the event type stands, or which it is: {"value": "order.paid"}');
  if (id === null || type === null) return null;
  const { typePrefix = '', fields = [] } = source;
  return { kind: 'json', id, type, typePrefix, time, fields };
}

function placeOf(
  written:
    { readonly header?: string | undefined; readonly path?: readonly string[] | undefined } | undefined,
): PartPlace | null {
  if (written?.header !== undefined) return { header: written.header };
  return written?.path === undefined ? null : { path: written.path };
}

function verificationOf(verify: DeclaredSource['verify']): Verification {
  const secrets = verify.secret;
  switch (verify.type) {
    case 'standard-webhooks':
      return { kind: 'standard-webhooks', secrets, maxAge: verify.maxAge ?? STANDARD_MAX_AGE };
    case 'hmac': {
      const { header = GITHUB_HEADER, algorithm = 'sha256', encoding = 'hex' } = verify;
      // GitHub's header says which algorithm it is. Others mostly send the signature alone.
      const prefix = verify.prefix ?? (header === GITHUB_HEADER ? `${algorithm}=` : '');
      return { kind: 'hmac', secrets, header, algorithm, encoding, prefix };
    }
    case 'bearer':
      return { kind: 'bearer', secrets };
  }
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
        problems.push(
          `${setting('appId', 'FEISHU_APP_ID')} is "${appId}", which the app "${other}" has already: name each app once`,
        );
      seen.set(appId, of);
    }
    if (mode === 'webhook') continue;
    if (appId === undefined || !APP_ID_OF_CONNECTION.test(appId)) {
      const given = appId === undefined ? 'is missing' : `is "${appId}"`;
      problems.push(
        `${setting('appId', 'FEISHU_APP_ID')} ${given}: a long connection needs cli_ and 16 of 0-9 a-f, like cli_9f5343c580712544`,
      );
    }
    if (appSecret === undefined)
      problems.push(`${setting('appSecret', 'FEISHU_APP_SECRET')} is missing: a long connection needs it`);
  }
  return problems;
}
