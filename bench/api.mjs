// How long the lists and searches of the admin API take over a database as it is after a month: events, evaluations
// and three times as many deliveries. Over HTTP, from the real service; one request at a time.
//   npm run bench:api [-- --events 1000000 --requests 40 --json]
// `--events 10000000` takes about half an hour and 80 GB to make. `--data <folder>` keeps the database there, and takes
// it from there the next time. `--bare` leaves out VACUUM and ANALYZE, as on a server whose autovacuum never came by.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { openApiDatabase } from './api-database.mjs';
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
const REQUESTS = Number(values.requests);

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
const database = await openApiDatabase({ ...values, events: Number(values.events) });
const { folder, dataSource, login, events } = database;
try {
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
    const row = await measure(service.url, login.token, question);
    note(`${row.name.padEnd(58)} ${String(row.rows).padStart(3)} rows, p50 ${row.p50} ms, p95 ${row.p95} ms`);
    rows.push(row);
  }
} finally {
  await endChildren();
  await database.close();
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
