import { z } from 'zod';
import type { HttpContent, SecretSlot } from '../action/action.js';
import { ACTION_DOCUMENT } from '../action/action-document.js';
import type { HttpSuccess } from '../action/sender.js';
import { parseDuration } from '../config/duration.js';
import { CATALOGUE_ENTRY } from '../events/catalogue.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const duration = (least: number, most: number, range: string) =>
  z.string('must be a duration in quotes, like "30s"').transform((text, context): number => {
    const ms = parseDuration(text);
    if (ms !== null && ms >= least && ms <= most) return ms;
    context.addIssue(`"${text}" must be a duration ${range}, like "5s" or "1h"`);
    return z.NEVER;
  });

const text = z.string('must be a text').min(1, 'must not be empty');
const cache = duration(0, 30 * DAY, 'up to 30d');
const waiting = {
  /** Milliseconds that one try may take. */
  timeout: duration(100, 30_000, 'from 100ms to 30s').default(5000),
  /** Milliseconds that an event may wait for the answer in all. */
  within: duration(1000, DAY, 'from 1s to 24h').default(4 * HOUR),
};
// As in an action of this kind. `app`: name or id of the Feishu app that asks; absent: the app that the event came
// from, else the only one.
const { app, url, headers, success } = ACTION_DOCUMENT.options[0].shape;

const process = z.strictObject({
  type: z.literal('feishu-process'),
  id: text,
  /** Whose task of the process is the answer's `task`. */
  task: text.exactOptional(),
  userIdType: z
    .enum(
      ['open_id', 'union_id', 'user_id', 'people_corehr_id'],
      'must be open_id, union_id, user_id or people_corehr_id',
    )
    .default('open_id'),
  app,
  ...waiting,
});

const user = z.strictObject({
  type: z.literal('feishu-user'),
  id: text,
  idType: z
    .enum(['open_id', 'union_id', 'user_id'], 'must be open_id, union_id or user_id')
    .default('open_id'),
  app,
  /** Milliseconds that an answer may serve other events. */
  cache: cache.default(DAY),
  ...waiting,
});

const http = z.strictObject({
  type: z.literal('http'),
  url,
  headers,
  success,
  cache: cache.default(0),
  /** What is known of the answer's members; absent: nothing. */
  fields: CATALOGUE_ENTRY.shape.fields.exactOptional(),
  ...waiting,
});

/** One look-up as `lookups.json` holds it; durations in milliseconds. */
export const LOOKUP_DOCUMENT = z.discriminatedUnion('type', [process, user, http], {
  error: 'must be "feishu-process", "feishu-user" or "http"',
});
export type LookupDocument = z.infer<typeof LOOKUP_DOCUMENT>;
export type HttpLookupDocument = z.infer<typeof http>;

/** The keys of each kind of look-up, and those it cannot do without. */
export const LOOKUP_KEYS = {
  'feishu-process': { known: Object.keys(process.shape), required: ['id'] },
  'feishu-user': { known: Object.keys(user.shape), required: ['id'] },
  http: { known: Object.keys(http.shape), required: ['url'] },
} as const satisfies Record<
  LookupDocument['type'],
  { known: readonly string[]; required: readonly string[] }
>;

/** What is to be asked for one event: a look-up with its templates filled. */
export type LookupRequest =
  | {
      readonly kind: 'feishu-process';
      /** Name or id; null: the app of the event. */
      readonly app: string | null;
      readonly id: string;
      /** The `approver_id` of the event's task; null: there is none. */
      readonly task: string | null;
      readonly userIdType: string;
    }
  | {
      readonly kind: 'feishu-user';
      readonly app: string | null;
      readonly id: string;
      readonly idType: string;
    }
  | {
      readonly kind: 'http';
      /** For people: a secret in it is written as its name in parentheses. */
      readonly url: string;
      readonly content: HttpContent;
      readonly secrets: readonly SecretSlot[];
      readonly success: HttpSuccess | null;
    };

/** What came of a look-up for one event, as it is recorded with the evaluation. */
export type LookupAnswer =
  /** `request`: what was asked, as a text that holds no secret. `fetchedAt`: ms since 1970. */
  | { readonly request: string; readonly value: unknown; readonly fetchedAt: number }
  | {
      /** Empty: nothing could be asked. */
      readonly request: string;
      readonly failed: { readonly code: string; readonly detail: string };
      readonly fetchedAt: number;
    };

/** By the names of the look-ups. */
export type LookupAnswers = Readonly<Record<string, LookupAnswer>>;
