import type { PartPlace, WebhookSource } from '../config/sources.js';
import { type Catalogue, matchesPattern } from '../events/catalogue.js';
import { type CloudEventsTransport, partsOfCloudEvent, readCloudEvent } from '../events/cloud-event.js';
import { readMoment } from '../events/envelope.js';
import type { IncomingEvent, SourceKind, Transport } from '../events/event.js';
import { fieldsOf } from '../events/event-facts.js';
import { ownAt } from '../events/own-member.js';
import { parseBody } from './feishu-event.js';
import { headerText, invalidBody, type Refusal, type RequestHeaders } from './verified.js';

/** What an event of another system says of itself, wherever it stands. */
interface Parts {
  readonly eventId: string;
  readonly eventType: string;
  readonly createTime: number | null;
  readonly fields: ReadonlyMap<string, unknown>;
  readonly transport: Transport;
}

/** Makes events of what a declared system sends, whichever way it came in. Who sent it has been checked before. */
export class SourceEvents {
  constructor(
    private readonly source: WebhookSource,
    private readonly catalogue: { readonly current: Catalogue },
    /** Of the product: the types that Feishu sends. */
    private readonly builtIn: Catalogue,
  ) {}

  /** `transport`: what came beside the body, of a source of CloudEvents. */
  of(
    raw: Buffer,
    headers: RequestHeaders,
    transport: CloudEventsTransport | null,
    kind: SourceKind,
  ): IncomingEvent | Refusal {
    const parts = transport === null ? this.json(raw, headers) : cloudEvent(raw, transport);
    if (typeof parts === 'string') return invalidBody(parts);
    const { eventId, eventType, createTime, fields } = parts;
    // Ill-formed text becomes another text in the database, and then two ids may be one.
    // eslint-disable-next-line no-control-regex
    if (eventId.length > 500 || /[\u0000-\u001f\u007f-\u009f]/.test(eventId) || !eventId.isWellFormed())
      return invalidBody('the id of the event is longer than 500 characters or has control characters');
    if (!/^[\w.:-]{1,128}$/.test(eventType))
      return invalidBody('the type of the event is not 1 to 128 characters of A-Z a-z 0-9 _ . : -');
    const refusal = this.refusalOf(eventType);
    if (refusal !== null) return refusal;
    const catalogue = this.catalogue.current;
    const root = catalogue.rootEntityOf(eventType, fields);
    return {
      origin: this.source.name,
      eventId,
      eventType,
      source: kind,
      createTime,
      statusRank: catalogue.statusRankOf(eventType, fields),
      // PostgreSQL's text has no NUL. The event is genuine and is kept; only what it belongs to cannot be named.
      rootEntity: root?.includes('\u0000') === true ? null : root,
      raw,
      content: null,
      transport: parts.transport,
    };
  }

  /** A system that may report a push must not be able to report an approval. */
  private refusalOf(eventType: string): Refusal | null {
    const { types } = this.source;
    const isAllowed =
      types === null
        ? !isOfFeishu(eventType, this.builtIn)
        : types.some((pattern) => matchesPattern(pattern, eventType));
    if (isAllowed) return null;
    return {
      kind: 'refused',
      status: 403,
      code: 'EVENT_TYPE_NOT_ALLOWED',
      detail:
        types === null
          ? 'Events of this type come from Feishu: give this source a "typePrefix", or name the type in its "types".'
          : 'The "types" of this source do not name the type of this event.',
    };
  }

  private json(raw: Buffer, headers: RequestHeaders): Parts | string {
    const { format } = this.source;
    if (format.kind !== 'json') return 'this source sends CloudEvents';
    const body = parseBody(raw);
    if (body === undefined) return 'the body is not JSON in UTF-8';
    const valueAt = (place: PartPlace): unknown =>
      'header' in place ? headerText(headers, place.header) : ownAt(body, place.path);
    const eventId = textOf(valueAt(format.id));
    if (eventId === null) return `the id of the event is missing: ${nameOf(format.id)}`;
    const type = 'value' in format.type ? format.type.value : textOf(valueAt(format.type));
    if (type === null)
      return `the type of the event is missing: ${'value' in format.type ? '' : nameOf(format.type)}`;
    return {
      eventId,
      eventType: format.typePrefix + type,
      createTime: format.time === null ? null : readMoment(valueAt(format.time)),
      fields: fieldsOf(ownAt(body, format.fields)),
      transport: { format: 'json', fields: format.fields },
    };
  }
}

function cloudEvent(raw: Buffer, transport: CloudEventsTransport): Parts | string {
  const read = readCloudEvent(transport, raw);
  if (typeof read === 'string') return read;
  const parts = partsOfCloudEvent(read);
  if (typeof parts === 'string') return parts;
  const { data, ...said } = parts;
  return { ...said, fields: fieldsOf(data), transport };
}

/** A text, or the digits of a whole number; null for anything else. Long numbers are digits already. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return Number.isSafeInteger(value) ? String(value) : null;
}

function nameOf(place: PartPlace): string {
  return 'header' in place
    ? `there is no header ${place.header}`
    : `there is no text and no whole number at "${place.path.join('.')}"`;
}

/** Feishu's own types, and what is named like them: rules may listen to `corehr.*`. */
function isOfFeishu(eventType: string, builtIn: Catalogue): boolean {
  if (builtIn.find(eventType) !== null) return true;
  const [family = '', ...rest] = eventType.split('.');
  return rest.length > 0 && builtIn.matching(`${family}.*`).length > 0;
}
