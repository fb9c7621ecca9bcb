// How long `aftersign rules test` takes for 200 rules with 1 000 cases, all of it: starting Node, reading, checking and
// compiling the folder, and running the cases on their virtual clocks. Side by side with a Node that does nothing.
// Also with coverage, and how many mutants a second are judged.
//   npm run bench:cases [-- --rules 200 --cases 5 --json]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeEvent, makeRules, random } from './rule-mix.mjs';

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '200' },
    /** For each rule. */
    cases: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const RULES = Number(values.rules);
const CASES = Number(values.cases);
const MUTATED = Math.min(10, RULES);
const MOST_SECONDS = 5;
const TYPE = 'corehr.process.approver.updated_v2';
const CLI = join(import.meta.dirname, '..', 'dist', 'cli.js');
const FLAGS = ['--max-semi-space-size=32', '--disable-proto=delete'];
const note = (text) => process.stderr.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'aftersign-cases-'));
try {
  const ruleNames = writeFolder();
  note(`finding out what ${RULES * CASES} cases come to`);
  expectWhatHappens(ruleNames);
  const rows = [
    { run: 'node alone', ...timed(['--eval', '0'], 5) },
    { run: 'rules test', ...timed([...FLAGS, CLI, 'rules', 'test', folder], 5) },
    {
      run: 'rules test --coverage',
      ...timed([...FLAGS, CLI, 'rules', 'test', folder, '--coverage', '--json'], 3),
    },
  ];
  const few = mutants();
  const [alone, plain] = rows;
  const ratios = {
    'rules test/node alone': Number((plain.seconds / alone.seconds).toFixed(1)),
    'seconds/allowed': Number((plain.seconds / MOST_SECONDS).toFixed(2)),
  };
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node };
  if (values.json) console.log(JSON.stringify({ bench: 'cases', machine, rows: [...rows, few], ratios }));
  else {
    console.log(`\n${RULES} rules with ${RULES * CASES} cases (${machine.cpu}, Node ${machine.node})\n`);
    for (const { run, seconds } of rows)
      console.log(`  ${run.padEnd(24)} ${seconds.toFixed(2).padStart(8)} s`);
    console.log(
      `  ${few.run.padEnd(24)} ${few.seconds.toFixed(2).padStart(8)} s for ${few.mutants} mutants of ${MUTATED} rules`,
    );
    console.log(
      `\nrules test takes ${ratios['rules test/node alone']} times as long as a Node that does nothing, and ${plain.seconds.toFixed(2)} s (≤ ${MOST_SECONDS})`,
    );
  }
  if (plain.seconds > MOST_SECONDS) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The rules of the bench of rules, each with an action, in a file of its own. */
function writeFolder() {
  const rules = makeRules(RULES);
  rules.forEach(({ name, conditions }, at) => {
    const sub = join(folder, `topic-${at % 20}`);
    if (at < 20) mkdirSync(sub);
    const action = {
      type: 'http',
      name: 'tell',
      url: 'https://payroll.example.com/approvals',
      headers: { authorization: 'Bearer {{ secrets.PAYROLL_TOKEN }}' },
      body: { process: '{{ event.process_id }}', status: '{{ event.status }}' },
    };
    const rule = { name, owner: 'people-ops', trigger: TYPE, conditions, actions: [action] };
    writeFileSync(join(sub, `${name}.rule.json`), JSON.stringify(rule, null, 2));
  });
  return rules;
}

/** Cases with events that are made to suit their rule, or the next one; first without any word on what comes of them. */
function expectWhatHappens(rules) {
  const next = random(11);
  const cases = new Map(
    rules.map(({ name }, at) => [
      name,
      Array.from({ length: CASES }, (_, number) => {
        const { plain } = makeEvent(next, [rules[(at + (number % 2)) % RULES]]);
        const { event_type, ...fields } = plain;
        if (event_type !== TYPE) throw new Error(`an event of the type ${event_type}`);
        return { name: `event ${number}`, steps: [{ event: fields }], expect: [] };
      }),
    ]),
  );
  write(cases);
  const { results } = run('--json');
  for (const { file, name, deliveries } of results) {
    const rule = /([^/]+)\.cases\.json$/.exec(file)[1];
    const found = cases.get(rule).find((one) => one.name === name);
    found.expect = deliveries.map(({ action, request }) => ({ rule, action, with: { body: request.body } }));
    found.verdicts = { [rule]: deliveries.length > 0 ? 'matched' : 'not matched' };
  }
  write(cases);
  const { ok, cases: counts } = run('--json');
  if (!ok || counts.passed !== RULES * CASES)
    throw new Error(`not all cases pass: ${JSON.stringify(counts)}`);
}

function write(cases) {
  [...cases].forEach(([rule, own], at) => {
    writeFileSync(
      join(folder, `topic-${at % 20}`, `${rule}.cases.json`),
      JSON.stringify({ cases: own }, null, 2),
    );
  });
}

function run(...parameters) {
  const child = spawnSync(process.execPath, [...FLAGS, CLI, 'rules', 'test', folder, ...parameters], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (child.status === null || child.stdout === '') throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

function mutants() {
  const began = performance.now();
  const { mutation } = run('--json', '--mutate', '--filter', 'rule-0000');
  const seconds = (performance.now() - began) / 1000;
  return { run: 'rules test --mutate', seconds, mutants: mutation.mutants.length, percent: mutation.percent };
}

/** Seconds from start to end: the best of several. */
function timed(parameters, times) {
  let best = Infinity;
  for (let at = 0; at < times; at += 1) {
    const began = performance.now();
    const { status } = spawnSync(process.execPath, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`${parameters.join(' ')} failed with ${status}`);
    best = Math.min(best, performance.now() - began);
  }
  return { seconds: Number((best / 1000).toFixed(3)) };
}
