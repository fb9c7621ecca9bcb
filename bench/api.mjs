// How long the lists and searches of the admin API take over a database as it is after a month: events, evaluations
// and three times as many deliveries. Over HTTP, from the real service; one request at a time.
//   npm run bench:api [-- --events 1000000 --requests 40 --json]
// `--events 10000000` takes about half an hour and 80 GB to make. `--data <folder>` keeps the database there, and takes
// it from there the next time. `--bare` leaves out VACUUM and ANALYZE, as on a server whose autovacuum never came by.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '../dist/config/clock.js';
import { createAccessServices } from '../dist/console/access/access-services.js';
import { createDataSource, migrate } from '../dist/database/data-source.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { Partitions } from '../dist/database/partitions.js';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { EventStore } from '../dist/events/event-store.js';
import { LiveCatalogue } from '../dist/events/live-catalogue.js';
import { Wakeup } from '../dist/queue/wakeup.js';
import { compileRuleSet } from '../dist/rules/rule-compiler.js';
import { RuleSetStore } from '../dist/rules/rule-set-store.js';
import { checkTerms, makeData } from './api-data.mjs';
import { questionsOf } from './api-questions.mjs';
import { endChildren, freePort, note, startChild } from './pushes.mjs';

const GOAL_MS = 100;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '40' },
    data: { type: 'string' },
    bare: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const REQUESTS = Number(values.requests);

const folder =
  values.data === undefined ? mkdtempSync(join(tmpdir(), 'aftersign-bench-')) : resolve(values.data);
mkdirSync(folder, { recursive: true });
chmodSync(folder, 0o755);
const marker = join(folder, 'made.json');

async function prepare(dataSource) {
  const builtIn = loadBuiltInCatalogue();
  const clock = new SystemClock();
  const live = new LiveCatalogue(dataSource, builtIn);
  const store = new EventStore(dataSource, new Partitions(dataSource), new Wakeup(dataSource), clock);
  try {
    if (!existsSync(marker)) {
      const ruleSets = new RuleSetStore(dataSource, builtIn, live, clock);
      await makeData(dataSource, builtIn, {
        events: EVENTS,
        ruleSet: await activateRules(ruleSets, builtIn),
        note,
      });
      note(`the terms of ${await checkTerms(dataSource, store, builtIn)} events are those of the indexer`);
      if (!values.bare) {
        note('vacuum analyze');
        const run = dataSource.createQueryRunner();
        await run.query('set statement_timeout = 0');
        await run.query('vacuum analyze');
        await run.release();
      }
      writeFileSync(marker, JSON.stringify({ events: EVENTS }));
    }
  } finally {
    await store.onApplicationShutdown();
  }
  const access = createAccessServices({ dataSource, clock, dataDir: folder });
  const here = { name: 'bench@host', role: 'admin', means: 'command', userId: null, address: null };
  const name = `bench-${Date.now()}`;
  await access.users.create(here, { name, role: 'admin', password: 'a password of the bench' });
  return (await access.tokens.create(here, { name: 'bench', expiresInDays: 1 }, { user: name })).token;
}

async function activateRules(ruleSets, catalogue) {
  const rules = Array.from({ length: 41 }, (_, n) => ({
    name: `rule-${n}`,
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: (n % 4) + 1 }] },
    actions: [{ type: 'http', name: 'action-1', url: `https://target-${n}.corp.example/` }],
  }));
  const files = new Map(rules.map((rule) => [`${rule.name}.rule.json`, JSON.stringify(rule)]));
  const { ruleSet } = await compileRuleSet(files, catalogue);
  await ruleSets.offer(ruleSet, files, 'start');
  return ruleSet.hash;
}

async function measure(url, token, { name, path }) {
  const headers = { authorization: `Bearer ${token}` };
  const times = [];
  let rows = 0;
  for (let n = 0; n < REQUESTS; n += 1) {
    const started = performance.now();
    const answer = await fetch(url + path, { headers });
    const text = await answer.text();
    times.push(performance.now() - started);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
    rows = JSON.parse(text).items?.length ?? 1;
  }
  const [first] = times;
  times.sort((a, b) => a - b);
  const at = (share) => Number(times[Math.min(REQUESTS - 1, Math.floor(REQUESTS * share))].toFixed(1));
  return { name, rows, p50: at(0.5), p95: at(0.95), first: Number(first.toFixed(1)) };
}

const rows = [];
let server;
let dataSource;
let events;
try {
  server = await startEmbeddedPostgres({ dataDir: folder, log: note });
  dataSource = createDataSource(server.url, 2);
  await dataSource.initialize();
  await migrate(dataSource);
  const token = await prepare(dataSource);
  ({ events } = JSON.parse(readFileSync(marker, 'utf8')));
  const questions = await questionsOf(dataSource, events);
  await dataSource.destroy();
  const port = await freePort();
  const service = await startChild(
    ['dist/main.js'],
    { PORT: String(port), DATA_DIR: folder, ROLE: 'console' },
    port,
    '/health/ready',
  );
  for (const question of questions) {
    const row = await measure(service.url, token, question);
    note(`${row.name.padEnd(58)} ${String(row.rows).padStart(3)} rows, p50 ${row.p50} ms, p95 ${row.p95} ms`);
    rows.push(row);
  }
} finally {
  await endChildren();
  if (dataSource?.isInitialized) await dataSource.destroy();
  await server?.stop();
  if (values.data === undefined) rmSync(folder, { recursive: true, force: true });
}

const worst = rows.reduce((a, b) => (b.p95 > a.p95 ? b : a));
const report = {
  bench: 'api',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  events,
  rows,
  ratios: { 'worst p95/100 ms': Number((worst.p95 / GOAL_MS).toFixed(3)) },
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  for (const { name, p95 } of [...rows].sort((a, b) => b.p95 - a.p95).slice(0, 15))
    console.log(`${name.padEnd(58)} ${'█'.repeat(Math.max(1, Math.round((p95 / GOAL_MS) * 40)))} ${p95} ms`);
  console.log(
    `worst p95 ${worst.p95} ms of ${rows.length} questions over ${events} events (to reach: ${GOAL_MS} ms)`,
  );
}
