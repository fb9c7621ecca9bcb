// How fast deliveries go out, as a ratio to the fastest thing possible here: undici alone, which posts the same bodies to
// the same receiver. A delivery counts when its attempt and its state are committed. Both in one run, by turns.
// And what one of 50 targets that hangs takes from the other 49: their throughput with it and without it, by turns.
//   npm run bench:delivery [-- --deliveries 16000 --rounds 3 --part speed|hanging --json]
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { DeliveryStore } from '../dist/action/delivery-store.js';
import { replaceTargetLimits } from '../dist/action/target-limits.js';
import { createDataSource, migrate } from '../dist/database/data-source.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { Partitions } from '../dist/database/partitions.js';
import { Wakeup } from '../dist/queue/wakeup.js';
import { endChildren, freePort, median, note, startChild } from './pushes.mjs';

/** Both have as many under way at once: the limit of a target, which is 50 where rules/targets.json says nothing. */
const CONNECTIONS = 256;
const TARGETS = 50;
const CHUNK = 1000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '16000' },
    rounds: { type: 'string', default: '3' },
    part: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const DELIVERIES = Number(values.deliveries);
const ROUNDS = Number(values.rounds);

const contentOf = (port, n) => ({
  method: 'POST',
  url: `http://127.0.0.1:${port}/hooks/approval`,
  headers: { 'content-type': 'application/json' },
  body: {
    process: `process:${n}`,
    status: 3,
    text: 'The renewal of the contract is approved 续签审批已通过',
  },
  timeoutMs: 10_000,
  success: null,
});

