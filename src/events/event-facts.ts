import type { FieldDefinition } from './catalogue.js';
import { readEnvelope } from './envelope.js';
import type { SourceKind } from './event.js';
import type { StoredEvent } from './event-store.js';
import { parseLossless } from './lossless-json.js';

/** The facts that every event has, whatever its type. */
export const ENVELOPE_FACTS = [
  'event_type',
  'event_id',
  'create_time',
  'app_id',
  'tenant_key',
  'source',
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
  const envelope = readEnvelope(parseLossless(new TextDecoder().decode(event.content ?? event.raw)));
  if (typeof envelope === 'string') throw new Error(`the stored event cannot be read: ${envelope}`);
  const parts: Readonly<Record<(typeof ENVELOPE_FACTS)[number], unknown>> = {
    event_type: event.eventType,
    event_id: event.eventId,
    create_time: event.createTime?.getTime() ?? null,
    app_id: envelope.appId,
    tenant_key: envelope.tenantKey,
    source: event.source,
  };
  const facts = new Map(envelope.fields);
  for (const name of ENVELOPE_FACTS) {
    facts.delete(`event.${name}`);
    if (envelope.fields.has(name)) facts.set(`event.${name}`, envelope.fields.get(name));
    facts.set(name, parts[name]);
  }
  return facts;
}

const SOURCES: Readonly<Record<SourceKind, FieldDefinition['label']>> = {
  'feishu-webhook': { zh: '飞书推送', en: 'Feishu webhook' },
  'feishu-long-connection': { zh: '飞书长连接', en: 'Feishu long connection' },
  webhook: { zh: '其他系统推送', en: 'webhook of another system' },
  reconcile: { zh: '对账补取', en: 'reconciliation' },
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
};
