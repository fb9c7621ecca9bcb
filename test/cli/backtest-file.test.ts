// The built command over files of events: no database, and no network where the system can take it away.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BacktestReport } from '../../src/rules/backtest/backtest-report.js';
import { RUNTIME_FLAGS } from '../../src/runtime.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { envelopeOf } from '../support/feishu.js';
import { folderWith, temporaryFolder } from '../support/folder.js';
import { CHILD_ENVIRONMENT } from '../support/process.js';

const TYPE = 'corehr.process.approver.updated_v2';
const BEGIN = Date.UTC(2026, 10, 2, 1);
/** Text that a person typed, and that must not become a part of the report's Markdown. */
const TYPED = '</summary>|`@all <script>';

const ruleFile = (name: string, status: number, to: string) =>
  JSON.stringify({
    name,
    trigger: TYPE,
    conditions: { all: [{ fact: 'status', operator: 'equal', value: status }] },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: `https://${to}.example/`,
        body: { process: '{{ event.process_id }}', who: '{{ event.node_definition_id }}' },
      },
    ],
  });

const line = (at: number, status: number, time = BEGIN + at * 60_000): string =>
  envelopeOf(
    { process_id: `p${at}`, approver_id: `a${at}`, status, node_definition_id: TYPED },
    { event_id: `e${at}`, create_time: String(time), event_type: TYPE },
  );

let old: string;
let changed: string;
let file: string;
let folder: string;
const commands = new Commands();
beforeAll(() => {
  old = folderWith({
    'done.rule.json': ruleFile('done', 3, 'a'),
    'gone.rule.json': ruleFile('gone', 2, 'b'),
  });
  changed = folderWith({
    'done.rule.json': ruleFile('done', 3, 'c'),
    'new.rule.json': ruleFile('new', 1, 'b'),
  });
  folder = temporaryFolder('events');
  file = join(folder, 'events.ndjson');
  const lines = Array.from({ length: 30 }, (_, at) => line(at, (at % 3) + 1));
  writeFileSync(file, `${lines.join('\n')}\n`);
});
afterAll(() => {
  commands.close();
});

const backtest = async (...more: string[]): Promise<Ended> =>
  await commands.run(['backtest', '--rules', changed, '--against', old, ...more]);

interface Document {
  readonly ok: boolean;
  readonly gates: readonly { readonly gate: string; readonly failed: boolean; readonly count: number }[];
  readonly input: Readonly<Record<string, number>>;
  readonly report: BacktestReport;
}

async function document(...more: string[]): Promise<Document> {
  const { code, stdout, stderr } = await backtest('--json', ...more);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Document;
}