const urlOf = ({ host, port, user, password, database }) =>
  `postgres://${user}:${encodeURIComponent(password)}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;

async function undiciAlone(port, count) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, pipelining: 1 });
  let next = 0;
  const run = async () => {
    while (next < count) {
      const { method, headers, body } = contentOf(port, (next += 1));
      const { statusCode, body: answer } = await pool.request({
        path: '/hooks/approval',
        method,
        headers,
        body: JSON.stringify(body),
      });
      await answer.text();
      if (statusCode !== 200) throw new Error(`the receiver answers ${statusCode}`);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  const perSecond = count / ((performance.now() - started) / 1000);
  await pool.close();
  return perSecond;
}

/**
 * Hands deliveries over that are due at a time to come, `each` for every port, and waits until those of `counted` are
 * delivered. Answers how many of these a second, from the first attempt to the last commit.
 */
async function deliver(dataSource, store, ports, each, counted, round) {
  const total = ports.length * each;
  const due = Date.now() + 3000 + total / 2;
  for (let from = 0; from < total; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, total - from) }, (_, index) => {
      const n = from + index;
      const port = ports[n % ports.length];
      return {
        eventId: '01900000-0000-7000-8000-000000000000',
        occasion: 'live',
        delivery: {
          rule: 'bench',
          action: 'tell',
          kind: 'http',
          target: `http:127.0.0.1:${port}`,
          entity: `process:${n}`,
          cause: `${round}/${n}`,
          generation: 0,
          state: 'pending',
          code: null,
          reason: null,
          request: { kind: 'http', secrets: [], retry: null, content: contentOf(port, n) },
        },
      };
    });
    await dataSource.transaction((tx) => store.accept(tx, rows, due));
  }
  if (Date.now() > due) throw new Error('handing the deliveries over took longer than there was time');
  const targets = counted.map((port) => `http:127.0.0.1:${port}`);
  await pause(due - Date.now());
  for (;;) {
    await pause(100);
    const [{ open }] = await dataSource.query(
      `select exists (select from action_keys where state = 'delivering' and target_lane = any($1::text[]))
           or exists (select from action_keys where state = 'pending' and target_lane = any($1::text[])) as open`,
      [targets],
    );
    if (!open) break;
  }
  const [{ delivered, seconds }] = await dataSource.query(
    `select count(*)::int as delivered, extract(epoch from max(k.updated_at) - min(a.started_at))::float8 as seconds
       from action_keys k join attempts a on a.delivery_id = k.id
      where k.due_at >= $1 and k.state = 'delivered' and k.target_lane = any($2::text[])`,
    [new Date(due), targets],
  );
  if (delivered !== counted.length * each)
    throw new Error(`${delivered} delivered of ${counted.length * each}`);
  return delivered / seconds;
}

const rows = [];
const folder = mkdtempSync(join(tmpdir(), 'aftersign-bench-'));
chmodSync(folder, 0o755);
let server;
let receivers;
let dataSource;
try {
  server = await startEmbeddedPostgres({ dataDir: folder, log: note });
  dataSource = createDataSource(server.url, 4);
  await dataSource.initialize();
  await migrate(dataSource);
  await new Partitions(dataSource).ensure(Date.now());
  await dataSource.transaction((tx) =>
    replaceTargetLimits(tx, [{ lane: '*', concurrency: CONNECTIONS, rate: null }]),
  );
  const store = new DeliveryStore(dataSource, new Wakeup(dataSource));
  receivers = fork('bench/receivers.mjs', [String(TARGETS - 1)]);
  const [{ healthy, hanging }] = await once(receivers, 'message');
  const [receiver] = healthy;
  const targets = [...healthy, hanging];
  const port = await freePort();
  const start = () =>
    startChild(
      ['dist/main.js'],
      {
        PORT: String(port),
        DATABASE_URL: urlOf(server.url),
        DATA_DIR: folder,
        ROLE: 'action',
        OUTBOUND_ALLOW: '127.0.0.1',
      },
      port,
      '/health/live',
    );
  await start();
  note('warm up');
  await undiciAlone(receiver, 3000);
  await deliver(dataSource, store, [receiver], 3000, [receiver], 'warm');
  for (let round = 1; round <= ROUNDS && values.part !== 'hanging'; round += 1) {
    const alone = await undiciAlone(receiver, DELIVERIES);
    const perSecond = await deliver(dataSource, store, [receiver], DELIVERIES, [receiver], `one-${round}`);
    note(
      `round ${round} of ${ROUNDS}: undici alone ${Math.round(alone)}/s, Aftersign ${Math.round(perSecond)}/s`,
    );
    rows.push({ name: 'undici alone', round, perSecond: alone }, { name: 'aftersign', round, perSecond });
  }
  for (let round = 1; round <= ROUNDS && values.part !== 'speed'; round += 1) {
    const each = Math.ceil(DELIVERIES / healthy.length);
    const without = await deliver(dataSource, store, healthy, each, healthy, `without-${round}`);
    const beside = await deliver(dataSource, store, targets, each, healthy, `with-${round}`);
    // What hangs is out of the way of the next round.
    await dataSource.query(`update action_keys set due_at = 'infinity' where state = 'pending'`);
    note(
      `round ${round} of ${ROUNDS}: 49 targets ${Math.round(without)}/s, beside one that hangs ${Math.round(beside)}/s`,
    );
    rows.push(
      { name: '49 targets', round, perSecond: without },
      { name: '49 targets beside one that hangs', round, perSecond: beside },
    );
  }
} finally {
  await endChildren();
  receivers?.disconnect();
  if (dataSource?.isInitialized) await dataSource.destroy();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const ALONE = 'aftersign/undici alone';
const BESIDE = 'beside one that hangs/without it';
const TO_REACH = { [ALONE]: 0.25, [BESIDE]: 0.9 };
const of = (name) => median(rows.filter((row) => row.name === name).map((row) => row.perSecond));
const ratio = (one, other) => Number((of(one) / of(other)).toFixed(3));
const report = {
  bench: 'delivery',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  rows: rows.map((row) => ({ ...row, perSecond: Math.round(row.perSecond) })),
  ratios: {
    ...(values.part === 'hanging' ? {} : { [ALONE]: ratio('aftersign', 'undici alone') }),
    ...(values.part === 'speed' ? {} : { [BESIDE]: ratio('49 targets beside one that hangs', '49 targets') }),
  },
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const most = Math.max(...rows.map(({ perSecond }) => perSecond));
  for (const name of new Set(rows.map((row) => row.name))) {
    const bar = '█'.repeat(Math.max(1, Math.round((of(name) / most) * 40)));
    console.log(`${name.padEnd(33)} ${bar.padEnd(41)} ${Math.round(of(name))}/s`);
  }
  for (const [name, value] of Object.entries(report.ratios))
    console.log(`${name} ${value} (to reach: ${TO_REACH[name]})`);
}
