import { parseDuration } from '../../config/duration.js';
import type { Catalogue, CatalogueEntry } from '../../events/catalogue.js';
import { partsOfCloudEvent, readCloudEvent } from '../../events/cloud-event.js';
import { type Envelope, readEnvelope, readMoment } from '../../events/envelope.js';
import { fieldsOf } from '../../events/event-facts.js';
import type { StoredEvent } from '../../events/event-store.js';
import { isObject, own } from '../../events/own-member.js';
import { didYouMean, nearestName } from '../check/nearest-name.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { subjectOf } from '../subject.js';
import type { EventStep } from './case-document.js';
import type { VirtualEvent } from './virtual-room.js';

/** Where an event of a case stands. */
export interface CasePlace {
  readonly catalogue: Catalogue;
  /** Of the events of the case, from 1. */
  readonly number: number;
  /** Milliseconds since 1970, by the virtual clock. */
  readonly now: number;
  /** The event types that the watched rules listen to. */
  readonly eventTypes: readonly string[];
}

/** Whose events those in part are. */
export const CASE_APP = 'cli_case';
export const CASE_TENANT = 'case';

const HEADER_KEYS = ['event_id', 'event_type', 'create_time', 'app_id', 'tenant_key', 'token'] as const;

/** An event of a case is none, and why. */
export class CaseEventError extends Error {}

/**
 * The event of a step as it would be received: a whole one as its sender writes it, or one in part over the catalogue's
 * sample, with ids and times that are the same on every run.
 *
 * @throws CaseEventError
 */
export function caseEvent({ event, type }: EventStep, place: CasePlace): VirtualEvent {
  if (own(event, 'specversion') !== undefined) return cloudEvent(event, place);
  const isWhole =
    isObject(own(event, 'event')) && (own(event, 'schema') !== undefined || own(event, 'uuid') !== undefined);
  return feishuEvent(isWhole ? event : envelopeOf(event, type, place), place);
}

function feishuEvent(body: unknown, place: CasePlace): VirtualEvent {
  const envelope = readEnvelope(body);
  if (typeof envelope === 'string') throw new CaseEventError(`this is no event: ${envelope}`);
  const { eventId, eventType, createTime, fields, appId }: Envelope = envelope;
  return virtualEvent(
    {
      origin: `feishu:${appId ?? 'unknown'}`,
      eventId,
      eventType,
      source: 'feishu-webhook',
      createTime,
      body,
      fields,
      transport: null,
    },
    place,
  );
}

function cloudEvent(body: unknown, place: CasePlace): VirtualEvent {
  const transport = { format: 'cloudevents', attributes: null } as const;
  const read = readCloudEvent(transport, Buffer.from(JSON.stringify(body)));
  if (typeof read === 'string') throw new CaseEventError(`this is no CloudEvent: ${read}`);
  const parts = partsOfCloudEvent(read);
  if (typeof parts === 'string') throw new CaseEventError(`this is no CloudEvent: ${parts}`);
  const { data, ...said } = parts;
  return virtualEvent(
    { ...said, origin: 'cloudevents', source: 'webhook', body, fields: fieldsOf(data), transport },
    place,
  );
}

function virtualEvent(
  {
    createTime,
    body,
    fields,
    ...event
  }: Pick<StoredEvent, 'origin' | 'eventId' | 'eventType' | 'source' | 'transport'> & {
    readonly createTime: number | null;
    readonly body: unknown;
    readonly fields: ReadonlyMap<string, unknown>;
  },
  { catalogue, number, now }: CasePlace,
): VirtualEvent {
  const { eventType, eventId } = event;
  if (eventType === SCHEDULE_TYPE)
    throw new CaseEventError('turns of schedules come by the clock: let time pass with "advance"');
  const entity = catalogue.rootEntityOf(eventType, fields);
  // They sort as the events arrive.
  const id = String(number).padStart(9, '0');
  const subject = subjectOf({
    ...event,
    id,
    receivedAt: new Date(now),
    createTime: createTime === null ? null : new Date(createTime),
    rootEntity: entity,
    raw: Buffer.from(JSON.stringify(body)),
    content: null,
    erasedAt: null,
  });
  const order = {
    orderTime: createTime ?? now,
    statusRank: catalogue.statusRankOf(eventType, fields),
    eventId,
  };
  return { id, entity, subject, order };
}

