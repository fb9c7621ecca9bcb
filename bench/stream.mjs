// What 20 listeners to the stream of the admin API cost the ack path: the same service with and without them, in turn.
//   npm run bench:stream [-- --events 300000 --rounds 7 --json]
// Rounds take some seconds: the first messages of a stream come in one burst, which is a third of a round of 0.4 s.
// The roles are ingest and console alone: decisions would go on beside the pushes, and what is measured is the ack.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
    events: { type: 'string', default: '300000' },
    rounds: { type: 'string', default: '7' },
    listeners: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const ROUNDS = Number(values.rounds);
const LISTENERS = Number(values.listeners);

/** Listeners as a process of their own, so that what they do with what they hear is not the service's. */
async function listen(url, token) {
  const child = spawn(process.execPath, ['bench/stream-listeners.mjs', url, String(LISTENERS)], {
    env: { PATH: process.env.PATH, AFTERSIGN_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let heard = '';
  child.stdout.on('data', (chunk) => (heard += chunk));
  while (!heard.includes('listening\n')) {
    if (child.exitCode !== null) throw new Error('the listeners ended');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return async () => {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    return Number(/heard (\d+)/.exec(heard)?.[1]);
  };
}

/** Milliseconds that the service and its database have computed: unlike the clock, nothing else on the machine counts. */
function cpuMs(servicePid) {
  const postmaster = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0];
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, parent, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      if (pid === String(servicePid) || pid === postmaster || parent === postmaster)
        ticks += Number(fields[9]) + Number(fields[10]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks * 10;
}

const dataDir = mkdtempSync(join(tmpdir(), 'aftersign-bench-'));
chmodSync(dataDir, 0o755);
const rows = [];
try {
  const port = await freePort();
  const settings = { PORT: String(port), DATA_DIR: dataDir, ROLE: 'ingest,console', ...APP_SETTINGS };
  const service = await startChild(['dist/main.js'], settings, port, '/health/ready');
  const token = execFileSync(
    process.execPath,
    ['dist/cli.js', 'users', 'token', 'admin', '--name', 'bench'],
    { env: { PATH: process.env.PATH, ...settings }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  ).trim();
  await load(service.url, makePushes(5000));
  const pushes = makePushes(EVENTS);
  const share = Math.floor(EVENTS / (2 * ROUNDS));
  let next = 0;
  const round = async (name, number) => {
    const slice = pushes.slice(next, (next += share));
    const end = name === 'with' ? await listen(service.url, token) : null;
    const before = cpuMs(service.child.pid);
    const run = await load(service.url, slice);
    const cpu = (cpuMs(service.child.pid) - before) / slice.length;
    const heard = (await end?.()) ?? 0;
    if (name === 'with' && !(heard >= LISTENERS)) throw new Error(`the listeners heard ${heard} messages`);
    rows.push({
      name,
      round: number,
      ...run,
      usPerEvent: 1e6 / run.perSecond,
      cpuUsPerEvent: cpu * 1000,
      heard,
    });
    note(
      `round ${number} of ${ROUNDS}, ${name}: ${Math.round(run.perSecond)}/s, ${(cpu * 1000).toFixed(0)} µs of CPU an event`,
    );
  };
  for (let number = 1; number <= ROUNDS; number += 1) {
    // In changing order, so that what grows with time falls on both.
    for (const name of number % 2 === 0 ? ['with', 'without'] : ['without', 'with'])
      await round(name, number);
  }
} finally {
  await endChildren();
  rmSync(dataDir, { recursive: true, force: true });
}

const of = (name, field) => median(rows.filter((row) => row.name === name).map((row) => row[field]));
/** The median of what the two halves of each round say: what else the machine does meanwhile falls on both. */
const costOf = (field) =>
  median(
    rows
      .filter(({ name }) => name === 'with')
      .map(
        (row) => row[field] / rows.find((one) => one.name === 'without' && one.round === row.round)[field],
      ),
  ) - 1;
const cost = costOf('usPerEvent');
const cpuCost = costOf('cpuUsPerEvent');
const report = {
  bench: 'stream',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  rows: rows.map((row) => ({
    ...row,
    perSecond: Math.round(row.perSecond),
    usPerEvent: Math.round(row.usPerEvent),
    cpuUsPerEvent: Math.round(row.cpuUsPerEvent),
  })),
  ratios: { cost: Number(cost.toFixed(3)), cpuCost: Number(cpuCost.toFixed(3)) },
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  for (const name of ['without', 'with'])
    console.log(
      `${name.padEnd(8)} ${LISTENERS} listeners: ${Math.round(of(name, 'usPerEvent'))} µs an event, ${Math.round(of(name, 'cpuUsPerEvent'))} µs of CPU (service and database), p99 ${of(name, 'p99')} ms`,
    );
  console.log(
    `cost of ${LISTENERS} listeners: ${(cost * 100).toFixed(1)} % of the time an event takes, ${(cpuCost * 100).toFixed(1)} % of its CPU (to reach: ≤ 5 %)`,
  );
}
