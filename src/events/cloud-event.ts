import type { FieldDefinition } from './catalogue.js';
import { readMoment } from './envelope.js';
import type { Transport } from './event.js';
import { parseLossless } from './lossless-json.js';
import { isObject, own } from './own-member.js';

/** A CloudEvent as it is read, whichever way it came in. */
export interface CloudEvent {
  /**
   * The context attributes as text, as the specification writes them: an integer and a boolean are text too, because
   * as headers they are. A value that is none of these types stays as it came.
   */
  readonly attributes: ReadonlyMap<string, unknown>;
  /** What happened; undefined: nothing more is said. */
  readonly data: unknown;
}

/** What came beside its body. */
export type CloudEventsTransport = Extract<Transport, { format: 'cloudevents' }>;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const NAME = /^[a-z0-9]+$/;
/** The attributes that are members of the fact `cloudevent`; all others are extensions. */
const NAMED = ['id', 'source', 'type', 'subject', 'time', 'dataschema', 'datacontenttype'] as const;

/** A CloudEvent of its stored bytes and what came beside them. Answers a sentence when it is none. */
export function readCloudEvent(transport: CloudEventsTransport, raw: Buffer): CloudEvent | string {
  const { attributes, contentType } = transport;
  if (attributes === null) return structured(raw);
  const data = dataOf(raw, contentType);
  if (data === NOT_JSON) return `the content-type is ${contentType ?? ''}, and the body is not JSON in UTF-8`;
  const all = new Map<string, unknown>(Object.entries(attributes));
  if (contentType !== undefined) all.set('datacontenttype', contentType);
  return { attributes: all, data };
}

/** The JSON event format: attributes and data are members of one object. */
function structured(raw: Buffer): CloudEvent | string {
  let body: unknown;
  try {
    body = parseLossless(utf8.decode(raw));
  } catch {
    return 'the body is not JSON in UTF-8';
  }
  if (!isObject(body)) return 'the body is not a JSON object';
  const attributes = new Map<string, unknown>();
  for (const [name, value] of Object.entries(body)) {
    if (name === 'data' || !NAME.test(name) || value === null) continue;
    attributes.set(name, typeof value === 'number' || typeof value === 'boolean' ? String(value) : value);
  }
  const base64 = own(body, 'data_base64');
  if (typeof base64 !== 'string') return { attributes, data: own(body, 'data') };
  const contentType = attributes.get('datacontenttype');
  const data = dataOf(
    Buffer.from(base64, 'base64'),
    typeof contentType === 'string' ? contentType : undefined,
  );
  return { attributes, data: data === NOT_JSON ? base64 : data };
}

const NOT_JSON = Symbol('not JSON');

/** JSON as its value, text as text, other bytes as base64, no bytes as nothing. */
function dataOf(bytes: Buffer, contentType: string | undefined): unknown {
  if (bytes.length === 0) return undefined;
  const isJson = contentType !== undefined && /^[^;]*[/+]json\s*(?:;|$)/i.test(contentType);
  try {
    const text = utf8.decode(bytes);
    if (!isJson && contentType !== undefined) return text;
    try {
      return parseLossless(text);
    } catch {
      return isJson ? NOT_JSON : text;
    }
  } catch {
    return isJson ? NOT_JSON : bytes.toString('base64');
  }
}

/** What a CloudEvent says of itself as an event. `createTime`: ms since 1970; null: its text is no time. */
export interface CloudEventParts {
  readonly eventId: string;
  readonly eventType: string;
  readonly createTime: number | null;
  readonly data: unknown;
}

/** Answers a sentence when an attribute is missing that every CloudEvent has. */
export function partsOfCloudEvent({ attributes, data }: CloudEvent): CloudEventParts | string {
  const [specversion, id, source, type] = ['specversion', 'id', 'source', 'type'].map((name) => {
    const value = attributes.get(name);
    return typeof value === 'string' ? value : '';
  });
  if (specversion !== '1.0') return 'the attribute "specversion" is not "1.0"';
  if (!id) return 'the attribute "id" is missing';
  // A URI reference has no blanks, so that the first one in our id is where the sender's begins.
  if (!source || /\s/.test(source)) return 'the attribute "source" is missing or no URI reference';
  if (!type) return 'the attribute "type" is missing';
  // A sender's ids are unique within each of its sources only.
  return {
    eventId: `${source} ${id}`,
    eventType: type,
    createTime: readMoment(attributes.get('time')),
    data,
  };
}

/** The fact `cloudevent`: the attributes that all CloudEvents may have, and the others in `extensions`. */
export function cloudEventFact({ attributes }: CloudEvent): Readonly<Record<string, unknown>> {
  const named: readonly string[] = NAMED;
  const extensions = [...attributes].filter(([name]) => !named.includes(name) && name !== 'specversion');
  return {
    ...Object.fromEntries([...attributes].filter(([name]) => named.includes(name))),
    extensions: Object.fromEntries(extensions),
  };
}

const text = (zh: string, en: string, optional = false): FieldDefinition => ({
  type: 'string',
  label: { zh, en },
  ...(optional ? { optional } : {}),
});

/** What the catalogue says of the fact `cloudevent`. */
export const CLOUD_EVENT_FIELD: FieldDefinition = {
  type: 'object',
  label: { zh: 'CloudEvents 属性', en: 'attributes of a CloudEvent' },
  fields: {
    id: text('编号', 'id'),
    source: text('来源', 'source'),
    type: text('类型', 'type'),
    subject: text('主题', 'subject', true),
    time: { ...text('时间', 'time', true), format: 'date-time' },
    dataschema: text('数据模式', 'data schema', true),
    datacontenttype: text('数据格式', 'content type of the data', true),
    extensions: { type: 'object', label: { zh: '扩展属性', en: 'extension attributes' } },
  },
};
