import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadConfig } from '../config/config.js';
import { Log } from '../config/log.js';
import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import type { CaseResult } from '../rules/cases/case-result.js';
import type { Finding } from '../rules/finding.js';
import { type RuleFolder, RuleFolderReader } from '../rules/rule-files.js';
import { type FolderEvents, RuleWatcher } from '../rules/rule-watcher.js';
import { junitOf } from './case-junit.js';
import { countsText, failuresOf, type ReportStyle, reportText } from './case-report.js';
import { type TestRun, runCases } from './rules-test-run.js';
import { NO_COLOURS, pc } from './colours.js';
import { coverageText, mutationText, percentText } from './coverage-text.js';
import { findingText } from './finding-text.js';
import { print } from './output.js';
import { progressOn } from './progress.js';
import { wrongUse } from './refuse.js';
import { rulesFolder } from './rules-folder.js';
import { uncoloured } from './wrapped-text.js';

export interface TestOptions {
  readonly filter?: string | undefined;
  readonly json: boolean;
  /** A file for JUnit XML; `-`: standard output, and nothing else there. */
  readonly junit?: string | undefined;
  readonly coverage: boolean;
  readonly mutate: boolean;
  /** Percent that the coverage, and with `mutate` the mutation score, must reach. */
  readonly threshold?: number | undefined;
  readonly watch: boolean;
}

const ERRORS_SHOWN = 20;

/**
 * `aftersign rules test`: runs the cases of a rules folder on a virtual clock, without database and network. Exit code
 * 0: all pass; 1: some do not, the rule files are broken, there is no case, or a score is below the threshold; 2: wrong
 * use. With `watch` it runs them again at every change, until it is interrupted (0).
 */
export async function testRules(dir: string | undefined, options: TestOptions): Promise<number> {
  const path = rulesFolder(dir);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return wrongUse(`there is no folder ${path}: name one, or set RULES_DIR`);
  if (options.json && options.junit === '-')
    return wrongUse('--json and --junit - both want standard output: name a file for one of them');
  if (options.watch && (options.json || options.junit === '-'))
    return wrongUse('--watch writes for people: leave out --json and --junit -');
  const reader = new RuleFolderReader(path);
  const test = new RuleTest(path, options);
  if (!options.watch) return await test.run(await reader.read());
  await watchRules(test, reader, path);
  return 0;
}