/** The whole envelope of an event in part. */
function envelopeOf(
  given: Readonly<Record<string, unknown>>,
  named: string | undefined,
  place: CasePlace,
): object {
  const { header, fields } = partsOf(given);
  const type = typeOf(named ?? own(header, 'event_type'), place.eventTypes);
  const entry = place.catalogue.find(type);
  checkFields(fields, entry, type);
  const head = {
    event_id: own(header, 'event_id') ?? `case-${place.number}`,
    create_time: createTime(own(header, 'create_time'), place.now),
    app_id: own(header, 'app_id') ?? CASE_APP,
    tenant_key: own(header, 'tenant_key') ?? CASE_TENANT,
    token: own(header, 'token') ?? '',
  };
  const sample = entry?.sample ?? {};
  if (entry && own(sample, 'type') === entry.eventType) {
    const { event_id: uuid, create_time: ts, token, app_id, tenant_key } = head;
    return { uuid, ts, token, type: 'event_callback', event: { ...sample, app_id, tenant_key, ...fields } };
  }
  return { schema: '2.0', header: { ...head, event_type: type }, event: { ...sample, ...fields } };
}

function partsOf(given: Readonly<Record<string, unknown>>): {
  readonly header: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, unknown>>;
} {
  const [header, event] = [own(given, 'header'), own(given, 'event')];
  const inParts =
    Object.keys(given).every((key) => key === 'header' || key === 'event') &&
    (isObject(header) || (header === undefined && isObject(event)));
  if (!inParts) return { header: {}, fields: given };
  if (event !== undefined && !isObject(event)) throw new CaseEventError('"event" is no object');
  const known: readonly string[] = HEADER_KEYS;
  const unknown = Object.keys(header ?? {}).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new CaseEventError(`a header has no "${unknown}". ${didYouMean(unknown, known)}`);
  return { header: header ?? {}, fields: event ?? {} };
}

function typeOf(named: unknown, eventTypes: readonly string[]): string {
  if (typeof named === 'string') return named;
  if (named !== undefined) throw new CaseEventError('"event_type" is no text');
  const [only, ...others] = eventTypes;
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? 'no event type' : `${eventTypes.length} event types`;
  throw new CaseEventError(
    `the watched rules listen to ${what}: say which one this event is of with "type"${only === undefined ? '' : `, like "${only}"`}`,
  );
}

function checkFields(
  fields: Readonly<Record<string, unknown>>,
  entry: CatalogueEntry | null,
  type: string,
): void {
  if (!entry || entry.more === true) return;
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(entry.fields, name));
  if (unknown === undefined) return;
  const isOfHeader = (HEADER_KEYS as readonly string[]).includes(unknown);
  const nearest = nearestName(unknown, Object.keys(entry.fields));
  throw new CaseEventError(
    `"${unknown}" is no field of ${type}. ${
      isOfHeader
        ? `Write {"header": {"${unknown}": …}, "event": {…}}.`
        : nearest === null
          ? didYouMean(unknown, Object.keys(entry.fields))
          : `Did you mean "${nearest}"?`
    }`,
  );
}

/** As senders write it, or a date-time, or how long before now: `-10m`. Absent: now. */
function createTime(given: unknown, now: number): unknown {
  if (given === undefined) return String(now);
  const before = typeof given === 'string' && given.startsWith('-') ? parseDuration(given.slice(1)) : null;
  if (before !== null) return String(now - before);
  return typeof given === 'string' ? String(readMoment(given) ?? given) : given;
}
