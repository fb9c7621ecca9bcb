// What state and timers cost, in three parts:
//   cost    the evaluation stage with events that have state and arm ladders, beside the same events as they are for a
//           type that belongs to no root entity: in turn, the same rules, the same database
//   steady  100 000 armed ladders that come due at 10 000 a minute: how late their steps are decided, by the real service
//   storm   100 000 ladders due in the same second, while events are pushed: how long, how much memory, and the acks
//   npm run bench:state [-- --events 20000 --rounds 6 --timers 100000 --minutes 2 --only cost,steady,storm --json]
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeliveryStore } from '../dist/action/delivery-store.js';
import { SystemClock } from '../dist/config/clock.js';
import { Metrics } from '../dist/config/metrics.js';
import { createDataSource, migrate } from '../dist/database/data-source.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { Partitions } from '../dist/database/partitions.js';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { EventStore } from '../dist/events/event-store.js';
import { LiveCatalogue } from '../dist/events/live-catalogue.js';
import { laneOf } from '../dist/queue/lanes.js';
import { Wakeup } from '../dist/queue/wakeup.js';
import { DecisionWorker } from '../dist/rules/decision-worker.js';
import { LookupCache } from '../dist/rules/lookup-cache.js';
import { compileRuleSet } from '../dist/rules/rule-compiler.js';
import { RuleStores, storesOf } from '../dist/rules/rule-stores.js';
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
    events: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '6' },
    timers: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '2' },
    only: { type: 'string', default: 'cost,steady,storm' },
    json: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const ROUNDS = Number(values.rounds);
const TIMERS = Number(values.timers);
const MINUTES = Number(values.minutes);
const PER_MINUTE = 10_000;
const PARTS = values.only.split(',');
const TYPE = 'corehr.process.approver.updated_v2';

/** One of them has an escalation: a quarter of the tasks. */
const BIZ_TYPES = ['renewal_record', 'job_change', 'probation', 'offboarding'];
const ACTION = { type: 'http', name: 'tell', url: 'http://127.0.0.1:9/{{ event.approver_id }}' };
const equal = (fact, value) => ({ fact, operator: 'equal', value });
/**
 * What an installation has: for each kind of document a rule that tells some system when a task is done, one kind with an
 * escalation, and one rule that reads the state.
 */
const RULES = [
  ...BIZ_TYPES.map((bizType, n) => ({
    name: `done-${n}`,
    trigger: TYPE,
    conditions: { all: [equal('status', 3), equal('biz_type', bizType)] },
    actions: [ACTION],
  })),
  {
    name: 'nag',
    trigger: TYPE,
    conditions: { all: [equal('status', 1), equal('biz_type', 'renewal_record')] },
    escalate: {
      per: 'task',
      steps: [
        { after: '24h', actions: [ACTION] },
        { after: '48h', actions: [ACTION] },
      ],
    },
  },
  { name: 'moved', trigger: TYPE, conditions: { all: [equal('task.transition', '3>1')] }, actions: [ACTION] },
];
const FILES = new Map(RULES.map((rule) => [`${rule.name}.rule.json`, JSON.stringify(rule)]));

const folder = mkdtempSync(join(tmpdir(), 'aftersign-bench-'));
chmodSync(folder, 0o755);
const builtIn = loadBuiltInCatalogue();
const clock = new SystemClock();
const silent = () => undefined;
const rows = [];
const ratios = {};

/** An event as the store takes it: the nth task of processes of six is told "to do", or "done". */
function eventOf(run, n, status, withRoot, bizType = BIZ_TYPES[Math.floor(n / 6) % 4]) {
  const process = `${run}-${Math.floor(n / 6)}`;
  const task = `${run}-${n}`;
  const eventId = randomUUID();
  const createTime = Date.now() - 1000 + status;
  const raw = JSON.stringify({
    schema: '2.0',
    header: {
      event_id: eventId,
      event_type: TYPE,
      create_time: String(createTime),
      token: '',
      app_id: 'cli_a',
      tenant_key: 't',
    },
    event: {
      process_id: process,
      approver_id: task,
      type: 1,
      status,
      biz_type: bizType,
      flow_definition_id: 'people_7182520625066475540_7222929439175839532',
      node_definition_id: 'approval_7c7d9c4d25b',
      node_id: `${process}-n`,
    },
  });
  return {
    origin: 'feishu:cli_a',
    eventId,
    eventType: TYPE,
    source: 'feishu-webhook',
    createTime,
    statusRank: status === 1 ? 1 : 3,
    rootEntity: withRoot ? `process:${process}` : null,
    raw: Buffer.from(raw),
    content: null,
    transport: null,
  };
}

