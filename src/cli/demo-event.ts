import { randomInt } from 'node:crypto';
import type { CatalogueEntry } from '../events/catalogue.js';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../ingestion/feishu-crypto.js';
import { eventEnvelope } from './fake-feishu/envelope.js';

/** The Feishu app that the demo plays. */
export interface DemoApp {
  readonly appId: string;
  readonly encryptKey: string;
  readonly verificationToken: string;
}

export interface SignedPush {
  readonly eventId: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The catalogue's sample event with some fields changed, encrypted and signed as Feishu does (feishu-events 1.2 to 1.5). */
export function signedPush(
  app: DemoApp,
  entry: CatalogueEntry,
  changes: Record<string, unknown>,
  now: number,
): SignedPush {
  const { appId, verificationToken: token } = app;
  const envelope = eventEnvelope({
    appId,
    header: { event_type: entry.eventType, create_time: String(now), token },
    event: { ...entry.sample, ...changes },
  });
  const body = JSON.stringify({
    encrypt: encryptFeishu(feishuAesKey(app.encryptKey), JSON.stringify(envelope)),
  });
  const timestamp = String(Math.floor(now / 1000));
  const nonce = String(randomInt(100_000_000, 1_000_000_000));
  return {
    eventId: envelope.header.event_id,
    fields: envelope.event,
    body,
    headers: {
      'content-type': 'application/json;charset=utf-8',
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': nonce,
      'x-lark-signature': feishuSignature(timestamp, nonce, app.encryptKey, Buffer.from(body)),
    },
  };
}
