import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { listOf } from './comma-list.js';
import { ConfigError } from './config.errors.js';
import { parseDuration } from './duration.js';
import { allowances } from './outbound-allowance.js';
import { platform } from './platform-address.js';
import { checkApps, type FeishuApp, readSources, type Sources, type WebhookSource } from './sources.js';

export const ROLES = ['ingest', 'rules', 'action', 'console'] as const;
export type Role = (typeof ROLES)[number];

/** What people may do, each one what those before it may: look; act on deliveries and rule sets; all else. */
export const USER_ROLES = ['viewer', 'operator', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** At most `max` in any `perMs` milliseconds. */
export interface RateBudget {
  readonly max: number;
  readonly perMs: number;
}

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
  .transform(Number)
  .refine((n) => n <= 65535, 'must be a number from 0 to 65535');

const url = (schemes: readonly string[], example: string) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), {
    // The value is not repeated: these URLs hold passwords.
    message: `must be a URL like ${example}`,
  });

const roles = z.string().transform((text, context): readonly Role[] => {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('all')) return ROLES;
  const unknown = names.filter((name) => !(ROLES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    context.addIssue(
      `has ${unknown.map((n) => `"${n}"`).join(', ')}; use all, or a list of ${ROLES.join(', ')}`,
    );
    return z.NEVER;
  }
  return names as Role[];
});

const retention = z.string().transform((text, context): number => {
  const ms = parseDuration(text);
  if (ms === null || ms < 86_400_000) {
    context.addIssue(`is "${text}"; use a duration of a day or more, like 90d`);
    return z.NEVER;
  }
  return ms;
});

const maxAge = z.string().transform((text, context): number | null => {
  if (text === 'off') return null;
  const ms = parseDuration(text);
  if (ms === null || ms < 1000) {
    context.addIssue(`is "${text}"; use a duration of at least 1s like 24h, or off`);
    return z.NEVER;
  }
  return ms;
});

const stormBrake = z.string().transform((text, context): RateBudget | null => {
  if (text === 'off') return null;
  const [, max = '0', per = ''] = /^(\d{1,9})\/(.+)$/.exec(text) ?? [];
  const perMs = parseDuration(per);
  if (Number(max) < 1 || perMs === null || perMs < 60_000 || perMs > 86_400_000) {
    context.addIssue(`is "${text}"; use deliveries/duration from 1m to 24h, like 2000/10m, or off`);
    return z.NEVER;
  }
  return { max: Number(max), perMs };
});

const timezone = z.string().refine((name) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}, 'must be an IANA time zone like Asia/Shanghai');

/** Values of the role claim to roles; `*` is any value, or none. */
const oidcRoles = z.string().transform((text, context): ReadonlyMap<string, UserRole> => {
  const roles = new Map<string, UserRole>();
  for (const entry of listOf(text)) {
    const [role = '', ...value] = entry.split('=');
    const name = value.join('=').trim();
    if (!(USER_ROLES as readonly string[]).includes(role.trim()) || name === '')
      context.addIssue(`has "${entry}"; use role=value, with the roles ${USER_ROLES.join(', ')}`);
    else roles.set(name, role.trim() as UserRole);
  }
  return roles;
});

const otlpHeaders = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {};
  for (const entry of listOf(text)) {
    const [name = '', ...value] = entry.split('=');
    // The value is not repeated: it is a secret.
    if (!/^[\w-]+$/.test(name.trim()) || value.length === 0)
      context.addIssue('must be a comma list of name=value');
    else headers[name.trim().toLowerCase()] = percentDecoded(value.join('=').trim());
  }
  return headers;
});

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const folder = z.string().transform((path) => resolve(path));

