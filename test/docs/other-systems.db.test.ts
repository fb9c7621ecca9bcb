// docs/sources/other-systems.md: its files are loaded, and its commands are run, against a real service.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Sources } from '../../src/config/sources.js';
import { readSources } from '../../src/config/sources.js';
import { CATALOGUE_ENTRY, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { factsOf } from '../../src/events/event-facts.js';
import { EventStore, type StoredEvent } from '../../src/events/event-store.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { CommandProcess } from '../support/command.js';
import { Door } from '../support/door.js';
import { put, temporaryFolder } from '../support/folder.js';

const page = readFileSync('docs/sources/other-systems.md', 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);
const documents = blocks('json').map((text) => ({ text, json: JSON.parse(text) as Record<string, unknown> }));
const sourceFiles = documents.filter(({ json }) => 'sources' in json);
const catalogueFile = documents.find(({ json }) => 'eventType' in json);
const ruleFile = documents.find(({ json }) => 'trigger' in json);
const secrets = {
  GITHUB: "It's a secret",
  BILLING: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  MESH: 'mesh-token',
  CRM: 'crm-token',
  CRM_OLD: 'crm-token-of-last-year',
  SUBSIDIARY_KEY: 'key',
  SUBSIDIARY_TOKEN: 'token',
};

const environment = Object.fromEntries(
  Object.entries(secrets).map(([name, value]) => [`SECRET_${name}`, value]),
);

function load(text: string): Sources {
  const file = join(temporaryFolder('page'), 'sources.json');
  writeFileSync(file, text);
  const problems: string[] = [];
  const sources = readSources(file, new Map(Object.entries(secrets)), problems);
  expect(problems).toEqual([]);
  return sources;
}

describe('the files of the page', () => {
  it('are all of a known kind', () => {
    expect(sourceFiles).toHaveLength(5);
    expect(documents).toHaveLength(sourceFiles.length + 2);
  });

  it.each(sourceFiles.map(({ json, text }) => [Object.keys(json['sources'] as object).join(), text]))(
    'SOURCES_FILE with %s loads',
    (names, text) => {
      expect(load(text).webhooks.map(({ path }) => path)).toEqual([`/webhook/${names}`]);
    },
  );

  it('in rules/ are without a finding', async () => {
    const files = new Map([
      ['catalogue/invoice-updated.event.json', catalogueFile?.text ?? ''],
      ['billing/invoice-paid.rule.json', ruleFile?.text ?? ''],
    ]);
    const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
    expect(findings).toEqual([]);
    expect(ruleSet?.rules.map(({ name }) => name)).toEqual(['invoice-paid']);
  });

  it('may have conditions and templates on the attributes of a CloudEvent, which are checked', async () => {
    const [condition = ''] = /(?<=In a condition: `)[^`]*/.exec(page) ?? [];
    const [template = ''] = /(?<=in a template: `)[^`]*/.exec(page) ?? [];
    const findingsOf = async (path: string): Promise<string[]> => {
      const leaf = { ...(JSON.parse(condition) as object), path };
      const rule = {
        name: 'badge',
        trigger: 'com.example.badge.issued',
        conditions: { all: [leaf] },
        actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body: { subject: template } }],
      };
      const entry = {
        eventType: 'com.example.badge.issued',
        label: { zh: '工牌', en: 'badge' },
        entities: {},
        fields: {},
      };
      const files = { 'a.rule.json': rule, 'catalogue/a.event.json': entry };
      const texts = Object.entries(files).map(([name, file]): [string, string] => [
        name,
        JSON.stringify(file),
      ]);
      const { findings } = await compileRuleSet(new Map(texts), loadBuiltInCatalogue());
      return findings.map(({ code }) => code);
    };
    expect(await findingsOf('$.extensions.tenant')).toEqual([]);
    expect(await findingsOf('$.subject')).toEqual([]);
    expect(await findingsOf('$.subjet')).toEqual(['PATH_UNKNOWN']);
  });

  it('let a body be tried before anything is sent', async () => {
    const folder = temporaryFolder('page');
    const [body = ''] = /(?<=body=')\{"type":"invoice[^']*/.exec(page) ?? [];
    const billing = sourceFiles.find(({ text }) => text.includes('"billing"'));
    const line = `{"headers": {"webhook-id": "msg_1"}, "body": ${body}}`;
    put(folder, {
      'sources.json': billing?.text ?? '',
      'body.json': line,
      'rules/catalogue/invoice-updated.event.json': catalogueFile?.text ?? '',
      'rules/billing/invoice-paid.rule.json': ruleFile?.text ?? '',
    });
    const { ended } = new CommandProcess(
      [
        'rules',
        'try',
        join(folder, 'body.json'),
        '--source',
        'billing',
        '--rules',
        join(folder, 'rules'),
        '--json',
      ],
      { ...environment, SOURCES_FILE: join(folder, 'sources.json') },
    );
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([0, '']);
    const { events } = JSON.parse(stdout) as { events: unknown[] };
    expect(events).toEqual([
      expect.objectContaining({
        eventId: 'msg_1',
        eventType: 'billing.invoice.updated',
        verdicts: [expect.objectContaining({ rule: 'invoice-paid', verdict: 'matched' })],
        deliveries: [expect.objectContaining({ action: 'tell-ledger', state: 'pending' })],
      }),
    ]);
  });

  it('have every key of the schema in the table', () => {
    const table = page.slice(page.indexOf('## Every key'));
    for (const key of [
      'maxAge',
      'header',
      'algorithm',
      'encoding',
      'prefix',
      'types',
      'typePrefix',
      'fields',
      'time',
    ])
      expect(table).toMatch(new RegExp(`^\\| .*\`(?:verify\\.)?${key}\``, 'm'));
  });
});

