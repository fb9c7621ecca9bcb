import type { CloudEventsTransport } from '../events/cloud-event.js';
import { headerText, invalidBody, type Refusal, type RequestHeaders } from './verified.js';

/** The body holds all. */
export const STRUCTURED: CloudEventsTransport = { format: 'cloudevents', attributes: null };

/**
 * What comes beside the body of a CloudEvent over HTTP (CloudEvents 1.0.2, HTTP protocol binding 3): nothing when the
 * body holds all (structured mode), else the attributes that are headers (binary mode). Those can be taken only where
 * the sender's proof covers headers.
 */
export function cloudEventTransport(
  headers: RequestHeaders,
  coversHeaders: boolean,
): CloudEventsTransport | Refusal {
  const given = headers['content-type'];
  const contentType = typeof given === 'string' && given.trim() !== '' ? given.trim() : undefined;
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType.startsWith('application/cloudevents-batch')) {
    return unsupported(
      'CLOUDEVENTS_BATCH',
      'Batches of CloudEvents are not taken: send each event by itself.',
    );
  }
  if (mediaType.startsWith('application/cloudevents')) {
    return ['application/cloudevents', 'application/cloudevents+json'].includes(mediaType)
      ? STRUCTURED
      : unsupported(
          'MEDIA_TYPE_UNKNOWN',
          'Of the formats of CloudEvents only application/cloudevents+json is taken.',
        );
  }
  // Many senders of structured events name plain JSON as their type. Without attributes as headers it can be nothing else.
  const names = Object.keys(headers).filter((name) => name.startsWith('ce-'));
  if (!names.some((name) => name === 'ce-id' || name === 'ce-specversion')) return STRUCTURED;
  if (!coversHeaders) {
    return {
      kind: 'refused',
      status: 400,
      code: 'ATTRIBUTES_NOT_SIGNED',
      detail:
        'The attributes are headers (binary mode), and the signature covers the body alone: send application/cloudevents+json, or let this source verify a bearer token.',
    };
  }
  const attributes: Record<string, string> = {};
  for (const name of names) {
    const attribute = name.slice(3);
    if (!/^[a-z0-9]+$/.test(attribute) || attribute === 'datacontenttype') continue;
    const value = attributeValue(headerText(headers, name));
    if (value === null)
      return invalidBody(`the header of the attribute "${attribute.slice(0, 40)}" is not UTF-8`);
    attributes[attribute] = value;
  }
  return { format: 'cloudevents', attributes, ...(contentType === undefined ? {} : { contentType }) };
}

function unsupported(code: string, detail: string): Refusal {
  return { kind: 'refused', status: 415, code, detail };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Quotes of older versions of the specification, then percent-encoded UTF-8. A `%` that encodes nothing is one. */
function attributeValue(header: string | null): string | null {
  if (header === null) return null;
  const plain = /^"(.*)"$/s.exec(header)?.[1]?.replace(/\\(.)/gs, '$1') ?? header;
  try {
    return plain.replace(/(?:%[0-9a-fA-F]{2})+/g, (encoded) =>
      utf8.decode(Buffer.from(encoded.replaceAll('%', ''), 'hex')),
    );
  } catch {
    return null;
  }
}
