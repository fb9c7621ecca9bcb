// Real files; no network, no database.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Config, loadConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config.errors.js';
import { temporaryFolder } from '../support/folder.js';

const SECRETS = {
  SECRET_ONE: 'first-secret',
  SECRET_TWO: 'second-secret',
  SECRET_EMPTY: '',
  SECRET_STANDARD: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  SECRET_BROKEN: 'whsec_no base64!',
  SECRET_SHORT: 'whsec_AAAA',
  SECRET_PUBLIC: 'whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
};
const file = join(temporaryFolder('sources'), 'sources.json');

function load(content: unknown, settings: NodeJS.ProcessEnv = {}): Config {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ ...SECRETS, SOURCES_FILE: file, ...settings });
}

/** What is said of a file, without the words that all problems begin with. */
function problemsOf(content: unknown, settings?: NodeJS.ProcessEnv): string[] {
  try {
    load(content, settings);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map((problem) => problem.replace(`SOURCES_FILE "${file}" `, ''));
    throw error;
  }
  return [];
}

const bearer = { type: 'bearer', secret: '{{ secrets.ONE }}' };
const source = (changes: object): object => ({
  sources: {
    crm: { format: 'json', verify: bearer, id: { path: 'id' }, type: { path: 'kind' }, ...changes },
  },
});

describe('the sources file', () => {
  it('declares apps, each with its path and the defaults of the settings', () => {
    const { feishuApps } = load({
      apps: {
        hr: { appId: 'cli_a', encryptKey: '{{ secrets.ONE }}' },
        'it-2': {
          appId: 'cli_0123456789abcdef',
          appSecret: '{{secrets.TWO}}',
          verificationToken: '{{ secrets.ONE }}',
          mode: 'both',
          domain: 'https://open.larksuite.com/',
          signatureMaxAge: 'off',
        },
      },
    });
    expect(feishuApps.map(({ name }) => name)).toEqual(['default', 'hr', 'it-2']);
    expect(feishuApps.slice(1)).toEqual([
      {
        name: 'hr',
        path: '/webhook/feishu/hr',
        mode: 'webhook',
        domain: 'https://open.feishu.cn',
        appId: 'cli_a',
        appSecret: undefined,
        encryptKey: 'first-secret',
        verificationToken: undefined,
        signatureMaxAge: 86_400_000,
      },
      {
        name: 'it-2',
        path: '/webhook/feishu/it-2',
        mode: 'both',
        domain: 'https://open.larksuite.com',
        appId: 'cli_0123456789abcdef',
        appSecret: 'second-secret',
        encryptKey: undefined,
        verificationToken: 'first-secret',
        signatureMaxAge: null,
      },
    ]);
  });

  it('declares other systems, with the defaults of GitHub and of Standard Webhooks', () => {
    const { webhookSources } = load({
      sources: {
        github: {
          format: 'json',
          verify: { type: 'hmac', secret: ['{{ secrets.ONE }}', '{{ secrets.TWO }}'] },
          id: { header: 'X-GitHub-Delivery' },
          type: { header: 'X-GitHub-Event' },
          typePrefix: 'github.',
          types: ['github.push', 'github.pull*'],
        },
        svix: { format: 'json', verify: { type: 'standard-webhooks', secret: '{{ secrets.STANDARD }}' } },
        crm: {
          format: 'json',
          verify: {
            type: 'hmac',
            secret: '{{ secrets.ONE }}',
            header: 'X-Sign',
            algorithm: 'sha512',
            encoding: 'base64',
          },
          id: { path: 'meta.event-id' },
          type: { value: 'crm.changed' },
          time: { path: 'meta.at' },
          fields: 'data.object',
        },
        mesh: { format: 'cloudevents', verify: bearer },
      },
    });
    expect(webhookSources).toEqual([
      {
        name: 'github',
        path: '/webhook/github',
        types: ['github.push', 'github.pull*'],
        verification: {
          kind: 'hmac',
          secrets: ['first-secret', 'second-secret'],
          header: 'x-hub-signature-256',
          algorithm: 'sha256',
          encoding: 'hex',
          prefix: 'sha256=',
        },
        format: {
          kind: 'json',
          id: { header: 'x-github-delivery' },
          type: { header: 'x-github-event' },
          typePrefix: 'github.',
          time: null,
          fields: [],
        },
      },
      {
        name: 'svix',
        path: '/webhook/svix',
        types: null,
        verification: { kind: 'standard-webhooks', secrets: [SECRETS.SECRET_STANDARD], maxAge: 300_000 },
        format: {
          kind: 'json',
          id: { header: 'webhook-id' },
          type: { path: ['type'] },
          typePrefix: '',
          time: { path: ['timestamp'] },
          fields: [],
        },
      },
      {
        name: 'crm',
        path: '/webhook/crm',
        types: null,
        verification: {
          kind: 'hmac',
          secrets: ['first-secret'],
          header: 'x-sign',
          algorithm: 'sha512',
          encoding: 'base64',
          prefix: '',
        },
        format: {
          kind: 'json',
          id: { path: ['meta', 'event-id'] },
          type: { value: 'crm.changed' },
          typePrefix: '',
          time: { path: ['meta', 'at'] },
          fields: ['data', 'object'],
        },
      },
      {
        name: 'mesh',
        path: '/webhook/mesh',
        types: null,
        verification: { kind: 'bearer', secrets: ['first-secret'] },
        format: { kind: 'cloudevents' },
      },
    ]);
  });

  it('may hold secrets in files, a byte order mark, and nothing at all', () => {
    const folder = temporaryFolder('secrets');
    writeFileSync(join(folder, 'FROM_FILE'), 'in a file\n');
    const { feishuApps } = load(
      `\uFEFF{"apps": {"hr": {"appId": "cli_a", "encryptKey": "{{ secrets.FROM_FILE }}"}}}`,
      { SECRETS_DIR: folder },
    );
    expect(feishuApps[1]?.encryptKey).toBe('in a file');
    expect(load({})).toMatchObject({ feishuApps: [{ name: 'default' }], webhookSources: [] });
    expect(loadConfig({})).toMatchObject({ feishuApps: [{ name: 'default' }], webhookSources: [] });
  });
});