function roomOf(dataSource) {
  const wakeup = new Wakeup(dataSource);
  const partitions = new Partitions(dataSource);
  const deliveries = new DeliveryStore(dataSource, wakeup);
  const live = new LiveCatalogue(dataSource, builtIn);
  const timezone = 'Asia/Shanghai';
  // Counted as in a service, and never reached.
  const stormBrake = { max: 1_000_000_000, perMs: 600_000 };
  const rules = new RuleStores(dataSource, { builtIn, live, clock, deliveries, timezone, stormBrake });
  const events = new EventStore(dataSource, partitions, wakeup, clock);
  const log = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (fields, text) => note(`${fields.event}: ${text}`),
    flush: silent,
  };
  const decisions = new DecisionWorker(
    dataSource,
    { ...storesOf(rules), events, deliveries, partitions },
    { cache: new LookupCache(), fetcher: null },
    { timezone, wakeup, clock, log, metrics: new Metrics() },
  );
  return { rules, events, decisions };
}

async function cost(dataSource) {
  const room = roomOf(dataSource);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of round % 2 === 0 ? ['without', 'with'] : ['with', 'without']) {
      const run = `${round}${name === 'with' ? 1 : 2}`;
      let us = 0;
      // First all are told to do, then all are told done: ladders are armed in one transaction and cancelled in another.
      for (const status of [1, 3]) {
        const events = Array.from({ length: EVENTS / 2 }, (_, n) => eventOf(run, n, status, name === 'with'));
        for (let at = 0; at < events.length; at += 2000)
          await Promise.all(events.slice(at, at + 2000).map((event) => room.events.store(event)));
        const started = performance.now();
        await room.decisions.drain();
        us += ((performance.now() - started) * 1000) / EVENTS;
      }
      note(`round ${round} of ${ROUNDS}, ${name} state: ${us.toFixed(0)} µs an event`);
      // The first round warms up.
      if (round > 0) rows.push({ part: 'cost', name, round, usPerEvent: us });
    }
  }
  await room.events.onApplicationShutdown();
  ratios.cost = ratioOf('with', 'without') - 1;
}

/** The median of what the two halves of each round say: what else the machine does meanwhile falls on both. */
function ratioOf(name, other) {
  const of = (wanted, round) =>
    rows.find((row) => row.part === 'cost' && row.name === wanted && row.round === round).usPerEvent;
  return median(Array.from({ length: ROUNDS }, (_, n) => of(name, n + 1) / of(other, n + 1)));
}

/** Ladders that stand, with the events that armed them, as decisions leave them. `dueAt`: of the nth, in ms. */
async function arm(dataSource, run, count, dueAt) {
  const room = roomOf(dataSource);
  const { ruleSet } = await compileRuleSet(FILES, builtIn);
  const { plan } = ruleSet.ruleOf('nag').escalation;
  for (let at = 0; at < count; at += 2000) {
    const part = Array.from({ length: Math.min(2000, count - at) }, (_, n) => ({
      ...eventOf(`${run}${at}`, n, 1, true, 'renewal_record'),
      // Its first step is due then.
      createTime: Math.round(dueAt(at + n)) - 24 * 3_600_000,
    }));
    const stored = await room.events.storeAside(part, 'armed by the bench');
    await dataSource.query(
      `insert into timers (id, rule, per, subject, entity, lane, state, event_id, cause, base_time, holders, step, due_at, plan,
                           created_at, updated_at)
       select gen_random_uuid(), 'nag', 'task', subject, entity, lane, 'armed', event_id, cause, base_time,
              json_build_object(subject, event_id), '24h', base_time + interval '24h', $6, now(), now()
         from unnest($1::text[], $2::text[], $3::smallint[], $4::uuid[], $5::text[], $7::timestamptz[])
              as u (subject, entity, lane, event_id, cause, base_time)`,
      [
        part.map((_, n) => `task:${run}${at}-${n}`),
        part.map(({ rootEntity }) => rootEntity),
        part.map(({ rootEntity }) => laneOf(rootEntity)),
        stored.map(({ id }) => id),
        part.map(({ origin, eventId }) => `${origin}/${eventId}`),
        plan,
        part.map(({ createTime }) => new Date(createTime)),
      ],
    );
    if (at % 20_000 === 0) note(`arming ladders ${at} of ${count}`);
  }
  await room.events.onApplicationShutdown();
}

async function service() {
  const rules = join(folder, 'rules');
  mkdirSync(rules, { recursive: true });
  for (const [file, text] of FILES) writeFileSync(join(rules, file), text);
  const port = await freePort();
  // Without the role that sends: what is measured ends with the decision.
  const settings = {
    PORT: String(port),
    RULES_DIR: rules,
    DATA_DIR: folder,
    ROLE: 'ingest,rules',
    STORM_BRAKE: 'off',
    LOG_LEVEL: 'error',
    ...APP_SETTINGS,
  };
  return await startChild(['dist/main.js'], settings, port, '/health/ready');
}

