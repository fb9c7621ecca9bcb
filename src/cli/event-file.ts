import { readFile } from 'node:fs/promises';
import type { WebhookSource } from '../config/sources.js';
import { Catalogue } from '../events/catalogue.js';
import type { IncomingEvent } from '../events/event.js';
import type { StoredEvent } from '../events/event-store.js';
import { parseLossless } from '../events/lossless-json.js';
import { BodyReader } from '../ingestion/body-reader.js';
import { readStandardInput } from './standard-input.js';

/** For CloudEvents of which it is not said whose they are: nothing of them is stored. */
export const ANY_CLOUD_EVENT: WebhookSource = {
  name: 'cloudevents',
  path: '',
  types: ['*'],
  verification: { kind: 'bearer', secrets: [] },
  format: { kind: 'cloudevents' },
};
const NO_TYPES = new Catalogue([]);
const MAX_BYTES = 5 * 1024 * 1024;

/**
 * An event from a file, or from standard input for `-`: the body of a push as Feishu sends it, plain or encrypted, a
 * structured CloudEvent, or a body of the given source. A list of them is one event each. Answers a sentence when there
 * is none.
 */
export async function readEventFile(
  file: string,
  catalogue: Catalogue,
  encryptKey: string | undefined,
  source: WebhookSource | null = null,
): Promise<readonly StoredEvent[] | string> {
  let text: string;
  try {
    text = file === '-' ? await readStandardInput() : await readFile(file, 'utf8');
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (text.length > MAX_BYTES) return `${file} is larger than ${MAX_BYTES} bytes`;
  let bodies: readonly string[];
  try {
    const plain = text.replace(/^\uFEFF/, '');
    const body = parseLossless(plain);
    bodies = Array.isArray(body) ? body.map((one) => JSON.stringify(one)) : [plain];
  } catch (error) {
    return `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const events: StoredEvent[] = [];
  const reader = new BodyReader(
    {
      source,
      cloudEvents: [ANY_CLOUD_EVENT],
      apps: [{ encryptKey }],
      onlyApp: null,
      defaultApp: 'unknown',
      kind: null,
    },
    { current: catalogue },
    NO_TYPES,
  );
  for (const body of bodies) {
    const event = reader.read(Buffer.from(body));
    if (typeof event === 'string') return `${file} holds no event: ${event}`;
    events.push(storedOf(event));
  }
  return events;
}

function storedOf(event: IncomingEvent): StoredEvent {
  const { createTime, ...rest } = event;
  return {
    ...rest,
    id: '',
    receivedAt: new Date(),
    createTime: createTime === null ? null : new Date(createTime),
    erasedAt: null,
  };
}
