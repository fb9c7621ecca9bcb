// Pure: no HTTP, no database.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { FeishuWebhook } from '../../src/ingestion/feishu-webhook.js';

const webhookWith = (verificationToken: string): FeishuWebhook =>
  new FeishuWebhook(
    { appId: undefined, encryptKey: undefined, verificationToken, signatureMaxAge: null },
    { current: loadBuiltInCatalogue() },
  );

describe('what is stored of a body', () => {
  it.each(['t', 'renewal_record', 'tok"en\\', 'event', '令牌'])(
    'lacks the token %j where it is the token, and nothing else',
    (token) => {
      const text = (shown: string): string =>
        `{"schema":"2.0","header":{"event_id":"e1","event_type":"a.b","token" : ${shown}},"event":{"biz_type":${JSON.stringify(token)},"t":["t",${JSON.stringify(token)}]}}`;
      const body = Buffer.from(text(JSON.stringify(token)));
      const verified = webhookWith(token).verify({}, body, 0);
      if (verified.kind !== 'event') throw new Error(verified.kind);
      const stars = '*'.repeat(Buffer.byteLength(JSON.stringify(token)) - 2);
      expect(verified.event.raw.toString('utf8')).toBe(text(`"${stars}"`));
      expect(body.toString('utf8')).toBe(text(JSON.stringify(token)));
    },
  );
});
