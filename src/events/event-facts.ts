import { readEnvelope } from './envelope.js';
import type { StoredEvent } from './event-store.js';
import { parseLossless } from './lossless-json.js';

/**
 * What rules may read of an event: the fields of its type by their own names, and the envelope's parts. A name that
 * both use means the envelope's: what an employee typed must not pass for it. A Map: `__proto__` is a name like any.
 *
 * @throws Error when the stored bytes are no event: they were, when they were stored.
 */
export function factsOf(event: StoredEvent): ReadonlyMap<string, unknown> {
  const envelope = readEnvelope(parseLossless(new TextDecoder().decode(event.content ?? event.raw)));
  if (typeof envelope === 'string') throw new Error(`the stored event cannot be read: ${envelope}`);
  return new Map<string, unknown>([
    ...envelope.fields,
    ['event_type', event.eventType],
    ['event_id', event.eventId],
    ['create_time', event.createTime?.getTime() ?? null],
    ['app_id', envelope.appId],
    ['tenant_key', envelope.tenantKey],
    ['source', event.source],
  ]);
}

/** The facts that every event has, whatever its type. */
export const ENVELOPE_FACTS = [
  'event_type',
  'event_id',
  'create_time',
  'app_id',
  'tenant_key',
  'source',
] as const;
