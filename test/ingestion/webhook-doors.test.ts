// Pure: which name leads where.
import { describe, expect, it } from '@jest/globals';
import type { FeishuApp } from '../../src/config/sources.js';
import { Catalogue, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { type WebhookDoor, WebhookDoors } from '../../src/ingestion/webhook-doors.js';
import { APP, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';

const builtIn = loadBuiltInCatalogue();
const app = (name: string, changes: Partial<FeishuApp> = {}): FeishuApp => ({
  name,
  path: name === 'default' ? '/webhook/event' : `/webhook/feishu/${name}`,
  mode: 'webhook',
  domain: 'https://open.feishu.cn',
  appId: undefined,
  appSecret: undefined,
  encryptKey: undefined,
  verificationToken: undefined,
  signatureMaxAge: null,
  ...changes,
});
const doorsOf = (...feishuApps: FeishuApp[]): WebhookDoors =>
  new WebhookDoors({ feishuApps, webhookSources: [] }, { current: new Catalogue([]) }, builtIn);

function answerOf(door: WebhookDoor): string {
  const { body, headers } = pushOf(envelopeOf(approverEvent()));
  const verified = door.verify(headers, Buffer.from(body), Date.now());
  return verified.kind === 'refused' ? `${verified.code}: ${verified.detail}` : verified.kind;
}

describe('the doors', () => {
  it('of Feishu apps are found by name, each with its own secrets', () => {
    const { encryptKey, token: verificationToken } = APP;
    const doors = doorsOf(
      app('default', { encryptKey: 'another' }),
      app('hr', { encryptKey, verificationToken }),
      app('both', { encryptKey, mode: 'both', appId: APP.id }),
      app('other-app', { encryptKey, verificationToken, appId: 'cli_other' }),
    );
    expect(
      ['hr', 'both', 'default', 'other-app'].map((name) => answerOf(doors.feishu(name)).slice(0, 13)),
    ).toEqual(['event', 'event', 'NOT_AUTHENTIC', 'NOT_AUTHENTIC']);
    expect(doors.feishu('hr')).toMatchObject({ kind: 'feishu-webhook', path: '/webhook/feishu/hr' });
  });

  it('of an app with a long connection alone are closed, and say what to set', () => {
    const doors = doorsOf(
      app('default', { encryptKey: APP.encryptKey, mode: 'long-connection' }),
      app('hr', { encryptKey: APP.encryptKey, mode: 'long-connection' }),
    );
    expect(answerOf(doors.feishu('default'))).toBe(
      'SOURCE_NOT_CONFIGURED: This app takes its events over the long connection alone: set FEISHU_MODE to webhook or both.',
    );
    expect(answerOf(doors.feishu('hr'))).toContain('"mode" of the app in SOURCES_FILE');
  });

  it('of an app without key and token are closed, and say what to set', () => {
    const doors = doorsOf(app('default'), app('sender', { appId: 'cli_a', appSecret: 's' }));
    expect(answerOf(doors.feishu('default'))).toContain(
      'set FEISHU_ENCRYPT_KEY or FEISHU_VERIFICATION_TOKEN',
    );
    expect(answerOf(doors.feishu('sender'))).toContain('"encryptKey" or "verificationToken" in SOURCES_FILE');
  });

  it.each(['nobody', '__proto__', 'constructor', '', 'HR'])('of %j are closed', (name) => {
    const doors = doorsOf(app('hr', { encryptKey: APP.encryptKey }));
    for (const door of [doors.feishu(name), doors.source(name)]) {
      expect(door.path).toBeNull();
      expect(answerOf(door)).toMatch(/^SOURCE_NOT_CONFIGURED: No .* of this name is declared here/);
    }
  });
});