const certificates = z.string().transform((path, context): string => {
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('BEGIN CERTIFICATE')) return pem;
    context.addIssue(`"${path}" holds no PEM certificate`);
  } catch (error) {
    context.addIssue(`"${path}" cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  return z.NEVER;
});

const sourcesFile = folder.refine(
  (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  'must name an existing file',
);

const secretsFolder = folder.refine(
  (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  'must name an existing folder',
);

/** The settings of the product: name, form, default. The README's table is checked against this by a test. */
export const SETTINGS = z.object({
  PORT: port.default(3000).describe('where the service listens'),
  HOST: z.string().min(1).default('127.0.0.1').describe('the address it listens on'),
  ADMIN_PORT: port
    .optional()
    .describe('a port of its own for the admin API, the console and the metrics; empty: the same'),
  PUBLIC_URL: url(['http:', 'https:'], 'https://aftersign.example.com')
    .optional()
    .describe('how people reach the console: for links, and for signing in elsewhere'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/name')
    .optional()
    .describe('an outside PostgreSQL ≥ 15; empty: the embedded one'),
  DATA_DIR: folder.prefault('.aftersign').describe('files of the installation'),
  RULES_DIR: folder.prefault('rules').describe('where the rule files are'),
  ROLE: roles.prefault('all').describe('all, or a list of ingest, rules, action, console'),
  FEISHU_APP_ID: z
    .string()
    .regex(/^cli_[0-9a-zA-Z]{1,60}$/, 'must look like cli_9f5343c580712544')
    .optional()
    .describe('when set, events of other apps are refused'),
  FEISHU_APP_SECRET: z.string().min(1).optional().describe('of the same app'),
  FEISHU_ENCRYPT_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('when set, only encrypted and signed events are taken'),
  FEISHU_VERIFICATION_TOKEN: z.string().min(1).optional().describe('when set, every event must carry it'),
  FEISHU_MODE: z
    .enum(['webhook', 'long-connection', 'both'], 'must be webhook, long-connection or both')
    .default('webhook')
    .describe('how events come in: webhook, long-connection or both'),
  FEISHU_DOMAIN: platform
    .default('https://open.feishu.cn')
    .describe("the platform's address; https://open.larksuite.com for Lark"),
  FEISHU_SIGNATURE_MAX_AGE: maxAge.prefault('24h').describe('how old a signature may be; off: any age'),
  SOURCES_FILE: sourcesFile
    .optional()
    .describe('JSON file with more Feishu apps and with other systems that send events'),
  SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:pass@host:587')
    .optional()
    .describe('the mail server; a login goes over TLS alone, unless `?requireTLS=false` ends it'),
  MAIL_FROM: z
    .string()
    .regex(
      /^(?:[^<>"\r\n]*<)?[^\s<>@",;:]+@[^\s<>@",;:]+>?$/,
      'must be an address like Aftersign <ops@example.com>',
    )
    .optional()
    .describe('sender of mails'),
  OUTBOUND_ALLOW: allowances.prefault('').describe('private or loopback places that actions may reach'),
  OUTBOUND_PROXY: url(['http:', 'https:'], 'http://user:password@proxy.example.com:3128')
    .optional()
    .describe('an HTTP proxy for everything that goes out, but mail and traces'),
  OUTBOUND_CA: certificates.optional().describe('PEM file with extra certificates for HTTPS and SMTP'),
  STORM_BRAKE: stormBrake
    .prefault('2000/10m')
    .describe('deliveries of all rules together in a time, beyond which they are held for a person; or off'),
  SECRETS_DIR: secretsFolder.optional().describe('folder of files named like the secrets'),
  DEFAULT_TIMEZONE: timezone
    .default('Asia/Shanghai')
    .describe('of dates in templates, and of rules that name none'),
  DEFAULT_CALENDAR: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be the name of a work calendar, like cn')
    .optional()
    .describe('work calendar of rules that name none'),
  STATE_RETENTION: retention.prefault('90d').describe('how long the state of a finished process is kept'),
  RECONCILE: z
    .enum(['on', 'off'], 'must be on or off')
    .default('on')
    .describe('whether the platform is asked about events that may have been lost; it needs an app secret'),
  ADMIN_PASSWORD: z
    .string()
    .min(12, 'must have at least 12 characters')
    .optional()
    .describe('of the first user, admin; empty: a one-time password in a file whose path is logged'),
  OIDC_ISSUER: url(['http:', 'https:'], 'https://login.example.com/realms/ops')
    .optional()
    .describe('people sign in there too (OpenID Connect); needs PUBLIC_URL'),
  OIDC_CLIENT_ID: z.string().min(1).optional().describe('of this installation at the issuer'),
  OIDC_CLIENT_SECRET: z.string().min(1).optional().describe('of the same client; empty: a public client'),
  OIDC_SCOPE: z.string().min(1).default('openid profile email').describe('what is asked of the issuer'),
  OIDC_ROLE_CLAIM: z.string().min(1).default('groups').describe('the claim that OIDC_ROLES reads'),
  OIDC_ROLES: oidcRoles
    .prefault('')
    .describe('which values of the claim have which role, like admin=ops-leads,operator=ops,viewer=*'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http:', 'https:'], 'http://127.0.0.1:4318')
    .optional()
    .describe('where traces go (OTLP over HTTP); empty: nowhere'),
  OTEL_EXPORTER_OTLP_HEADERS: otlpHeaders
    .prefault('')
    .describe('headers for it, like authorization=Bearer%20…'),
  OTEL_SERVICE_NAME: z.string().min(1).default('aftersign').describe('the name in traces'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .prefault('1')
    .describe('the share of events that are traced'),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
      'must be trace, debug, info, warn, error or fatal',
    )
    .default('info')
    .describe('the least level that is logged'),
  LOG_FORMAT: z
    .enum(['json', 'pretty'], 'must be json or pretty')
    .optional()
    .describe('json; pretty on a terminal'),
});

/** Settings of later versions. Refused rather than ignored: each changes where events come from or where requests go. */
const NOT_YET = ['INGEST_LOG'];

export type Settings = z.infer<typeof SETTINGS>;
/** The settings of one process, with what they refer to. Frozen. */
export type Config = Readonly<Settings> & {
  /** Those that rule files may name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** First the app of the settings `FEISHU_…`, named `default`, then those of `SOURCES_FILE`. */
  readonly feishuApps: readonly FeishuApp[];
  readonly webhookSources: readonly WebhookSource[];
};

/** Whether the platform can be asked about lost events, and is to be. */
export function asksPlatform({ RECONCILE, feishuApps }: Pick<Config, 'RECONCILE' | 'feishuApps'>): boolean {
  return RECONCILE === 'on' && feishuApps.some(({ appSecret }) => appSecret !== undefined);
}

/**
 * Reads the settings from an environment. An empty variable counts as not set.
 *
 * @throws ConfigError with every problem at once.
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const problems = NOT_YET.filter((name) => name in given).map(
    (name) => `${name} is not available in this version: remove it`,
  );
  const parsed = SETTINGS.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')} ${issue.message}`);
  } else {
    if (parsed.data.SMTP_URL !== undefined && parsed.data.MAIL_FROM === undefined) {
      problems.push(
        'MAIL_FROM is missing: with SMTP_URL, set it to the sender, like Aftersign <ops@example.com>',
      );
    }
    problems.push(...oidcProblems(parsed.data), ...adminPortProblems(parsed.data));
    const secrets = readSecrets(given, parsed.data.SECRETS_DIR);
    const { SOURCES_FILE: file } = parsed.data;
    const sources: Sources =
      file === undefined ? { apps: [], webhooks: [] } : readSources(file, secrets, problems);
    const feishuApps = [appOfSettings(parsed.data), ...sources.apps];
    problems.push(...checkApps(feishuApps));
    if (problems.length === 0)
      return Object.freeze({ ...parsed.data, secrets, feishuApps, webhookSources: sources.webhooks });
  }
  throw new ConfigError(problems);
}