const run = promisify(execFile);
const has = async (tool: string): Promise<boolean> =>
  await run('sh', ['-c', `command -v ${tool}`]).then(
    () => true,
    () => false,
  );
const canRun = (await has('curl')) && (await has('openssl')) && (await has('od'));

// What it needs belongs to the reader's machine, not to the product.
(canRun ? describe : describe.skip)('the commands of the page', () => {
  let door: Door;
  beforeAll(async () => {
    const file = join(temporaryFolder('page'), 'sources.json');
    const all = Object.assign({}, ...sourceFiles.map(({ json }) => json['sources'])) as object;
    writeFileSync(file, JSON.stringify({ sources: all }));
    door = await Door.open({ SOURCES_FILE: file, ...environment });
  });
  afterAll(() => door.close());

  const stored = async (): Promise<StoredEvent[]> =>
    await door.service.app.get(EventStore, { strict: false }).latest(10);

  const scripts = blocks('sh').filter((text) => text.includes('curl'));

  it.each(scripts.map((text): [string, string] => [/webhook\/\w+/.exec(text)?.[0] ?? '', text]))(
    'for %s are taken',
    async (_, script) => {
      const here = script.replaceAll('http://127.0.0.1:3000', door.service.url);
      const { stdout } = await run('sh', ['-e', '-c', here], { env: { ...process.env, ...environment } });
      const wanted = script.match(/^curl /gm)?.length;
      expect(stdout.match(/HTTP\/1\.1 200 /g)).toHaveLength(wanted ?? 0);
    },
  );

  it('have stored the events that the page speaks of', async () => {
    const events = await stored();
    expect(events.map(({ origin, eventType }) => `${origin} ${eventType}`).sort()).toEqual([
      'billing billing.invoice.updated',
      'crm crm.contract.signed',
      'github github.pull_request',
      'mesh com.example.badge.issued',
      'mesh com.example.badge.issued',
    ]);
    const factsBy = (origin: string): ReadonlyMap<string, unknown> =>
      factsOf(events.find((event) => event.origin === origin)!);
    const entry = CATALOGUE_ENTRY.parse(catalogueFile?.json);
    for (const name of Object.keys(entry.fields))
      expect([name, factsBy('billing').has(name)]).toEqual([name, true]);
    expect(factsBy('github').get('action')).toBe('closed');
    expect(factsBy('crm').get('contract')).toBe('C-12');
    expect(factsBy('mesh').get('cloudevent')).toMatchObject({ source: '/hr/onboarding' });
    expect(events.find(({ origin }) => origin === 'crm')?.createTime).toEqual(
      new Date('2026-11-02T09:00:00Z'),
    );
  });
});
