// The document that the real service gives, held against its router and its answers.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { editedAnnouncement, endedBacktest } from '../../support/backtests.js';
import { TestConsole } from '../../support/console.js';
import { openSeeded, type SeededConsole } from '../../support/seeded-console.js';
import { routesOf } from '../../support/routes.js';
import { insertTimer, insertUnsettled, saveState } from '../../support/state-rows.js';

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
  readonly 'x-aftersign-role': string;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

let seeded: SeededConsole;
let console: TestConsole;
let text: string;
let document: Document;
beforeAll(async () => {
  seeded = await openSeeded();
  console = seeded.console;
  await withState();
  ({ text } = await console.ask(null, '/openapi.json'));
  document = JSON.parse(text) as Document;
}, 60_000);
afterAll(() => seeded.close());

/** An approval of which there is something of everything. */
async function withState(): Promise<void> {
  const { dataSource } = console;
  const now = Date.now();
  await insertTimer(dataSource, now, { dueAt: now + 86_400_000 });
  await insertTimer(dataSource, now, { state: 'cancelled', code: 'CANCELLED_BY_PERSON', reason: 'x' });
  await insertUnsettled(dataSource, now + 86_400_000);
  const place = { process: '7', node: '5', task: '1', tells: 'task', status: 1, phase: 'open' } as const;
  const event = { id: seeded.event.id, eventType: 'corehr.process.approver.updated_v2', statusRank: 1 };
  const events = [1, 2].map((time) => ({ ...event, eventId: `e${time}`, orderTime: time, place }));
  await saveState(dataSource, 'process:7', events, now);
  await console.ask('operator', '/silences', {
    json: {
      matcher: { rule: 'a', conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] } },
      for: '2h',
      reason: 'x',
    },
  });
}

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    const { valid, errors } = await new Validator().validate(JSON.parse(text) as Json);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('has every route of the API, and no other', () => {
    const routes = routesOf(console.service.app)
      .filter(({ method, path }) => path.startsWith('/api/v1/') && method !== 'HEAD')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(routes.sort());
  });

  it('says of each operation what it is, and who may', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const [name, operation] of operations()) {
      const role = operation['x-aftersign-role'];
      expect([name, operation.operationId]).toEqual([name, expect.stringMatching(/^[a-z][a-zA-Z]+$/)]);
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/^\S.{5,90}[^.]$/)]);
      expect([name, ['open', 'viewer', 'operator', 'admin'].includes(role)]).toEqual([name, true]);
      expect([name, operation.tags.length === 1 && tags.includes(operation.tags[0] ?? '')]).toEqual([
        name,
        true,
      ]);
      expect([name, operation.security.length]).toEqual([name, role === 'open' ? 0 : 2]);
      expect([name, Object.keys(operation.responses.default?.content ?? {})]).toEqual([
        name,
        ['application/problem+json'],
      ]);
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, one]) => one);
      expect([
        name,
        (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name),
      ]).toEqual([name, inPath]);
    }
    expect(tags.filter((tag) => !operations().some(([, { tags: own }]) => own.includes(tag)))).toEqual([]);
  });

  it('lets answers have more members later, and says of bodies that nothing else is taken', () => {
    const { schemas } = document.components;
    for (const name of ['Event', 'EventDetail', 'Delivery', 'Source', 'Problem', 'Session'])
      expect(schemas[name]).not.toHaveProperty('additionalProperties');
    for (const name of ['Reason', 'ErasureRequest', 'NewUser', 'NewSilence'])
      expect(schemas[name]).toHaveProperty('additionalProperties', false);
  });

  it('is what the table of docs/api.md says', () => {
    const rows = [
      ...readFileSync('docs/api.md', 'utf8').matchAll(/^\| `([A-Z]+) (\/[^`]*)` +\| (\w+) +\| (.+?) +\|$/gm),
    ];
    const told = rows.map(([, method = '', path = '', role, about]) => [
      `${method} /api/v1${path}`,
      role,
      about,
    ]);
    const known = operations().map(([name, one]) => [name, one['x-aftersign-role'], one.summary]);
    const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
    expect(told.sort(byName)).toEqual(known.sort(byName));
  });

  it('names the roles that the routes ask for', async () => {
    const roleOf = Object.fromEntries(operations().map(([name, one]) => [name, one['x-aftersign-role']]));
    for (const [name, role] of Object.entries(roleOf)) {
      const [method = '', path = ''] = name.split(' ');
      if (method !== 'GET' || path.includes('/login/')) continue;
      const below = path.replace('/api/v1', '').replace(/\{\w+\}/g, 'x');
      const cut = new AbortController();
      const answer = await fetch(`${console.url}/api/v1${below}`, {
        headers: { authorization: `Bearer ${console.tokens.viewer}` },
        signal: cut.signal,
      });
      cut.abort();
      expect([name, answer.status === 403]).toEqual([name, role === 'operator' || role === 'admin']);
    }
  });

  it('is the same from every process', async () => {
    const other = await TestConsole.open({ ROLE: 'console' });
    expect((await other.ask(null, '/openapi.json')).text).toBe(text);
    await other.close();
  });

  it('holds no reference that leads nowhere, and no component that nothing names', () => {
    const names = Object.keys(document.components.schemas);
    const named = new Set(
      [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? ''),
    );
    expect([...named].filter((name) => !names.includes(name))).toEqual([]);
    const streamed = names.filter((name) => name.startsWith('Stream'));
    expect(streamed).toHaveLength(5);
    expect(names.filter((name) => !named.has(name) && !streamed.includes(name))).toEqual([]);
    expect(names).toEqual([...names].sort());
  });
});

/** The schema with every object closed: what an answer holds beside it is a mistake here, though clients must bear it. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  const isObject = object['type'] === 'object' && typeof object['properties'] === 'object';
  return isObject && !('additionalProperties' in object)
    ? { ...object, additionalProperties: false }
    : object;
}

describe('answers', () => {
  it('are as the document says, each GET route with something at its address', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema(closed({ $id: 'doc', components: document.components }) as Json);
    const { items } = await console.get<{ items: { id: string }[] }>('admin', '/deliveries');
    const backtest = await endedBacktest(seeded, { after: editedAnnouncement(seeded) });
    expect(backtest.report?.rules.some(({ examples }) => examples.length > 0)).toBe(true);
    const ids: Record<string, readonly string[]> = {
      '/backtests/{id}': [backtest.id],
      '/events/{id}': [seeded.event.id],
      '/events/{id}/evaluations': [seeded.event.id],
      '/deliveries/{id}': items.map(({ id }) => id),
      '/recalls/selection/{rule}': ['announce'],
      '/rule-sets/{hash}': ['live'],
      '/rule-sets/{hash}/rules': ['live'],
      '/rules/{name}': ['announce', 'invite', 'ask-first', 'compare'],
      '/entities/{entity}': ['process:7'],
    };
    const checked: string[] = [];
    for (const [name, operation] of operations()) {
      const [method = '', path = ''] = name.split(' ');
      const below = path.replace('/api/v1', '');
      const schema = operation.responses['200']?.content?.['application/json']?.schema;
      if (method !== 'GET' || !schema || below === '/openapi.json' || below.startsWith('/login/oidc'))
        continue;
      const validate = ajv.compile(
        closed(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/'))) as Json,
      );
      for (const id of below.includes('{') ? (ids[below] ?? []) : ['']) {
        for (const role of ['viewer', 'admin'] as const) {
          const told = await console.ask(role, below.replace(/\{\w+\}/, id));
          if (told.status === 403) continue;
          validate(told.body);
          expect([name, role, told.status, validate.errors]).toEqual([name, role, 200, null]);
          checked.push(below);
        }
      }
    }
    expect(new Set(checked).size).toBeGreaterThanOrEqual(21);
  });

  it('that refuse are problems as the document says', async () => {
    const ajv = new Ajv2020({ strict: false });
    const validate = ajv.compile(closed(document.components.schemas['Problem']) as Json);
    for (const path of ['/events?colour=red', '/events/nothing', '/users', '/events?cursor=x']) {
      const { body, headers, status } = await console.ask('viewer', path);
      validate(body);
      expect([path, validate.errors, (body as Json)['status']]).toEqual([path, null, status]);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });
});
