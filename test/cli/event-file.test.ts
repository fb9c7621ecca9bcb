// Real files; no database.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import { readEventFile } from '../../src/cli/event-file.js';
import type { WebhookSource } from '../../src/config/sources.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { factsOf } from '../../src/events/event-facts.js';
import { APP, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';

const catalogue = loadBuiltInCatalogue();
const GITHUB: WebhookSource = {
  name: 'github',
  path: '/webhook/github',
  types: null,
  verification: { kind: 'bearer', secrets: [] },
  format: {
    kind: 'json',
    id: { header: 'x-github-delivery' },
    type: { header: 'x-github-event' },
    typePrefix: 'github.',
    time: null,
    fields: [],
  },
};

async function read(
  content: string,
  source: WebhookSource | null = null,
  key: string | undefined = APP.encryptKey,
): Promise<unknown[] | string> {
  const file = join(temporaryFolder('event-file'), 'event.json');
  writeFileSync(file, content);
  const events = await readEventFile(file, catalogue, key, source);
  return typeof events === 'string'
    ? events.replace(file, 'the file')
    : events.map((event) => [
        event.origin,
        event.eventId,
        event.eventType,
        event.source,
        factsOf(event).get('status'),
      ]);
}

describe('an event file', () => {
  const envelope = envelopeOf(approverEvent({ status: 3 }), { event_id: 'e1' });
  const expected = [`feishu:${APP.id}`, 'e1', 'corehr.process.approver.updated_v2', 'feishu-webhook', 3];

  it('holds the body of a push, plain or encrypted, or a list of them', async () => {
    expect(await read(`\uFEFF${envelope}`)).toEqual([expected]);
    expect(await read(pushOf(envelope).body)).toEqual([expected]);
    expect(await read(`[${envelope}, ${envelope}]`)).toEqual([expected, expected]);
  });

  it('holds a structured CloudEvent, of whomever', async () => {
    const cloud = new CloudEvent({ id: '1', source: '/s', type: 'corehr.a', data: { status: 2 } });
    expect(await read(cloud.toString())).toEqual([['cloudevents', '/s 1', 'corehr.a', 'webhook', 2]]);
  });

  it('holds a body of a declared source, with its headers where they are needed', async () => {
    const headers = '{"X-GitHub-Delivery": "d1", "X-GitHub-Event": "push"}';
    expect(await read(`{"headers": ${headers}, "body": {"status": 5}}`, GITHUB)).toEqual([
      ['github', 'd1', 'github.push', 'webhook', 5],
    ]);
    expect(await read('{"status": 5}', GITHUB)).toContain('write {"headers": {…}, "body": {…}} with both');
    expect(await read(`{"headers": ${headers}, "body": {}, "more": 1}`, GITHUB)).toContain('with both');
    const deep = `{"headers": ${headers}, "body": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(await read(deep, GITHUB)).toContain('with both');
  });

  it.each<[string, string, string | undefined]>([
    ['{', 'the file is no JSON: ', undefined],
    ['"text"', 'the file holds no event: it is not a JSON object', undefined],
    ['{"event": {}}', 'the file holds no event: uuid is missing', undefined],
    [
      '{"specversion": "0.3"}',
      'the file holds no event: the attribute "specversion" is not "1.0"',
      undefined,
    ],
    ['{"encrypt": "AAAA"}', 'the file holds no event: it cannot be decrypted', APP.encryptKey],
  ])('%s holds none', async (content, sentence, key) => {
    expect(await read(content, null, key)).toContain(sentence);
  });

  it('that is encrypted needs a key', async () => {
    const file = join(temporaryFolder('event-file'), 'event.json');
    writeFileSync(file, pushOf(envelope).body);
    expect(await readEventFile(file, catalogue, undefined)).toContain(
      'no Encrypt Key is set: see FEISHU_ENCRYPT_KEY',
    );
  });
});
