import type { FeishuApp, WebhookSource } from '../config/sources.js';
import { Catalogue } from '../events/catalogue.js';
import type { IncomingEvent, SourceKind, Transport } from '../events/event.js';
import type { StoredEvent } from '../events/event-store.js';
import { isObject } from '../events/own-member.js';
import { BodyReader } from '../ingestion/body-reader.js';
import {
  areAnswers,
  readRecordedLine,
  type RecordedHead,
  type RecordedLine,
} from '../console/api/recorded-line.js';
import type { RecordedEvent, RecordedStep } from '../rules/backtest/recorded-event.js';
import { ANY_CLOUD_EVENT } from './event-file.js';

/** What lines are read with. */
export interface FileReading {
  /** The event types by which root entities are told. */
  readonly catalogue: Catalogue;
  /** The declared source whose bodies plain lines are; null: each is a Feishu envelope or a CloudEvent. */
  readonly source: WebhookSource | null;
  readonly webhookSources: readonly WebhookSource[];
  /** Their keys open encrypted bodies. */
  readonly apps: readonly Pick<FeishuApp, 'encryptKey'>[];
}

const NO_TYPES = new Catalogue([]);
/** The app of envelopes that name none: nothing is stored of them. */
const UNNAMED_APP = 'unknown';

/** Makes events of lines as they are exported: plain ones, and those with what is recorded of the decision. */
export class RecordedLineReader {
  private readonly readers = new Map<string, BodyReader>();
  private readonly plain: BodyReader;

  constructor(private readonly reading: FileReading) {
    this.plain = this.readerOf(reading.source);
  }

  /**
   * Of a plain line, the time when it was received is that of when it happened. `number`: of the line, which the id of a
   * plain event is made of. Answers a sentence when there is no event.
   */
  read(line: Buffer, number: number): RecordedEvent | string {
    const recorded = readRecordedLine(line);
    if (typeof recorded === 'string') return recorded;
    // A copy, so that an event that is kept does not keep the whole stretch of the file.
    if (recorded === null) return this.plainEvent(this.plain.read(Buffer.from(line)), number);
    return this.recordedEvent({ ...recorded, event: Buffer.from(recorded.event) }, number);
  }

  private plainEvent(read: IncomingEvent | string, number: number): RecordedEvent | string {
    if (typeof read === 'string') return read;
    return {
      event: storedOf(read, read.createTime ?? 0, idOf(read.createTime ?? 0, number)),
      decidedAt: null,
    };
  }

  private recordedEvent(line: RecordedLine, number: number): RecordedEvent | string {
    const { head } = line;
    const decidedAt = timeOf(head.decidedAt);
    const receivedAt = timeOf(head.receivedAt) ?? decidedAt;
    const event = wholeEvent(line, receivedAt, number) ?? this.readEvent(line, receivedAt, number);
    if (typeof event === 'string') return event;
    if (head.lookups !== undefined && !areAnswers(head.lookups))
      return 'its "lookups" are no answers as they are recorded';
    const steps = stepsOf(head.steps);
    if (typeof steps === 'string') return steps;
    return {
      event,
      decidedAt,
      ...(head.lookups === undefined ? {} : { lookups: head.lookups }),
      ...(typeof head.cause === 'string' ? { cause: head.cause } : {}),
      ...(steps === null ? {} : { steps }),
    };
  }

  /** By the event itself, where the line does not say it all. */
  private readEvent(
    { head, event }: RecordedLine,
    receivedAt: number | null,
    number: number,
  ): StoredEvent | string {
    const reader = this.declared(head.declared);
    if (typeof reader === 'string') return reader;
    const read = reader.read(event);
    if (typeof read === 'string') return read;
    const time = receivedAt ?? read.createTime ?? 0;
    const stored = storedOf(read, time, typeof head.id === 'string' ? head.id : idOf(time, number));
    return typeof head.source === 'string' ? { ...stored, source: head.source } : stored;
  }

