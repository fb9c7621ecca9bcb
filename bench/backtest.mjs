// How many events a second a back-test takes, from an NDJSON file, by the command itself and on one core where the system
// can pin a process: through one rule set of 1 000 rules, through two with the difference, and beside it a Node that only
// reads the lines and parses them as JSON. Rules read the state, arm ladders, throttle and fire once; starting up and reading
// the rules is measured apart, and does not count.
//   npm run bench:backtest [-- --events 200000 --rules 1000 --rounds 3 --large 1000000 --json]
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { parseArgs } from 'node:util';
import { makeRules, random } from './rule-mix.mjs';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    rules: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    /** Events of the run whose memory is watched; 0: none. */
    large: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const RULES = Number(values.rules);
const ROUNDS = Number(values.rounds);
const LARGE = Number(values.large);
const ONE_SET = 10_000;
const TWO_SETS = 5000;
const MOST_MEGABYTES = 500;
const TYPE = 'corehr.process.approver.updated_v2';
const BEGIN = Date.UTC(2026, 9, 1);
const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js');
/** What reads lines and does nothing with them. */
const PARSING = `
  import { createReadStream } from 'node:fs';
  import { createInterface } from 'node:readline';
  let sum = 0;
  for await (const line of createInterface({ input: createReadStream(process.argv[1]) })) sum += JSON.parse(line).event.status;
  if (sum === 0) process.exitCode = 1;`;
const note = (text) => process.stderr.write(`${text}\n`);
const pinned = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'aftersign-backtest-'));
try {
  const [before, after] = ['before', 'after'].map(writeRules);
  const few = join(folder, 'few.ndjson');
  const file = join(folder, 'events.ndjson');
  await writeEvents(few, 1000);
  await writeEvents(file, EVENTS);
  const variants = {
    parsing: (path) => ['--input-type=module', '--eval', PARSING, path],
    'one rule set': (path) => backtest(after, 'none', path),
    'two rule sets': (path) => backtest(after, before, path),
  };
  const rates = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, parameters] of Object.entries(variants)) {
      const start = await run(parameters(few));
      const whole = await run(parameters(file));
      const seconds = whole.seconds - start.seconds;
      rates[name].push((EVENTS - 1000) / seconds);
      note(`${name}: ${Math.round((EVENTS - 1000) / seconds)} events/s`);
    }
  }
  const rows = Object.entries(rates).map(([name, all]) => ({
    run: name,
    eventsPerSecond: Math.round(median(all)),
  }));
  const rateOf = (name) => rows.find((row) => row.run === name).eventsPerSecond;
  const ratios = {
    'one rule set/parsing': rounded(rateOf('one rule set') / rateOf('parsing')),
    'two rule sets/one': rounded(rateOf('two rule sets') / rateOf('one rule set')),
    'one rule set/wanted': rounded(rateOf('one rule set') / ONE_SET),
    'two rule sets/wanted': rounded(rateOf('two rule sets') / TWO_SETS),
  };
  if (LARGE > 0) {
    const large = join(folder, 'large.ndjson');
    await writeEvents(large, LARGE);
    const { seconds, megabytes } = await run(variants['two rule sets'](large));
    rows.push({ run: `two rule sets, ${LARGE} events`, seconds: rounded(seconds), megabytes });
    ratios['megabytes/allowed'] = rounded(megabytes / MOST_MEGABYTES);
  }
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node };
  if (values.json) console.log(JSON.stringify({ bench: 'backtest', machine, pinned, rows, ratios }));
  else {
    console.log(`\n${RULES} rules, ${EVENTS} events, ${pinned ? 'one core' : 'not pinned to one core'}\n`);
    for (const { run: name, eventsPerSecond, seconds, megabytes } of rows)
      console.log(
        `  ${name.padEnd(34)} ${eventsPerSecond === undefined ? `${seconds} s, ${megabytes} MB at most` : `${eventsPerSecond} events/s`}`,
      );
    console.log(
      `\n${Object.entries(ratios)
        .map(([name, ratio]) => `${name} ${ratio}`)
        .join(', ')}`,
    );
  }
  const { 'one rule set/wanted': one, 'two rule sets/wanted': two, 'megabytes/allowed': memory = 0 } = ratios;
  if (one < 1 || two < 1 || memory > 1) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function backtest(rules, against, events) {
  const until = new Date(BEGIN + 400 * 86_400_000).toISOString();
  return [
    CLI,
    'backtest',
    '--rules',
    rules,
    '--against',
    against,
    '--events',
    events,
    '--until',
    until,
    '--json',
  ];
}

