import { randomBytes } from 'node:crypto';
import { type Catalogue, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { readEnvelope } from '../../src/events/envelope.js';
import type { IncomingEvent } from '../../src/events/event.js';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../../src/ingestion/feishu-crypto.js';
import { FeishuEvents, parseBody } from '../../src/ingestion/feishu-event.js';

/** The app that tests play: as the settings take it, and as Feishu knows it. */
export const APP = {
  id: 'cli_9f5343c580712544',
  encryptKey: 'test-encrypt-key',
  token: 'test-verification-token',
} as const;
export const APP_SETTINGS = {
  FEISHU_APP_ID: APP.id,
  FEISHU_ENCRYPT_KEY: APP.encryptKey,
  FEISHU_VERIFICATION_TOKEN: APP.token,
} as const;

const SAMPLE = loadBuiltInCatalogue().find('corehr.process.approver.updated_v2')?.sample;

export interface Push {
  readonly eventId: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A v2 envelope around `event`, as JSON. */
export function envelopeOf(event: Record<string, unknown>, header: Record<string, unknown> = {}): string {
  return JSON.stringify({
    schema: '2.0',
    header: {
      event_id: randomBytes(16).toString('hex'),
      event_type: 'corehr.process.approver.updated_v2',
      create_time: String(Date.now()),
      token: APP.token,
      app_id: APP.id,
      tenant_key: '2ca1d211f64f6438',
      ...header,
    },
    event,
  });
}

/** Any bytes, encrypted and signed as Feishu does. */
export function pushOf(plaintext: string, now: number = Date.now()): Omit<Push, 'eventId'> {
  const body = JSON.stringify({ encrypt: encryptFeishu(feishuAesKey(APP.encryptKey), plaintext) });
  return { body, headers: signedHeaders(body, now) };
}

export function signedHeaders(body: string | Buffer, now: number = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  return {
    'content-type': 'application/json;charset=utf-8',
    'x-lark-request-timestamp': timestamp,
    'x-lark-request-nonce': '123456789',
    'x-lark-signature': feishuSignature(timestamp, '123456789', APP.encryptKey, Buffer.from(body)),
  };
}

/** One approver's task changed status: the catalogue's sample with some fields changed. */
export function approverEvent(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...SAMPLE, ...changes };
}

export function pushOfApprover(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Push {
  const eventId = randomBytes(16).toString('hex');
  return { eventId, ...pushOf(envelopeOf(approverEvent(changes), { event_id: eventId, ...header })) };
}

/** The same as the store takes it: made by what makes it of a push. `createTime` in ms. */
export function incomingApprover(
  catalogue: Catalogue,
  eventId: string,
  createTime: number,
  changes: Record<string, unknown> = {},
  appId: string = APP.id,
): IncomingEvent {
  const eventType = 'corehr.process.approver.updated_v2';
  return incomingOf(catalogue, eventType, eventId, createTime, approverEvent(changes), appId);
}

/** An event of any type of Feishu's with these fields, likewise. */
export function incomingOf(
  catalogue: Catalogue,
  eventType: string,
  eventId: string,
  createTime: number,
  event: Record<string, unknown>,
  appId: string = APP.id,
): IncomingEvent {
  const header = {
    event_id: eventId,
    event_type: eventType,
    create_time: String(createTime),
    app_id: appId,
  };
  const raw = Buffer.from(envelopeOf(event, header));
  const envelope = readEnvelope(parseBody(raw));
  if (typeof envelope === 'string') throw new Error(envelope);
  const app = { appId, verificationToken: APP.token };
  return new FeishuEvents(app, { current: catalogue }).of(envelope, 'feishu-webhook', raw, null);
}