const peakMb = (pid) =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
const sleepUntil = (time) => new Promise((resolve) => setTimeout(resolve, Math.max(0, time - Date.now())));

/** How late the steps of a run were decided, and whether each was, once. */
async function lateness(dataSource, run) {
  const [row] = await dataSource.query(
    `select count(*)::int as sent, count(distinct d.cause)::int as distinct,
            percentile_cont(0.5) within group (order by late) as p50, percentile_cont(0.99) within group (order by late) as p99,
            max(late) as worst
       from (select d.cause, extract(epoch from d.created_at - (t.base_time + interval '24h'))::float8 as late
               from deliveries d join timers t on d.cause = t.cause || '#24h' where t.subject like $1) as d`,
    [`task:${run}%`],
  );
  return row;
}

async function waitFor(dataSource, run, count) {
  for (;;) {
    const { sent } = await lateness(dataSource, run);
    if (sent >= count) return;
    note(`${sent} of ${count} steps sent`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function steady(dataSource) {
  const due = Math.min(TIMERS, PER_MINUTE * MINUTES);
  const begin = Date.now() + 20_000 + TIMERS;
  await arm(dataSource, 'steady', TIMERS, (n) => begin + n * (60_000 / PER_MINUTE));
  const { child } = await service();
  note(`${TIMERS} ladders stand; the first is due in ${Math.round((begin - Date.now()) / 1000)} s`);
  await sleepUntil(begin + MINUTES * 60_000);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const found = await lateness(dataSource, 'steady');
  if (found.sent < due || found.sent !== found.distinct)
    throw new Error(`${found.sent} of ${due} steps were sent`);
  rows.push({ part: 'steady', armed: TIMERS, duePerMinute: PER_MINUTE, ...found, peakMb: peakMb(child.pid) });
  ratios['steady p99 lateness/2 s'] = found.p99 / 2;
  await endChildren();
  await dataSource.query(`delete from timers where state in ('armed', 'finished')`);
}

async function storm(dataSource) {
  const at = Math.ceil((Date.now() + 40_000 + TIMERS) / 1000) * 1000;
  await arm(dataSource, 'storm', TIMERS, (n) => at + (n % 1000));
  const { child, url: service_ } = await service();
  const pushes = makePushes(20_000);
  await load(service_, pushes.slice(0, 5000));
  const rest = peakMb(child.pid);
  const quiet = await load(service_, pushes.slice(5000, 10_000));
  if (Date.now() > at)
    throw new Error('the storm began before the bench was ready: use a faster machine or fewer --timers');
  await sleepUntil(at + 1000);
  const started = performance.now();
  const busy = await load(service_, pushes.slice(10_000, 20_000));
  await waitFor(dataSource, 'storm', TIMERS);
  const seconds = (performance.now() - started) / 1000;
  const found = await lateness(dataSource, 'storm');
  if (found.sent !== TIMERS || found.distinct !== TIMERS)
    throw new Error(`${found.sent} steps, ${found.distinct} of them distinct`);
  rows.push({
    part: 'storm',
    due: TIMERS,
    seconds,
    ...found,
    peakMb: peakMb(child.pid),
    peakMbBefore: rest,
    quiet,
    busy,
  });
  ratios['storm steps per second/1000'] = TIMERS / seconds / 1000;
  ratios['storm peak memory/before'] = peakMb(child.pid) / rest;
  ratios['storm acks per second/quiet'] = busy.perSecond / quiet.perSecond;
  ratios['storm ack p99/3 s'] = busy.p99 / 3000;
}

let server;
let dataSource;
try {
  server = await startEmbeddedPostgres({ dataDir: folder, log: silent });
  dataSource = await createDataSource(server.url, 10).initialize();
  await migrate(dataSource);
  const partitions = new Partitions(dataSource);
  await partitions.ensure(Date.now());
  const room = roomOf(dataSource);
  const { ruleSet, findings } = await compileRuleSet(FILES, builtIn);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  await room.rules.ruleSets.offer(ruleSet, FILES, 'start');
  await room.events.onApplicationShutdown();
  if (PARTS.includes('cost')) await cost(dataSource);
  await dataSource.query(`delete from timers`);
  if (PARTS.includes('steady')) await steady(dataSource);
  if (PARTS.includes('storm')) await storm(dataSource);
} finally {
  await endChildren();
  await dataSource?.destroy();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const rounded = (value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value);
const report = {
  bench: 'state',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  rows: rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)])),
  ),
  ratios: Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, rounded(value)])),
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  for (const { part, ...row } of report.rows) console.log(part.padEnd(8), JSON.stringify(row));
  console.log('ratios  ', JSON.stringify(report.ratios));
}