describe('aftersign backtest --events', () => {
  it('tells what was added, removed and changed, and prints one document for programs', async () => {
    const { ok, gates, input, report } = await document('--events', file);
    expect({ ok, gates, input }).toEqual({
      ok: true,
      gates: [],
      input: { rejected: 0, duplicates: 0, disordered: 0 },
    });
    expect(report.totals).toEqual({ added: 10, removed: 10, changed: 10, moved: 0, same: 0, undecidable: 0 });
    expect(report.events).toEqual({ judged: 30, warmUp: 0, left: 0, undated: 30 });
    expect(report.window).toMatchObject({
      from: new Date(BEGIN).toISOString(),
      until: new Date(BEGIN + 29 * 60_000).toISOString(),
    });
    const done = report.rules.find(({ rule }) => rule === 'done');
    expect(done?.examples[0]?.fields).toContainEqual({
      path: 'url',
      before: 'https://a.example/',
      after: 'https://c.example/',
    });
  });

  it('tells all that the rules would have sent when there is nothing to compare with', async () => {
    const parameters = ['backtest', '--rules', old, '--against', 'none', '--events', file, '--json'];
    const { report } = JSON.parse((await commands.run(parameters)).stdout) as Document;
    expect(report.totals).toMatchObject({ added: 20, removed: 0, changed: 0, same: 0 });
    expect(report.before).toMatchObject({ ruleSet: 'none', rules: 0 });
  });

  it('gives the same hash each time, also packed, from standard input and without any network', async () => {
    const packed = `${file}.gz`;
    writeFileSync(packed, gzipSync(readFileSync(file)));
    const first = await document('--events', file);
    const hashes = [
      (await document('--events', file)).report.hash,
      (await document('--events', packed)).report.hash,
    ];
    const piped = await commands.run(
      ['backtest', '--rules', changed, '--against', old, '--events', '-', '--json'],
      {},
      readFileSync(file, 'utf8'),
    );
    hashes.push((JSON.parse(piped.stdout) as Document).report.hash);
    expect(new Set(hashes)).toEqual(new Set([first.report.hash]));
  });

  // A namespace of its own has no interface that is up, not even the loopback.
  const isolated = (command: readonly string[]) =>
    spawnSync('unshare', ['-rn', ...command], { env: CHILD_ENVIRONMENT, encoding: 'utf8', timeout: 60_000 });
  const canIsolate = process.platform === 'linux' && isolated(['true']).status === 0;
  (canIsolate ? it : it.skip)('works in a network namespace without interfaces', async () => {
    const parameters = ['backtest', '--rules', changed, '--against', old, '--events', file, '--json'];
    const { status, stdout, stderr } = isolated([
      process.execPath,
      ...RUNTIME_FLAGS,
      'dist/cli.js',
      ...parameters,
    ]);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const alone = JSON.parse(stdout) as Document;
    expect(alone.report.hash).toBe((await document('--events', file)).report.hash);
  });

  it('exits with 1 when a gate fails, and names it', async () => {
    const fine = await backtest(
      '--events',
      file,
      '--fail-if',
      'added > 10',
      '--fail-if',
      'rule:done removed > 0',
    );
    expect(fine.code).toBe(0);
    const failed = await backtest(
      '--events',
      file,
      '--json',
      '--fail-if',
      'added > 10',
      '--fail-if',
      'removed >= 50%',
    );
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('GATE_FAILED: removed >= 50%: 10');
    const { ok, gates } = JSON.parse(failed.stdout) as Document;
    expect(ok).toBe(false);
    expect(gates.map(({ gate, failed: one }) => [gate, one])).toEqual([
      ['added > 10', false],
      ['removed >= 50%', true],
    ]);
  });

  it('exits with 2 for what makes no sense, and with 1 for rules and events that cannot be had', async () => {
    const told = async (...more: string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await commands.run(['backtest', ...more]);
      return [code, stderr];
    };
    const wrong = [
      [['--events', file], '--against must name a folder'],
      [['--events', file, '--against', 'live'], '"live" is none'],
      [['--events', file, '--against', old, '--fail-if', 'addd > 1'], '"addd"'],
      [['--against', 'no such folder'], 'is no folder, nor "live"'],
      [['--events', file, '--against', old, '--json', '--markdown'], 'not both'],
      [['--events', file, '--against', old, '--warm-up', '7'], 'duration'],
    ] as const;
    for (const [parameters, said] of wrong)
      expect(await told(...parameters)).toEqual([2, expect.stringContaining(said)]);
    const here = ['--rules', changed, '--against', old] as const;
    const broken = folderWith({ 'a.rule.json': ruleFile('a', 3, 'a').replace('equal', 'eqal') });
    const refused = [
      [['--rules', broken, '--against', old, '--events', file], 'a.rule.json:'],
      [[...here, '--events', join(folder, 'none')], 'EVENT_UNREADABLE'],
      [[...here, '--events', file, '--fail-if', 'rule:dnoe added > 1'], 'RULE_UNKNOWN'],
      [[...here, '--events', join(old, 'done.rule.json')], 'EVENT_UNREADABLE'],
    ] as const;
    for (const [parameters, said] of refused)
      expect(await told(...parameters)).toEqual([1, expect.stringContaining(said)]);
  });

  it('counts lines that are no events and events that come again, and takes time as it only goes on', async () => {
    const mixed = join(folder, 'mixed.ndjson');
    const lines = [line(5, 3), '', '{"a":1}', 'no JSON', line(2, 3), line(5, 3), line(6, 3)];
    writeFileSync(mixed, `\uFEFF${lines.join('\r\n')}`);
    const { input, report } = await document('--events', mixed);
    expect(input).toEqual({ rejected: 2, duplicates: 1, disordered: 0 });
    expect(report.events).toMatchObject({ judged: 3, undated: 3 });
    expect(report.window.from).toBe(new Date(BEGIN + 5 * 60_000).toISOString());
  });

  it('counts only what is decided in the window, of the types that are meant', async () => {
    const since = new Date(BEGIN + 10 * 60_000).toISOString();
    const until = new Date(BEGIN + 20 * 60_000).toISOString();
    const within = await document('--events', file, '--since', since, '--until', until, '--warm-up', '3m');
    expect(within.report.events).toMatchObject({ judged: 10, warmUp: 3 });
    const other = await document('--events', file, '--since', since, '--until', until, '--type', 'com.*');
    expect(other.report.events).toMatchObject({ judged: 0, warmUp: 0 });
  });

  it('reads well, in one language or both, and marks nothing that events brought', async () => {
    const both = await backtest('--events', file, '--examples', '1');
    expect(both.stdout).toContain('10 added 新增, 10 removed 消失, 10 changed 内容变化');
    expect(both.stdout).toContain('https://a.example/');
    const one = await backtest('--events', file, '--lang', 'zh', '--rule', 'new');
    expect(one.stdout).toContain('10 新增');
    expect(one.stdout).not.toContain('added');
    expect(one.stdout).not.toContain('gone');

    const output = join(folder, 'report.md');
    const { code, stdout } = await backtest(
      '--events',
      file,
      '--markdown',
      '--output',
      output,
      '--fail-if',
      'added > 9',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const markdown = readFileSync(output, 'utf8');
    expect(markdown).toContain('❌ `added > 9`: 10');
    expect(markdown).toContain('<details>');
    // Outside of code, that is where it would mean something, nothing of what was typed stands.
    const outside = markdown.replace(/(`{3,})\w*\n[\s\S]*?\n\1/g, '').replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
    expect(markdown).toContain(TYPED);
    expect(outside).not.toContain('script');
    expect(outside).not.toContain('@all');
  });
});