describe('what is wrong in the sources file', () => {
  const app = (changes: object): object => ({ apps: { hr: { appId: 'cli_a', ...changes } } });
  const verify = (changes: object): object => source({ verify: changes });

  it.each<[string, unknown, string]>([
    ['no JSON', '{\n  "apps": {,\n}', 'is not JSON: look at line 2, column 12'],
    ['an empty file', '', 'is not JSON: look at line 1, column 1'],
    ['a comment', '{ // apps\n}', 'is not JSON: look at line 1, column 3'],
    ['a list', [], 'is a list; it must be an object'],
    [
      'a key twice',
      '{"apps": {"hr": {"appId": "cli_a"},\n "hr": {"appId": "cli_b"}}}',
      'has the key "hr" a second time at line 2, column 2: remove or rename one of the two',
    ],
    ['an unknown key', { app: {} }, 'has "app", which is not known here; known are apps, sources'],
    ['an app that is no object', { apps: { hr: 'cli_a' } }, 'apps.hr is a text; it must be an object'],
    ['no app id', { apps: { hr: {} } }, 'apps.hr.appId is missing'],
    ['a wrong app id', { apps: { hr: { appId: 'a' } } }, 'apps.hr.appId must look like cli_9f5343c580712544'],
    [
      'a name with upper case',
      { apps: { HR: { appId: 'cli_a' } } },
      'apps.HR must be named with 1 to 63 of a-z 0-9 - and not begin with -',
    ],
    [
      'an app named as that of the settings',
      { apps: { default: { appId: 'cli_a' } } },
      'apps.default must have another name: "default" is the app of the settings FEISHU_…',
    ],
    [
      'a source at the path of Feishu',
      { sources: { event: { format: 'cloudevents', verify: bearer } } },
      'sources.event must have another name: /webhook/event and /webhook/feishu are for Feishu apps',
    ],
    [
      'a key of an app misspelt',
      app({ encryptkey: '{{ secrets.ONE }}' }),
      'apps.hr has "encryptkey", which is not known here; known are appId, appSecret, encryptKey, verificationToken, mode, domain, signatureMaxAge',
    ],
    [
      'a secret as such',
      app({ encryptKey: 'hunter2' }),
      'apps.hr.encryptKey must be "{{ secrets.NAME }}": the secret itself does not belong in this file',
    ],
    [
      'a secret that is a number',
      app({ appSecret: 5 }),
      'apps.hr.appSecret must be a text like "{{ secrets.NAME }}"',
    ],
    [
      'a secret that is not set',
      app({ appSecret: '{{ secrets.NONE }}' }),
      'apps.hr.appSecret needs the secret NONE: set SECRET_NONE, or put a file NONE into SECRETS_DIR',
    ],
    [
      'a secret that is empty',
      app({ appSecret: '{{ secrets.EMPTY }}' }),
      'apps.hr.appSecret needs the secret EMPTY: set SECRET_EMPTY, or put a file EMPTY into SECRETS_DIR',
    ],
    [
      'an unknown mode',
      app({ mode: 'websocket' }),
      'apps.hr.mode is "websocket"; use webhook, long-connection or both',
    ],
    [
      'a platform with a path',
      app({ domain: 'https://u:hunter2@open.feishu.cn/open-apis' }),
      'apps.hr.domain must be an address like https://open.feishu.cn: no path, no user, no password',
    ],
    [
      'a duration without a unit',
      app({ signatureMaxAge: '24' }),
      'apps.hr.signatureMaxAge is "24"; use a duration of at least 1s like 24h, or off',
    ],
    [
      'a number for a duration',
      app({ signatureMaxAge: 24 }),
      'apps.hr.signatureMaxAge is a number; it must be a text',
    ],
    [
      'no format',
      { sources: { crm: { verify: bearer } } },
      'sources.crm.format is missing; use cloudevents or json',
    ],
    ['an unknown format', source({ format: 'xml' }), 'sources.crm.format is "xml"; use cloudevents or json'],
    ['no verification', source({ verify: undefined }), 'sources.crm.verify is missing'],
    [
      'a verification without a type',
      verify({ secret: '{{ secrets.ONE }}' }),
      'sources.crm.verify.type is missing; use standard-webhooks, hmac or bearer',
    ],
    [
      'an unknown verification',
      verify({ type: 'basic' }),
      'sources.crm.verify.type is "basic"; use standard-webhooks, hmac or bearer',
    ],
    ['no secret', verify({ type: 'bearer' }), 'sources.crm.verify.secret is missing'],
    [
      'a secret as such among several',
      verify({ type: 'bearer', secret: ['{{ secrets.ONE }}', 'hunter2'] }),
      'sources.crm.verify.secret must be "{{ secrets.NAME }}": the secret itself does not belong in this file',
    ],
    [
      'no secret in the list',
      verify({ type: 'bearer', secret: [] }),
      'sources.crm.verify.secret has 0 secrets; use 1 to 4',
    ],
    [
      'a broken secret of Standard Webhooks',
      verify({ type: 'standard-webhooks', secret: '{{ secrets.BROKEN }}' }),
      'sources.crm.verify.secret names a secret with something else than base64 behind whsec_',
    ],
    [
      'a secret of Standard Webhooks that anybody could guess',
      verify({ type: 'standard-webhooks', secret: '{{ secrets.SHORT }}' }),
      'sources.crm.verify.secret names a secret of 3 bytes; use one of at least 16',
    ],
    [
      'an asymmetric key',
      verify({ type: 'standard-webhooks', secret: '{{ secrets.PUBLIC }}' }),
      'sources.crm.verify.secret names an asymmetric key (whpk_, whsk_), which this version does not check; use one of whsec_',
    ],
    [
      'a weak hash',
      verify({ type: 'hmac', secret: '{{ secrets.ONE }}', algorithm: 'sha1' }),
      'sources.crm.verify.algorithm is "sha1"; use sha256, sha384 or sha512',
    ],
    [
      'no header name',
      verify({ type: 'hmac', secret: '{{ secrets.ONE }}', header: 'x sign' }),
      'sources.crm.verify.header must be the name of a header, like x-event-id',
    ],
    [
      'a place that is a text',
      source({ id: 'id' }),
      'sources.crm.id must be {"header": "x-event-id"} or {"path": "data.id"}',
    ],
    [
      'a place that is two places',
      source({ id: { header: 'x-id', path: 'id' } }),
      'sources.crm.id must be {"header": "x-event-id"} or {"path": "data.id"}, one of them',
    ],
    [
      'a place that is none',
      source({ time: {} }),
      'sources.crm.time must be {"header": "x-event-id"} or {"path": "data.id"}, one of them',
    ],
    [
      'a path with a wildcard',
      source({ id: { path: '$..id' } }),
      'sources.crm.id.path must be a plain path of up to 8 names, like data.id',
    ],
    [
      'a type that is no event type',
      source({ type: { value: 'order paid' } }),
      'sources.crm.type.value must be 1 to 128 characters of A-Z a-z 0-9 _ . : -',
    ],
    [
      'no type',
      source({ type: undefined }),
      'sources.crm.type is missing: say where the event type stands, or which it is: {"value": "order.paid"}',
    ],
    [
      'no id',
      source({ id: undefined }),
      'sources.crm.id is missing: say where the sender\'s id of the event stands, like {"path": "id"}',
    ],
    ['no types', source({ types: [] }), 'sources.crm.types is empty; name event types, or leave it out'],
    [
      'a type that is no pattern',
      source({ types: ['a b'] }),
      'sources.crm.types.0 must be an event type, or a pattern like com.example.*',
    ],
    [
      'a place of a CloudEvent',
      { sources: { mesh: { format: 'cloudevents', verify: bearer, id: { path: 'id' } } } },
      'sources.mesh has "id", which is not known here; known are verify, format, types',
    ],
  ])('%s', (_, content, sentence) => {
    const problems = problemsOf(content);
    expect(problems).toEqual([sentence]);
    expect(problems.join()).not.toContain('hunter2');
    expect(problems.join()).not.toMatch(/first-secret|whsec_no/);
  });

  it('is told all at once', () => {
    expect(
      problemsOf({
        apps: { hr: { appId: 'x', mode: 'y' } },
        sources: { a: { format: 'json', verify: bearer }, B: {}, c: { format: 'cloudevents' } },
      }).map((problem) => problem.split(' ')[0]),
    ).toEqual(['apps.hr.appId', 'apps.hr.mode', 'sources.B', 'sources.c.verify']);
  });

  it('is an app id twice, and what a long connection needs', () => {
    const of = (settings: NodeJS.ProcessEnv, content: unknown): string[] => problemsOf(content, settings);
    expect(of({ FEISHU_APP_ID: 'cli_a' }, app({}))).toEqual([
      'SOURCES_FILE apps.hr.appId is "cli_a", which the app "default" has already: name each app once',
    ]);
    expect(of({}, app({ mode: 'both' }))).toEqual([
      'SOURCES_FILE apps.hr.appId is "cli_a": a long connection needs cli_ and 16 of 0-9 a-f, like cli_9f5343c580712544',
      'SOURCES_FILE apps.hr.appSecret is missing: a long connection needs it',
    ]);
    expect(of({ FEISHU_MODE: 'long-connection' }, {})).toEqual([
      'FEISHU_APP_ID is missing: a long connection needs cli_ and 16 of 0-9 a-f, like cli_9f5343c580712544',
      'FEISHU_APP_SECRET is missing: a long connection needs it',
    ]);
  });

  it('is a file that is not there or cannot be read', () => {
    const missing = join(temporaryFolder('none'), 'none.json');
    expect(problemsOf({}, { SOURCES_FILE: missing })).toEqual(['SOURCES_FILE must name an existing file']);
  });
});
