import type { Catalogue, FieldDefinition } from '../../events/catalogue.js';
import { readCloudEvent } from '../../events/cloud-event.js';
import { readEnvelope } from '../../events/envelope.js';
import { fieldsOf } from '../../events/event-facts.js';
import type { StoredEvent } from '../../events/event-store.js';
import { parseLossless } from '../../events/lossless-json.js';
import { isObject, own, ownAt } from '../../events/own-member.js';
import type { EventStep } from './case-document.js';
import { durationText } from './case-time.js';
import type { StandIns } from './stand-ins.js';

/**
 * How much of an event a case says: `fields`, those that differ from the catalogue's sample; `header`, its id, time, app
 * and tenant too; `whole`, all of it. One that cannot be told in part is told as a whole.
 */
export type Detail = 'fields' | 'header' | 'whole';

/** What a stored event says, apart from how it came. */
export interface EventContent {
  readonly eventType: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of the envelope: its id, app and tenant. Undefined: it has none. */
  readonly header: Readonly<Record<string, string | undefined>>;
  /** The body as it would be received, around other fields; null: only in part can it be told. */
  readonly whole: ((fields: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>) | null;
  /** Milliseconds since 1970; null: its sender does not say. */
  readonly createTime: number | null;
}

/** @throws Error when the stored bytes are no event: they were, when they were stored. */
export function contentOf(event: StoredEvent): EventContent {
  const { eventType, eventId, transport, raw, content } = event;
  const bytes = content ?? raw;
  const createTime = event.createTime?.getTime() ?? null;
  const header = { event_id: eventId };
  if (transport?.format === 'cloudevents') {
    const read = readCloudEvent(transport, bytes);
    if (typeof read === 'string') throw new Error(`the stored event cannot be read: ${read}`);
    const { attributes, data } = read;
    const wrap = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
      ...Object.fromEntries(attributes),
      data: isObject(data) ? fields : fields['data'],
    });
    return { eventType, fields: Object.fromEntries(fieldsOf(data)), header, whole: wrap, createTime };
  }
  const body = parseLossless(new TextDecoder().decode(bytes));
  if (transport?.format === 'json') {
    const fields = Object.fromEntries(fieldsOf(ownAt(body, transport.fields)));
    return { eventType, fields, header, whole: null, createTime };
  }
  const envelope = readEnvelope(body);
  if (typeof envelope === 'string' || !isObject(body)) throw new Error('the stored event cannot be read');
  const { fields, appId, tenantKey } = envelope;
  return {
    eventType,
    fields: Object.fromEntries(fields),
    header: { ...header, app_id: appId ?? undefined, tenant_key: tenantKey ?? undefined },
    whole: (others) => withoutToken({ ...body, event: others }),
    createTime,
  };
}

/** It was blanked when the event was stored, and nobody asks for it. */
function withoutToken(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(body).filter(([name]) => name !== 'token');
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      name === 'header' && isObject(value) ? withoutToken(value) : value,
    ]),
  );
}

/** What the catalogues say of the fields of an event: the first that knows one. */
export function fieldIn(
  catalogues: readonly Catalogue[],
  eventType: string,
  name: string,
): FieldDefinition | null {
  let known: FieldDefinition | null = null;
  for (const catalogue of catalogues) {
    const fields = catalogue.find(eventType)?.fields;
    const field = fields && Object.hasOwn(fields, name) ? fields[name] : undefined;
    // What one of them calls personal is.
    if (field && (known === null || field.personal === true)) known = field;
  }
  return known;
}

/** An event as a step of a case, at a time of the virtual clock (ms). */
export function recordedStep(
  content: EventContent,
  {
    detail,
    now,
    at,
    catalogues,
    standIns,
    onlyType,
  }: {
    readonly detail: Detail;
    readonly now: number;
    /** What the case says of when it happened, ms; null: as its sender says. */
    readonly at: number | null;
    readonly catalogues: readonly [Catalogue, ...Catalogue[]];
    /** Null: nothing is replaced. */
    readonly standIns: StandIns | null;
    /** The watched rules listen to events of this type alone. */
    readonly onlyType: string | null;
  },
): EventStep {
  const { eventType, whole, createTime } = content;
  const fields = Object.fromEntries(
    Object.entries(content.fields).map(([name, value]) => [
      name,
      standIns ? standIns.replace(value, { field: fieldIn(catalogues, eventType, name) }) : value,
    ]),
  );
  const differing = differingFields(fields, eventType, catalogues[0]);
  if (whole && (detail === 'whole' || differing === null)) {
    const body = whole(fields);
    return { event: standIns ? (standIns.everywhere(body) as Readonly<Record<string, unknown>>) : body };
  }
  const type = eventType === onlyType ? {} : { type: eventType };
  const time = at ?? createTime;
  const header: Readonly<Record<string, string | undefined>> = {
    ...(detail === 'fields' ? {} : content.header),
    ...(time === null || (detail === 'fields' && time === now) ? {} : { create_time: timeText(time, now) }),
  };
  const given = differing ?? fields;
  const told = Object.entries(header).filter(([, value]) => value !== undefined);
  if (told.length === 0 && !looksWhole(given)) return { event: given, ...type };
  return { event: { header: Object.fromEntries(told), event: given }, ...type };
}

/** `-2h`: so long before now; else as senders write it, in ms. */
function timeText(time: number, now: number): string {
  const before = time < now ? durationText(now - time) : null;
  return before === null ? String(time) : `-${before}`;
}

/** Fields that a step in part would be taken for something else with. */
function looksWhole(fields: Readonly<Record<string, unknown>>): boolean {
  return ['schema', 'uuid', 'specversion', 'header', 'event'].some((name) => own(fields, name) !== undefined);
}

/** What differs from the sample of the type; null: the event cannot be told in part. */
function differingFields(
  fields: Readonly<Record<string, unknown>>,
  eventType: string,
  catalogue: Catalogue,
): Readonly<Record<string, unknown>> | null {
  const entry = catalogue.find(eventType);
  if (!entry) return null;
  const { sample = {} } = entry;
  const isV1 = own(sample, 'type') === eventType;
  const ofHeader = (name: string): boolean => isV1 && ['app_id', 'tenant_key'].includes(name);
  if (Object.keys(sample).some((name) => !Object.hasOwn(fields, name) && !ofHeader(name))) return null;
  const unknown = Object.keys(fields).some((name) => !Object.hasOwn(entry.fields, name));
  if (unknown && entry.more !== true) return null;
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(own(sample, name)),
    ),
  );
}