  private declared(name: string | undefined): BodyReader | string {
    if (typeof name !== 'string') return this.plain;
    const known = this.readers.get(name);
    if (known) return known;
    const source = this.reading.webhookSources.find((one) => one.name === name);
    if (!source) return `it is of the source "${name.slice(0, 100)}", which SOURCES_FILE does not declare`;
    const reader = this.readerOf(source);
    this.readers.set(name, reader);
    return reader;
  }

  private readerOf(source: WebhookSource | null): BodyReader {
    const { catalogue, webhookSources, apps } = this.reading;
    const declared = webhookSources.filter(({ format }) => format.kind === 'cloudevents');
    return new BodyReader(
      {
        source,
        cloudEvents: declared.length > 0 ? declared : [ANY_CLOUD_EVENT],
        apps,
        onlyApp: null,
        defaultApp: UNNAMED_APP,
        kind: null,
      },
      { current: catalogue },
      NO_TYPES,
    );
  }
}

/** Of a line that says all that is stored beside the body, nothing else needs to be read; null: it does not. */
function wholeEvent(
  { head, event: raw }: RecordedLine,
  receivedAt: number | null,
  number: number,
): StoredEvent | null {
  const { id, eventId, eventType, origin, source, rootEntity } = head;
  const createTime = head.createTime === null ? null : timeOf(head.createTime);
  if (createTime === null && head.createTime !== null) return null;
  const isWhole =
    [eventId, eventType, origin, source].every((one) => typeof one === 'string') &&
    (rootEntity === null || typeof rootEntity === 'string') &&
    isTransport(head.transport);
  if (!isWhole || receivedAt === null) return null;
  return {
    id: typeof id === 'string' ? id : idOf(receivedAt, number),
    receivedAt: new Date(receivedAt),
    origin: origin ?? '',
    eventId: eventId ?? '',
    eventType: eventType ?? '',
    source: source as SourceKind,
    createTime: createTime === null ? null : new Date(createTime),
    rootEntity,
    raw,
    content: null,
    transport: head.transport ?? null,
    erasedAt: null,
  };
}

function isTransport(value: unknown): value is Transport | null {
  if (value === null) return true;
  if (!isObject(value)) return false;
  const { format, fields, attributes } = value;
  if (format === 'cloudevents') return attributes === null;
  return format === 'json' && Array.isArray(fields) && fields.every((one) => typeof one === 'string');
}

function stepsOf(steps: RecordedHead['steps']): readonly RecordedStep[] | string | null {
  if (steps === undefined) return null;
  const wrong = 'its "steps" are none as they are recorded';
  if (!Array.isArray(steps)) return wrong;
  const read: RecordedStep[] = [];
  for (const one of steps as readonly unknown[]) {
    if (!isObject(one)) return wrong;
    const { rule, subject = null, step, pending = null, lookups } = one;
    const at = timeOf(one['at']);
    if (typeof rule !== 'string' || typeof step !== 'string' || at === null) return wrong;
    if (subject !== null && typeof subject !== 'string') return wrong;
    if (pending !== null && typeof pending !== 'boolean') return wrong;
    if (lookups !== undefined && !areAnswers(lookups)) return wrong;
    read.push({ rule, subject, step, at, pending, ...(lookups === undefined ? {} : { lookups }) });
  }
  return read;
}

/** Milliseconds since 1970 of an ISO 8601 text; null: it is none. */
function timeOf(text: unknown): number | null {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function storedOf({ createTime, ...rest }: IncomingEvent, receivedAt: number, id: string): StoredEvent {
  return {
    id,
    receivedAt: new Date(receivedAt),
    origin: rest.origin,
    eventId: rest.eventId,
    eventType: rest.eventType,
    source: rest.source,
    createTime: createTime === null ? null : new Date(createTime),
    rootEntity: rest.rootEntity,
    raw: rest.raw,
    content: rest.content,
    transport: rest.transport,
    erasedAt: null,
  };
}

/** The same for the same line of the same file: a UUIDv7 of the time, with the number of the line. */
function idOf(ms: number, line: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0').slice(0, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${line.toString(16).padStart(12, '0')}`;
}
