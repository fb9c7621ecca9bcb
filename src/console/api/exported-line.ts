import type { PartPlace, WebhookSource } from '../../config/sources.js';
import type { StoredEvent } from '../../events/event-store.js';
import type { CloudEventsTransport } from '../../events/cloud-event.js';

/**
 * An event as one line that an import reads again, without its line end: an envelope of Feishu decrypted, a CloudEvent
 * in structured mode, the body of another system. The bytes stay as they are, but for the blanks between them: no
 * number goes through a parser. `source`: as it is declared now; undefined: it is not any more. Null: the event was
 * erased.
 */
export function exportedLine(event: StoredEvent, source: WebhookSource | undefined): Buffer | null {
  const { transport, content, raw, erasedAt } = event;
  if (erasedAt !== null) return null;
  const bytes = content ?? raw;
  if (transport?.format === 'cloudevents')
    return transport.attributes === null ? onOneLine(bytes) : structured(transport, bytes);
  const headers = headersBeside(event, source);
  if (headers === null) return onOneLine(bytes);
  return Buffer.concat([
    Buffer.from(`{"headers":${JSON.stringify(headers)},"body":`),
    onOneLine(bytes),
    Buffer.from('}'),
  ]);
}

/**
 * What stood in headers, and stands beside the body in the line of the event: `{"headers": …, "body": …}`. Null: the line
 * is the body.
 */
export function headersBeside(
  event: StoredEvent,
  source: WebhookSource | undefined,
): Record<string, string> | null {
  return source && event.transport?.format === 'json' ? headersOf(event, source.format) : null;
}

/** What stood in headers and is known of the event still; null: nothing stands in headers. */
function headersOf(
  { eventId, eventType, createTime }: StoredEvent,
  format: WebhookSource['format'],
): Record<string, string> | null {
  if (format.kind !== 'json') return null;
  if (![format.id, format.type, format.time].some((place) => place !== null && 'header' in place))
    return null;
  const headers: Record<string, string> = {};
  const put = (place: PartPlace | { readonly value: string } | null, value: string): void => {
    if (place !== null && 'header' in place) headers[place.header] = value;
  };
  put(format.id, eventId);
  put(
    format.type,
    eventType.startsWith(format.typePrefix) ? eventType.slice(format.typePrefix.length) : eventType,
  );
  if (createTime !== null) put(format.time, String(createTime.getTime()));
  return headers;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A CloudEvent whose attributes came as headers, in the JSON event format. */
function structured({ attributes, contentType }: CloudEventsTransport, data: Buffer): Buffer {
  const members = Object.entries({
    ...attributes,
    ...(contentType === undefined ? {} : { datacontenttype: contentType }),
  })
    // What the JSON format has a member of that name for already.
    .filter(([name]) => name !== 'data')
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const head = members.join();
  const [name, value] = dataMember(data, contentType);
  return Buffer.concat([
    Buffer.from(`{${head}${name === null ? '' : `${head === '' ? '' : ','}"${name}":`}`),
    value,
    Buffer.from('}'),
  ]);
}

function dataMember(data: Buffer, contentType: string | undefined): readonly [string | null, Buffer] {
  if (data.length === 0) return [null, data];
  let text: string;
  try {
    text = utf8.decode(data);
  } catch {
    return ['data_base64', Buffer.from(JSON.stringify(data.toString('base64')))];
  }
  const mayBeJson = contentType === undefined || /^[^;]*[/+]json\s*(?:;|$)/i.test(contentType);
  if (mayBeJson && isJson(text)) return ['data', onOneLine(data)];
  return ['data', Buffer.from(JSON.stringify(text))];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d]);
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** JSON without the blanks between its tokens. All else stays, byte for byte. */
export function onOneLine(json: Buffer): Buffer {
  const text = json.subarray(0, 3).equals(BOM) ? json.subarray(3) : json;
  const line = Buffer.allocUnsafe(text.length);
  let length = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (!inString && BLANKS.has(byte)) continue;
    line[length] = byte;
    length += 1;
    if (byte === QUOTE) inString = !inString;
    else if (inString && byte === BACKSLASH) {
      at += 1;
      line[length] = text[at] ?? 0;
      length += 1;
    }
  }
  return line.subarray(0, length);
}
