// How fast events are acknowledged, as a ratio to the fastest thing possible here: a bare Fastify route that reads
// the same POST and answers it without looking or storing. Both in one run, by turns, with the same load.
//   npm run bench:ingest [-- --events 100000 --rounds 3 --json]
import autocannon from 'autocannon';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../dist/ingestion/feishu-crypto.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const ROUNDS = Number(values.rounds);
const CONNECTIONS = 64;
const KEY = 'bench-encrypt-key';
const TOKEN = 'bench-verification-token';
const APP_ID = 'cli_9f5343c580712544';

const note = (text) => process.stderr.write(`${text}\n`);

/** Distinct events of 500 processes, encrypted and signed beforehand: the load must not cost what it measures. */
function makePushes(count) {
  const key = feishuAesKey(KEY);
  const timestamp = String(Math.floor(Date.now() / 1000));
  return Array.from({ length: count }, (_, n) => {
    if (n % 10_000 === 0) note(`making events ${n} of ${count}`);
    const plain = JSON.stringify({
      schema: '2.0',
      header: {
        event_id: randomBytes(16).toString('hex'),
        event_type: 'corehr.process.approver.updated_v2',
        create_time: String(Date.now()),
        token: TOKEN,
        app_id: APP_ID,
        tenant_key: '2ca1d211f64f6438',
      },
      event: {
        process_id: String(7_072_306_364_927_000_000n + BigInt(n % 500)),
        approver_id: String(7_072_306_364_927_000_000n + BigInt(n)),
        type: 1,
        status: (n % 4) + 1,
        biz_type: 'renewal_record',
        flow_definition_id: 'people_7182520625066475540_7222929439175839532',
        node_definition_id: 'approval_7c7d9c4d25b',
        node_id: '7369419552616089132',
      },
    });
    const body = JSON.stringify({ encrypt: encryptFeishu(key, plain) });
    return {
      body,
      headers: {
        'content-type': 'application/json;charset=utf-8',
        'x-lark-request-timestamp': timestamp,
        'x-lark-request-nonce': '123456789',
        'x-lark-signature': feishuSignature(timestamp, '123456789', KEY, Buffer.from(body)),
      },
    };
  });
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const children = [];

async function startChild(args, env, port, path) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
    const ready = await fetch(url + path).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return { child, url };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function load(url, pushes) {
  let next = 0;
  const started = performance.now();
  let ended = started;
  const running = autocannon({
    url: `${url}/webhook/event`,
    connections: CONNECTIONS,
    amount: pushes.length,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => {
          const { body, headers } = pushes[next++ % pushes.length];
          return { ...request, body, headers };
        },
      },
    ],
  });
  // Its own duration is counted in whole seconds.
  running.on('response', () => {
    ended = performance.now();
  });
  const result = await running;
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refused, ${result.errors} failed`);
  return {
    perSecond: pushes.length / ((ended - started) / 1000),
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

const residentMb = (pid) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

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
      FEISHU_APP_ID: APP_ID,
      FEISHU_ENCRYPT_KEY: KEY,
      FEISHU_VERIFICATION_TOKEN: TOKEN,
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
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(
    children.map(
      (child) => child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
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