/** What a large installation has; `after`: of one rule in a hundred the request is another, of one the conditions. */
function writeRules(version) {
  const root = join(folder, version);
  const isAfter = version === 'after';
  makeRules(RULES).forEach((rule, at) => {
    const sub = join(root, `topic-${at % 20}`);
    mkdirSync(sub, { recursive: true });
    const body = { process: '{{ event.process_id }}', status: '{{ event.status }}' };
    const action = {
      type: 'http',
      name: 'tell',
      url: 'https://payroll.example.com/approvals',
      headers: { authorization: 'Bearer {{ secrets.PAYROLL_TOKEN }}' },
      body: isAfter && at % 100 === 0 ? { ...body, task: '{{ event.approver_id }}' } : body,
    };
    const moved = { fact: 'task.transition', operator: 'equal', value: '1>3' };
    const done = { fact: 'status', operator: 'equal', value: 3 };
    writeFileSync(
      join(sub, `${rule.name}.rule.json`),
      JSON.stringify({
        name: rule.name,
        owner: 'people-ops',
        trigger: TYPE,
        conditions: conditionsOf(rule, at, { moved, done: isAfter && at === 50 ? done : null }),
        ...(at % 50 === 3 ? { throttle: { max: 100, per: '1h' } } : {}),
        ...(at % 50 === 11 ? { oncePer: 'process' } : {}),
        ...(at % 50 === 23
          ? { escalate: { per: 'task', steps: [{ after: '24h', actions: [{ ...action, name: 'nag' }] }] } }
          : {}),
        actions: [action],
      }),
    );
  });
  return root;
}

function conditionsOf({ conditions }, at, { moved, done }) {
  if (done) return { all: [conditions, done] };
  return at % 20 === 7 ? { all: [conditions, moved] } : conditions;
}

/** Processes of two tasks, each pending first and ended an hour later, in the order in which they are received. */
async function writeEvents(path, count) {
  const next = random(7);
  const out = createWriteStream(path);
  const types = Math.max(2, Math.round(RULES / 25));
  const nodes = Math.max(4, Math.round(RULES / 10));
  let waiting = [];
  const flush = async (until) => {
    const ready = waiting.filter(([at]) => at < until).sort(([a], [b]) => a - b);
    waiting = waiting.filter(([at]) => at >= until);
    if (!out.write(ready.map(([, event]) => `${JSON.stringify(event)}\n`).join('')))
      await new Promise((resolve) => out.once('drain', resolve));
  };
  for (let process = 0; process * 4 < count; process += 1) {
    const at = BEGIN + process * 900;
    const biz = `biz_type_${Math.floor(next() * types)}`;
    const node = `approval_${Math.floor(next() * nodes).toString(16)}`;
    for (let n = 0; n < 4 && process * 4 + n < count; n += 1) {
      const time = at + (n >> 1) * 1000 + (n % 2) * 3_600_000;
      const status = n % 2 === 0 ? 1 : next() < 0.1 ? 2 : 3;
      waiting.push([time, eventOf(process, n, { time, status, biz, node })]);
    }
    if (process % 5000 === 0) await flush(at);
  }
  await flush(Infinity);
  await new Promise((resolve) => out.end(resolve));
}

function eventOf(process, n, { time, status, biz, node }) {
  const task = process * 2 + (n >> 1);
  return {
    schema: '2.0',
    header: {
      event_id: `${(process * 4 + n).toString(16).padStart(8, '0')}5e3702a84e847582be8db7fb`,
      event_type: TYPE,
      create_time: String(time),
      token: '',
      app_id: 'cli_9f5343c580712544',
      tenant_key: '2ca1d211f64f6438',
    },
    event: {
      process_id: String(7_072_306_364_927_000_000n + BigInt(process)),
      approver_id: String(7_072_306_364_928_000_000n + BigInt(task)),
      type: 1,
      status,
      biz_type: biz,
      flow_definition_id: `people_${7_182_520 + (process % 100)}_${process % 100}`,
      node_definition_id: node,
      node_id: String(7_369_419_552_616_089_132n + BigInt(task)),
    },
  };
}

/** Runs a command of Node to its end. Its memory is what the system says while it runs. */
async function run(parameters) {
  const [command, ...rest] = pinned ? ['taskset', '-c', '0', process.execPath] : [process.execPath];
  const began = performance.now();
  const child = spawn(command, [...rest, ...parameters], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  let megabytes = 0;
  const watch = setInterval(() => {
    megabytes = Math.max(megabytes, peakOf(child.pid));
  }, 100);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${parameters.join(' ')} ended with ${code}: ${said.slice(-2000)}`);
  return { seconds: (performance.now() - began) / 1000, megabytes };
}

function peakOf(pid) {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
  } catch {
    return 0;
  }
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function rounded(number) {
  return Number(number.toFixed(2));
}