/** Runs the cases at every change of the folder; resolves when the process is interrupted. */
export async function watchRules(
  test: Pick<RuleTest, 'run'>,
  reader: RuleFolderReader,
  path: string,
  events?: FolderEvents,
): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const run = async (folder: RuleFolder): Promise<void> => {
    // With what was scrolled away, so that only the last run is there to be read.
    if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[3J\u001b[H');
    await test.run(folder);
    process.stderr.write('Waiting for changes; Ctrl-C ends it. 等待改动。\n');
  };
  const folder = await reader.read();
  const log = new WatchLog();
  const watcher = new RuleWatcher(path, { settled: run, reader, log, ...(events ? { events } : {}) });
  await run(folder);
  await watcher.start(folder.fingerprint);
  await interrupted;
  await watcher.stop();
}

class RuleTest {
  private readonly builtIn: Catalogue = loadBuiltInCatalogue();
  private readonly timezone: string;
  private readonly calendar: string | null;

  constructor(
    private readonly path: string,
    private readonly options: TestOptions,
  ) {
    const { DEFAULT_TIMEZONE, DEFAULT_CALENDAR } = loadConfig({
      DEFAULT_TIMEZONE: process.env['DEFAULT_TIMEZONE'],
      DEFAULT_CALENDAR: process.env['DEFAULT_CALENDAR'],
    });
    this.timezone = DEFAULT_TIMEZONE;
    this.calendar = DEFAULT_CALENDAR ?? null;
  }

  /** Answers the exit code. */
  async run({ files, findings }: RuleFolder): Promise<number> {
    const { options, timezone, calendar } = this;
    const began = performance.now();
    const progress = options.mutate
      ? progressOn(process.stderr, { doing: 'running', done: 'ran', what: 'mutants' })
      : null;
    const run = await runCases(files, findings, this.builtIn, {
      filter: options.filter,
      coverage: options.coverage || options.threshold !== undefined,
      mutate: options.mutate,
      timezone,
      calendar,
      ...(progress ? { progress: progress.step } : {}),
    });
    progress?.end();
    if (!('results' in run)) return await this.refuse(run, files);
    return await this.report(run, performance.now() - began);
  }

  private async refuse(errors: readonly Finding[], files: RuleFolder['files']): Promise<number> {
    const { junit, json } = this.options;
    if (junit !== undefined)
      await writeTo(
        junit,
        junitOf([], () => '', errors),
      );
    if (json) {
      const cases = { passed: 0, failed: 0 };
      await print(`${JSON.stringify({ ok: false, ruleSet: null, cases, results: [], findings: errors })}\n`);
      return 1;
    }
    for (const finding of errors.slice(0, ERRORS_SHOWN))
      process.stderr.write(`${findingText(finding, files.get(finding.file))}\n\n`);
    process.stderr.write(
      `The rule files in ${this.path} have ${errors.length} errors: see "aftersign rules check ${this.path}".\n`,
    );
    return 1;
  }

  private async report(run: TestRun, ms: number): Promise<number> {
    const { options } = this;
    const { results, coverage, mutation, ruleSet } = run;
    const failed = results.filter(({ ok }) => !ok).length;
    const scores = [
      ...(coverage ? [{ ...coverage, score: 'coverage', zh: '覆盖率' } as const] : []),
      ...(mutation ? [{ ...mutation, score: 'mutation score', zh: '变异得分' } as const] : []),
    ];
    const low = scores.filter(({ percent }) => percent < (options.threshold ?? 0));
    const ok = failed === 0 && results.length > 0 && low.length === 0;
    if (options.junit !== undefined)
      await writeTo(
        options.junit,
        junitOf(results, (result) => uncoloured(failuresOf(result, this.style(run, NO_COLOURS)).join('\n'))),
      );
    if (results.length === 0) process.stderr.write(`${this.nothing()}\n`);
    if (options.json)
      await print(
        `${JSON.stringify({
          ok,
          ruleSet: ruleSet.hash,
          cases: { passed: results.length - failed, failed },
          results,
          ...(coverage ? { coverage } : {}),
          ...(mutation ? { mutation } : {}),
        })}\n`,
      );
    else if (options.junit !== '-') {
      const parts = [
        reportText(results, this.style(run, pc)),
        ...(coverage && (options.coverage || low.length > 0)
          ? [coverageText(coverage, options.filter === undefined)]
          : []),
        ...(mutation ? [mutationText(mutation)] : []),
        `${countsText(results, pc)} (${(ms / 1000).toFixed(1)} s); rule set ${ruleSet.hash.slice(0, 12)}\n`,
      ];
      await print(parts.join('\n'));
    }
    for (const { score, zh, percent, rules } of low) {
      const below = rules.filter((one) => one.percent < (options.threshold ?? 0));
      const names = below.map((one) => `${one.rule} ${one.percent} %`).join(', ');
      process.stderr.write(
        `The ${score} ${zh} is ${percentText(percent)}, below ${options.threshold ?? 0} %: ${names}\n`,
      );
    }
    return ok ? 0 : 1;
  }

  private style({ cases, results, reasons }: TestRun, colours: typeof pc): ReportStyle {
    const zones = new Map(results.map((result, at) => [result, cases[at]?.timezone ?? this.timezone]));
    return {
      colours,
      timezoneOf: (result: CaseResult) => zones.get(result) ?? this.timezone,
      reasonOf: (_, failure) => reasons.get(failure) ?? [],
    };
  }

  private nothing(): string {
    const { filter } = this.options;
    return filter === undefined
      ? `There is no case in ${this.path}: write some beside a rule, as <name>.cases.json.`
      : `No case in ${this.path} is called anything with "${filter}".`;
  }
}

async function writeTo(file: string, text: string): Promise<void> {
  if (file === '-') {
    await print(text);
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** What the watcher has to say, for whoever looks on. */
class WatchLog extends Log {
  debug(): void {
    // Nobody who looks on needs it.
  }

  info(): void {
    // Nor this.
  }

  warn(_: object, message: string): void {
    process.stderr.write(`${message}\n`);
  }

  error(_: object, message: string): void {
    process.stderr.write(`${message}\n`);
  }

  flush(): void {
    // Nothing is kept.
  }
}
