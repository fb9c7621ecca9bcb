// How fast events are acknowledged, as a ratio to the fastest thing possible here: a bare Fastify route that reads
// the same POST and answers it without looking or storing. Both in one run, by turns, with the same load.
//   npm run bench:ingest [-- --events 100000 --rounds 3 --json]
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  APP_SETTINGS,
  endChildren,
  freePort,
  load,
  makePushes,
  median,
  note,
  startChild,
} from './pushes.mjs';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const ROUNDS = Number(values.rounds);
const residentMb = (pid) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

const dataDir = mkdtempSync(join(tmpdir(), 'aftersign-bench-'));
chmodSync(dataDir, 0o755);
const [barePort, port] = [await freePort(), await freePort()];
const rows = [];
let memory = 0;
try {
  const bare = await startChild(['bench/bare-route.mjs', String(barePort)], {}, barePort, '/');
  const service = await startChild(
    ['dist/main.js'],
    {
      PORT: String(port),
      DATA_DIR: dataDir,
      ROLE: 'ingest',
      ...APP_SETTINGS,
    },
    port,
    '/health/ready',
  );
  const warmUp = makePushes(5000);
  await load(bare.url, warmUp);
  await load(service.url, warmUp);
  const pushes = makePushes(EVENTS);
  const share = Math.ceil(EVENTS / ROUNDS);
  for (let round = 0; round < ROUNDS; round += 1) {
    const slice = pushes.slice(round * share, (round + 1) * share);
    const bareRun = await load(bare.url, slice);
    const run = await load(service.url, slice);
    memory = residentMb(service.child.pid);
    note(
      `round ${round + 1} of ${ROUNDS}: bare ${Math.round(bareRun.perSecond)}/s, Aftersign ${Math.round(run.perSecond)}/s, p99 ${run.p99} ms, ${memory} MB`,
    );
    rows.push(
      { name: 'bare route', round: round + 1, ...bareRun },
      { name: 'aftersign', round: round + 1, ...run, rssMb: memory },
    );
  }
} finally {
  await endChildren();
  rmSync(dataDir, { recursive: true, force: true });
}

const of = (name, field) => median(rows.filter((row) => row.name === name).map((row) => row[field]));
const ratio = of('aftersign', 'perSecond') / of('bare route', 'perSecond');
const report = {
  bench: 'ingest',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  rows: rows.map((row) => ({ ...row, perSecond: Math.round(row.perSecond) })),
  ratios: { 'aftersign/bare': Number(ratio.toFixed(3)) },
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const bar = (value) => '█'.repeat(Math.max(1, Math.round((value / of('bare route', 'perSecond')) * 40)));
  for (const name of ['bare route', 'aftersign']) {
    const perSecond = of(name, 'perSecond');
    console.log(
      `${name.padEnd(12)} ${bar(perSecond).padEnd(41)} ${Math.round(perSecond)} acks/s, p50 ${of(name, 'p50')} ms, p99 ${of(name, 'p99')} ms`,
    );
  }
  console.log(
    `ratio ${ratio.toFixed(2)} (to reach: 0.35), p99 ${of('aftersign', 'p99')} ms (≤ 100), ${memory} MB after ${EVENTS + 5000} events (≤ 300)`,
  );
}
