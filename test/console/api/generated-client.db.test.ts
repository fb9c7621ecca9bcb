// A client that @hey-api/openapi-ts makes of the document, compiled by tsc, in a process of its own, against the real
// service.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMIN_PASSWORD } from '../../support/app.js';
import { openSeeded, type SeededConsole, SEEDED_TYPE } from '../../support/seeded-console.js';
import { temporaryFolder } from '../../support/folder.js';

const run = promisify(execFile);
const MODULES = join(process.cwd(), 'node_modules');

const GENERATE = `
import { createClient } from ${JSON.stringify(pathToFileURL(join(MODULES, '@hey-api/openapi-ts/dist/index.mjs')).href)};
await createClient({
  input: './openapi.json',
  output: { path: './src/client', module: { extension: '.js' } },
  logs: { level: 'silent' },
  plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
});
`;

/** What somebody would write with it: every answer has its type, so a change of the document may fail to compile. */
const PROGRAM = `
import { client } from './client/client.gen.js';
import { createToken, explainEvent, getEvent, listDeliveries, listEvents, login, redriveDelivery, session, streamChanges } from './client/index.js';
import type { Delivery, Event, EventDetail, Problem } from './client/index.js';

const [baseUrl = '', password = '', type = ''] = process.argv.slice(2);
client.setConfig({ baseUrl });

const signedIn = await login({ body: { name: 'admin', password } });
if (!signedIn.data) throw new Error('no login');
const cookie = signedIn.response?.headers.get('set-cookie')?.split(';')[0] ?? '';
const headers = { cookie, 'x-csrf-token': signedIn.data.csrf ?? '' };
const made = await createToken({ body: { name: 'generated', role: 'operator' }, headers });
client.setConfig({ baseUrl, auth: () => made.data?.token });

const who = await session();
const stream = await streamChanges({ query: { topics: 'deliveries' } });
const heard: string[] = [];
const listening = (async () => {
  for await (const message of stream.stream) {
    heard.push(typeof message);
    if (heard.length >= 2) return;
  }
})();

const first = await listEvents({ query: { type, status: 'done', limit: 1 } });
const events: Event[] = first.data?.items ?? [];
const next = first.data?.next ?? undefined;
const second = next === undefined ? undefined : await listEvents({ query: { type, status: 'done', limit: 1, cursor: next } });
const id = events[0]?.id ?? '';
const shown = await getEvent({ path: { id } });
const event: EventDetail | undefined = shown.data;
const explained = await explainEvent({ path: { id }, query: { rule: 'nearly' } });
const dead = await listDeliveries({ query: { rule: 'announce', state: 'dead' } });
const delivery: Delivery | undefined = dead.data?.items[0];
const redriven = await redriveDelivery({ path: { id: delivery?.id ?? '' }, body: { reason: 'by a generated client' } });
await listening;
const refused = await getEvent({ path: { id: 'nothing' } });
const problem: Problem | undefined = refused.error;

console.log(JSON.stringify({
  who: who.data?.name,
  events: events.map(({ eventType }) => eventType),
  others: second?.data?.items.length ?? 0,
  facts: event?.facts.length,
  nearMiss: explained.data?.items[0]?.explanations[0]?.nearMiss,
  redriven: [redriven.data?.id === delivery?.id, redriven.data?.generation],
  heard,
  problem: [problem?.status, problem?.code],
}));
process.exit(0);
`;

const CONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    strict: true,
    rootDir: 'src',
    outDir: 'out',
    types: ['node'],
    typeRoots: [join(MODULES, '@types')],
    skipLibCheck: true,
  },
  include: ['src'],
};

let seeded: SeededConsole;
beforeAll(async () => {
  seeded = await openSeeded();
}, 60_000);
afterAll(() => seeded.close());

describe('a generated client', () => {
  it('compiles, and signs in, lists, shows, explains, acts, hears and is refused', async () => {
    const folder = temporaryFolder('client');
    const { text } = await seeded.console.ask(null, '/openapi.json');
    mkdirSync(join(folder, 'src'));
    for (const [name, content] of [
      ['openapi.json', text],
      ['generate.mjs', GENERATE],
      ['src/use.ts', PROGRAM],
      ['tsconfig.json', JSON.stringify(CONFIG)],
      ['package.json', '{"type":"module"}'],
    ] as const)
      writeFileSync(join(folder, name), content);
    const node = async (...parameters: string[]): Promise<string> => {
      try {
        return (await run(process.execPath, parameters, { cwd: folder })).stdout;
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        throw new Error(`${parameters.join(' ')}\n${stdout}${stderr}`, { cause: error });
      }
    };
    await node('generate.mjs');
    await node(join(MODULES, 'typescript/bin/tsc'), '-p', '.');
    const out = await node('out/use.js', seeded.console.url, ADMIN_PASSWORD, SEEDED_TYPE);
    expect(JSON.parse(out)).toEqual({
      who: 'admin/generated',
      events: [SEEDED_TYPE],
      others: 0,
      facts: 15,
      nearMiss: true,
      redriven: [true, 0],
      heard: ['object', 'object'],
      problem: [404, 'EVENT_UNKNOWN'],
    });
  }, 120_000);
});
