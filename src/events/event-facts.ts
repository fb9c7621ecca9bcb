import type { FieldDefinition } from './catalogue.js';
import { CLOUD_EVENT_FIELD, cloudEventFact, readCloudEvent } from './cloud-event.js';
import { readEnvelope } from './envelope.js';
import type { SourceKind } from './event.js';
import type { StoredEvent } from './event-store.js';
import { parseLossless } from './lossless-json.js';
import { isObject, ownAt } from './own-member.js';

/** The facts that every event has, whatever its type. */
export const ENVELOPE_FACTS = [
  'event_type',
  'event_id',
  'create_time',
  'app_id',
  'tenant_key',
  'source',
  'cloudevent',
] as const;

/**
 * What rules may read of an event: the fields of its type by their own names, and the envelope's parts. Neither hides
 * the other. A name that both use means the envelope's, because what an employee typed must not pass for it; the
 * event's own field is then the fact `event.<name>`. A fact of that name is never anything else: a field whose name
 * really is `event.app_id` cannot be read. A Map: `__proto__` is a name like any.
 *
 * @throws Error when the stored bytes are no event: they were, when they were stored.
 */
export function factsOf(event: StoredEvent): ReadonlyMap<string, unknown> {
  const { fields, appId, tenantKey, cloudevent } = contentOf(event);
  return withEnvelope(fields, {
    event_type: event.eventType,
    event_id: event.eventId,
    create_time: event.createTime?.getTime() ?? null,
    app_id: appId,
    tenant_key: tenantKey,
    source: event.source,
    cloudevent,
  });
}

/**
 * The fields of the event itself, by the names that its sender gives them.
 *
 * @throws Error as `factsOf`
 */
export function ownFieldsOf(event: StoredEvent): ReadonlyMap<string, unknown> {
  return contentOf(event).fields;
}

/**
 * The same as `factsOf`, of a Feishu envelope that was not stored.
 *
 * @throws Error when the body is no envelope
 */
export function factsOfBody(
  body: Readonly<Record<string, unknown>>,
  source: SourceKind,
): ReadonlyMap<string, unknown> {
  const envelope = readEnvelope(parseLossless(JSON.stringify(body)));
  if (typeof envelope === 'string') throw new Error(`this is no event: ${envelope}`);
  return withEnvelope(envelope.fields, {
    event_type: envelope.eventType,
    event_id: envelope.eventId,
    create_time: envelope.createTime,
    app_id: envelope.appId,
    tenant_key: envelope.tenantKey,
    source,
    cloudevent: null,
  });
}

function withEnvelope(
  fields: ReadonlyMap<string, unknown>,
  parts: Readonly<Record<(typeof ENVELOPE_FACTS)[number], unknown>>,
): ReadonlyMap<string, unknown> {
  const facts = new Map(fields);
  for (const name of ENVELOPE_FACTS) {
    facts.delete(`event.${name}`);
    if (fields.has(name)) facts.set(`event.${name}`, fields.get(name));
    facts.set(name, parts[name]);
  }
  return facts;
}

interface Content {
  readonly fields: ReadonlyMap<string, unknown>;
  readonly appId: string | null;
  readonly tenantKey: string | null;
  readonly cloudevent: Readonly<Record<string, unknown>> | null;
}

function contentOf({ transport, raw, content }: StoredEvent): Content {
  const bytes = content ?? raw;
  if (transport?.format === 'cloudevents') {
    const read = readCloudEvent(transport, bytes);
    if (typeof read === 'string') throw new Error(`the stored event cannot be read: ${read}`);
    return { fields: fieldsOf(read.data), appId: null, tenantKey: null, cloudevent: cloudEventFact(read) };
  }
  const body = parseLossless(new TextDecoder().decode(bytes));
  if (transport?.format === 'json')
    return {
      fields: fieldsOf(ownAt(body, transport.fields)),
      appId: null,
      tenantKey: null,
      cloudevent: null,
    };
  const envelope = readEnvelope(body);
  if (typeof envelope === 'string') throw new Error(`the stored event cannot be read: ${envelope}`);
  const { fields, appId, tenantKey } = envelope;
  return { fields, appId, tenantKey, cloudevent: null };
}

/** The fields of another system's event: the members of an object; anything else is the one field `data`. */
export function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (isObject(value)) return new Map(Object.entries(value));
  return new Map(value === undefined ? [] : [['data', value]]);
}

const SOURCES: Readonly<Record<SourceKind, FieldDefinition['label']>> = {
  'feishu-webhook': { zh: '飞书推送', en: 'Feishu webhook' },
  'feishu-long-connection': { zh: '飞书长连接', en: 'Feishu long connection' },
  webhook: { zh: '其他系统推送', en: 'webhook of another system' },
  reconcile: { zh: '对账补取', en: 'reconciliation' },
  schedule: { zh: '定时', en: 'schedule' },
};

/** What the catalogue says of the envelope's facts. They are always there, some of them null. */
export const ENVELOPE_FIELDS: Readonly<Record<string, FieldDefinition>> = {
  event_type: { type: 'string', label: { zh: '事件类型', en: 'event type' } },
  event_id: { type: 'string', label: { zh: '事件编号', en: 'event id' } },
  /** Milliseconds since 1970; null when the sender's text is no time. */
  create_time: {
    type: 'integer',
    format: 'epoch-milliseconds',
    label: { zh: '事件发生时间', en: 'time of the event' },
  },
  /** Null when the sender has no such id. */
  app_id: { type: 'string', label: { zh: '应用', en: 'app' } },
  /** Null when the sender has no such key. */
  tenant_key: { type: 'string', label: { zh: '租户', en: 'tenant' } },
  source: {
    type: 'string',
    label: { zh: '事件源', en: 'source' },
    enum: Object.entries(SOURCES).map(([value, label]) => ({ value, label })),
  },
  /** Null for what is no CloudEvent. */
  cloudevent: CLOUD_EVENT_FIELD,
};
