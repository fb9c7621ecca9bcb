import { isObject, own } from './own-member.js';

/** The parts of a Feishu event that every event has, whatever its envelope version (feishu-events 1.2). */
export interface Envelope {
  readonly version: 'v1' | 'v2';
  readonly eventId: string;
  readonly eventType: string;
  /** Milliseconds since 1970, or null when the sender's text is no time. */
  readonly createTime: number | null;
  readonly appId: string | null;
  readonly tenantKey: string | null;
  /** As received; compare it in constant time. */
  readonly token: unknown;
  /** The payload's own members. A Map: names such as `__proto__` are data. */
  readonly fields: ReadonlyMap<string, unknown>;
}

/**
 * Reads the envelope of a parsed body. v2 is told by its `schema`, v1 by its absence. Answers a sentence when it is
 * not an envelope.
 */
export function readEnvelope(body: unknown): Envelope | string {
  if (!isObject(body)) return 'the body is not a JSON object';
  const event = own(body, 'event');
  if (!isObject(event)) return 'event is missing or not an object';
  const v2 = own(body, 'schema') !== undefined;
  const header = v2 ? own(body, 'header') : undefined;
  if (v2 && !isObject(header)) return 'header is missing or not an object';
  const head = isObject(header) ? header : event;
  const eventId = v2 ? own(head, 'event_id') : own(body, 'uuid');
  const eventType = v2 ? own(head, 'event_type') : own(event, 'type');
  if (typeof eventId !== 'string' || !/^[\w.:-]{1,128}$/.test(eventId)) {
    return `${v2 ? 'header.event_id' : 'uuid'} is missing or not 1 to 128 characters of A-Z a-z 0-9 _ . : -`;
  }
  if (typeof eventType !== 'string' || !/^[\w.:-]{1,128}$/.test(eventType)) {
    return `${v2 ? 'header.event_type' : 'event.type'} is missing or not 1 to 128 characters of A-Z a-z 0-9 _ . : -`;
  }
  return {
    version: v2 ? 'v2' : 'v1',
    eventId,
    eventType,
    createTime: readTime(v2 ? own(head, 'create_time') : own(body, 'ts')),
    appId: text(own(head, 'app_id')),
    tenantKey: text(own(head, 'tenant_key')),
    token: v2 ? own(head, 'token') : own(body, 'token'),
    fields: new Map(Object.entries(event)),
  };
}

/** Seconds (10 digits, with or without a fraction), milliseconds (13) or microseconds (16) since 1970, to milliseconds. */
export function readTime(value: unknown): number | null {
  const digits = typeof value === 'number' ? String(value) : value;
  if (typeof digits !== 'string') return null;
  const match = /^(\d{10}|\d{13}|\d{16})(?:\.\d{1,9})?$/.exec(digits);
  if (!match?.[1]) return null;
  const unit = { 10: 1000, 13: 1, 16: 0.001 }[match[1].length] ?? NaN;
  return Math.floor(Number(digits) * unit);
}

const ISO_8601 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d))$/;

/** As `readTime`, and also ISO 8601 with its zone, which is what RFC 3339 writes. */
export function readMoment(value: unknown): number | null {
  const ms = readTime(value);
  if (ms !== null || typeof value !== 'string') return ms;
  const match = ISO_8601.exec(value);
  if (!match) return null;
  const [, day = '', minute = '', second = ':00', fraction = '0', utc, hours = '', minutes = ''] = match;
  // A leap second is written as 60, which Date does not know.
  const seconds = second === ':60' ? ':59' : second;
  const zone = utc === undefined ? `${hours}:${minutes}` : 'Z';
  const parsed = Date.parse(`${day}T${minute}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`);
  return parsed >= 0 ? parsed : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.:-]{1,128}$/.test(value) ? value : null;
}
