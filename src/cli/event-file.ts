import { readFile } from 'node:fs/promises';
import type { Catalogue } from '../events/catalogue.js';
import { readEnvelope } from '../events/envelope.js';
import type { StoredEvent } from '../events/event-store.js';
import { parseLossless } from '../events/lossless-json.js';
import { isObject, own } from '../events/own-member.js';
import { decryptFeishu, feishuAesKey } from '../ingestion/feishu-crypto.js';

const MAX_BYTES = 5 * 1024 * 1024;

/**
 * An event from a file, or from standard input for `-`: the body of a push as Feishu sends it, plain or encrypted.
 * A list of them is one event each. Answers a sentence when there is none.
 */
export async function readEventFile(
  file: string,
  catalogue: Catalogue,
  encryptKey: string | undefined,
): Promise<readonly StoredEvent[] | string> {
  let text: string;
  try {
    text = file === '-' ? await readStandardInput() : await readFile(file, 'utf8');
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (text.length > MAX_BYTES) return `${file} is larger than ${MAX_BYTES} bytes`;
  let body: unknown;
  try {
    body = parseLossless(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const events: StoredEvent[] = [];
  for (const one of Array.isArray(body) ? (body as unknown[]) : [body]) {
    const event = eventOf(one, catalogue, encryptKey);
    if (typeof event === 'string') return `${file} holds no event: ${event}`;
    events.push(event);
  }
  return events;
}

async function readStandardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function eventOf(body: unknown, catalogue: Catalogue, encryptKey: string | undefined): StoredEvent | string {
  const encrypted = isObject(body) ? own(body, 'encrypt') : undefined;
  if (typeof encrypted === 'string') {
    if (encryptKey === undefined) return 'it is encrypted, and FEISHU_ENCRYPT_KEY is not set';
    const plain = decryptFeishu(feishuAesKey(encryptKey), encrypted);
    if (!plain) return 'it cannot be decrypted with FEISHU_ENCRYPT_KEY';
    return eventOf(parseLossless(plain.toString('utf8')), catalogue, undefined);
  }
  const envelope = readEnvelope(body);
  if (typeof envelope === 'string') return envelope;
  const { eventId, eventType, createTime, appId, fields } = envelope;
  return {
    id: '',
    receivedAt: new Date(),
    origin: `feishu:${appId ?? ''}`,
    eventId,
    eventType,
    source: 'feishu-webhook',
    createTime: createTime === null ? null : new Date(createTime),
    rootEntity: catalogue.rootEntityOf(eventType, fields),
    raw: Buffer.from(JSON.stringify(body)),
    content: null,
    transport: null,
  };
}