function oidcProblems(settings: Settings): string[] {
  if (settings.OIDC_ISSUER === undefined) return [];
  const { protocol, hostname } = new URL(settings.OIDC_ISSUER);
  return [
    // Who stands between could sign in as anybody.
    protocol === 'http:' &&
      !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname) &&
      'OIDC_ISSUER is http: use https; http is for a provider on this machine',
    settings.OIDC_CLIENT_ID === undefined && 'OIDC_CLIENT_ID is missing: with OIDC_ISSUER, set it',
    settings.PUBLIC_URL === undefined &&
      'PUBLIC_URL is missing: with OIDC_ISSUER, set it to how people reach the console',
    settings.OIDC_ROLES.size === 0 &&
      'OIDC_ROLES is missing: with OIDC_ISSUER, say who has which role, like viewer=*',
  ].filter((problem) => problem !== false);
}

function adminPortProblems({ PORT, ADMIN_PORT }: Settings): string[] {
  return ADMIN_PORT !== undefined && ADMIN_PORT === PORT && PORT !== 0
    ? [`ADMIN_PORT is ${ADMIN_PORT}, as PORT: give it another, or leave it empty`]
    : [];
}

function appOfSettings(settings: Settings): FeishuApp {
  return {
    name: 'default',
    path: '/webhook/event',
    mode: settings.FEISHU_MODE,
    domain: settings.FEISHU_DOMAIN,
    appId: settings.FEISHU_APP_ID,
    appSecret: settings.FEISHU_APP_SECRET,
    encryptKey: settings.FEISHU_ENCRYPT_KEY,
    verificationToken: settings.FEISHU_VERIFICATION_TOKEN,
    signatureMaxAge: settings.FEISHU_SIGNATURE_MAX_AGE,
  };
}

/** Names a rule file may use as `secrets.NAME`: `SECRET_<NAME>` of the environment, or the files of `SECRETS_DIR`. */
function readSecrets(
  given: Record<string, string | undefined>,
  directory: string | undefined,
): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const match = /^SECRET_([A-Za-z][A-Za-z0-9_]*)$/.exec(name);
    if (match?.[1] !== undefined && value !== undefined) secrets.set(match[1], value);
  }
  return directory === undefined ? secrets : new SecretFiles(directory, secrets);
}

/** Files are read when asked for, so that a rotated secret is used without a restart. */
class SecretFiles extends Map<string, string> {
  constructor(
    private readonly directory: string,
    environment: ReadonlyMap<string, string>,
  ) {
    super(environment);
  }

  override get(name: string): string | undefined {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return undefined;
    try {
      return readFileSync(resolve(this.directory, name), 'utf8').replace(/\r?\n$/, '');
    } catch {
      return super.get(name);
    }
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }
}
