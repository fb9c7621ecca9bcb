import { createWriteStream, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { loadConfig } from '../config/config.js';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import { EventList } from '../console/read/event-list.js';
import { recordedWithin } from '../console/read/recorded-events.js';
import { matchesPattern } from '../events/catalogue.js';
import { warmUpOf } from '../rules/backtest/backtest.js';
import type { BacktestReport } from '../rules/backtest/backtest-report.js';
import { type Gate, judgeGates, readGate } from '../rules/backtest/gate.js';
import type { RuleSet } from '../rules/rule-set.js';
import { RuleSetError } from '../rules/rules.errors.js';
import { diffRules } from '../rules/sentence/rule-diff.js';
import { saidSetOf } from '../rules/sentence/said-set.js';
import type { Language } from '../rules/sentence/language.js';
import { refuseWith } from './admin.js';
import { backtestMarkdown } from './backtest-markdown.js';
import { type BacktestRun, runBacktest } from './backtest-run.js';
import { backtestText, type ShownBacktest } from './backtest-text.js';
import { type Installation, withInstallation } from './installation.js';
import { NobodyReads, print } from './output.js';
import { type Progress, progressOn } from './progress.js';
import { FileRecordedEvents } from './recorded-file.js';
import { refuse, wrongUse } from './refuse.js';
import { loadRuleSet, rulesFolder } from './rules-folder.js';
import { uncoloured } from './wrapped-text.js';

export interface BacktestOptions {
  /** A folder; absent: the one that other commands mean. */
  readonly rules?: string | undefined;
  /** A folder, `live`, the beginning of a hash, or `none`: no rules at all. */
  readonly against?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly type?: readonly string[] | undefined;
  /** Milliseconds. */
  readonly warmUp?: number | undefined;
  /** A file of events; `-`: standard input. */
  readonly events?: string | undefined;
  /** The declared source whose bodies the lines of the file are. */
  readonly source?: string | undefined;
  /** Only this rule is shown. */
  readonly rule?: string | undefined;
  readonly examples: number;
  readonly failIf: readonly string[];
  readonly json: boolean;
  readonly markdown: boolean;
  readonly output?: string | undefined;
  readonly lang?: Language | undefined;
}

const DAY_MS = 86_400_000;
const WINDOW_DAYS = 30;
/** What rules are compared with to see all that they would send. */
const NONE = 'none';

/**
 * `aftersign backtest`: what a rules folder would have sent over stored events, beside what another rule set would have.
 * Nothing is stored and nothing is sent. Exit code 1 when a gate fails, or the rules or the events cannot be had; 2 when the
 * options make no sense.
 */
export async function backtestRules(options: BacktestOptions): Promise<number> {
  const { json, markdown, against = 'live', events } = options;
  if (json && markdown) return wrongUse('--json or --markdown, not both');
  const gates: Gate[] = [];
  for (const text of options.failIf) {
    const gate = readGate(text);
    if (typeof gate === 'string') return wrongUse(`--fail-if "${text}": ${gate}`);
    gates.push(gate);
  }
  const isFolder = statSync(against, { throwIfNoEntry: false })?.isDirectory() === true;
  const isHere = isFolder || against === NONE;
  if (events !== undefined && !isHere)
    return wrongUse(
      options.against === undefined
        ? '--events needs no database, so --against must name a folder with the rules to compare with'
        : `with --events, --against must be a folder, and "${against}" is none`,
    );
  if (events === undefined && options.source !== undefined) return wrongUse('--source goes with --events');
  if (!isHere && against !== 'live' && !/^[0-9a-f]{6,64}$/.test(against))
    return wrongUse(`"${against}" is no folder, nor "live", "none", nor 6 or more digits of a hash`);
  const { since, until } = options;
  if (since && until && since >= until) return wrongUse('--since must be before --until');
  try {
    return await new BacktestCommand(options, gates, isFolder ? against : null).run();
  } catch (error) {
    if (error instanceof NobodyReads) return 0;
    if (error instanceof RuleSetError) return refuse(error.code, error.message);
    if (error instanceof Refusal) return refuseWith(error);
    throw error;
  }
}

/** What a run has come to. */
interface Ended {
  readonly before: RuleSet;
  readonly after: RuleSet;
  readonly report: BacktestReport;
  readonly input: ShownBacktest['input'];
}

class BacktestCommand {
  private readonly progress: Progress;

  constructor(
    private readonly options: BacktestOptions,
    private readonly gates: readonly Gate[],
    /** Of what is compared with; null: that is stored. */
    private readonly folder: string | null,
  ) {
    const words = { doing: 'back-testing', done: 'back-tested', what: 'events', rated: true };
    this.progress = progressOn(process.stderr, words);
  }

  async run(): Promise<number> {
    const after = await loadRuleSet(rulesFolder(this.options.rules));
    if (!after) return 1;
    const before = this.options.against === NONE ? withoutRules(after) : await folderSet(this.folder);
    if (before === undefined) return 1;
    const { events } = this.options;
    const ended =
      events !== undefined && before
        ? await this.overFile(events, before, after)
        : await withInstallation(
            async (installation) => await this.overDatabase(installation, before, after),
          );
    return typeof ended === 'number' ? ended : await this.show(ended);
  }

  private async overFile(given: string, before: RuleSet, after: RuleSet): Promise<Ended | number> {
    const unknown = this.unknownRule(before, after);
    if (unknown !== null) return unknown;
    // The end of what comes in is not known before it has come.
    const folder = given === '-' ? await mkdtemp(join(tmpdir(), 'aftersign-')) : null;
    try {
      const file = folder === null ? given : join(folder, 'events.ndjson');
      if (folder !== null) await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
      return await this.read(file, given, before, after);
    } finally {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    }
  }

  private async read(file: string, given: string, before: RuleSet, after: RuleSet): Promise<Ended | number> {
    const { since, until, warmUp = warmUpOf([before, after]), source: named } = this.options;
    const { webhookSources, feishuApps } = settingsOfFiles(this.progress);
    const source =
      named === undefined ? null : (webhookSources.find(({ name }) => name === named) ?? undefined);
    if (source === undefined)
      return refuse('SOURCE_UNKNOWN', `SOURCES_FILE declares no source "${printable(named ?? '')}"`);
    const window = {
      from: since?.getTime() ?? null,
      until: until?.getTime() ?? null,
      warmUpFrom: (since?.getTime() ?? 0) - warmUp,
    };
    const events = new FileRecordedEvents(
      file,
      { catalogue: before.catalogue.with(after.catalogue.entries), source, webhookSources, apps: feishuApps },
      {
        isWanted: this.isWanted,
        from: window.from === null ? undefined : window.warmUpFrom,
        until: window.until ?? undefined,
        onRejected: (line, reason) => {
          this.progress.say(`line ${line}: ${printable(reason)}`);
        },
      },
    );
    const report = await this.test(events, {
      before,
      after,
      window,
      expected: (done) => (events.share === 0 ? null : Math.round(done / events.share)),
    });
    const { counts } = events;
    if (!report)
      return refuse(
        'EVENT_UNREADABLE',
        `${given} holds no event (${counts.lines} lines, ${counts.rejected} rejected)`,
      );
    const { rejected, duplicates, disordered } = counts;
    return {
      before,
      after,
      report,
      input: [
        ['rejected', rejected],
        ['duplicates', duplicates],
        ['disordered', disordered],
      ],
    };
  }

  private async overDatabase(
    { dataSource, catalogue, ruleSets, clock }: Installation,
    given: RuleSet | null,
    after: RuleSet,
  ): Promise<Ended | number> {
    await catalogue.refresh();
    const { against = 'live', type = [] } = this.options;
    const before = given ?? (against === 'live' ? await ruleSets.current() : await ruleSets.findBy(against));
    if (!before) return refuse('RULE_SET_UNKNOWN', 'No rule set is live: name a folder with --against.');
    const unknown = this.unknownRule(before, after);
    if (unknown !== null) return unknown;
    const until = this.options.until?.getTime() ?? clock.now();
    const from = this.options.since?.getTime() ?? until - WINDOW_DAYS * DAY_MS;
    const warmUpFrom = from - (this.options.warmUp ?? warmUpOf([before, after]));
    const events = recordedWithin(dataSource, new EventList(dataSource, catalogue), {
      from: warmUpFrom,
      until,
      types: type,
    });
    const expected = await events.count();
    const report = await this.test(events, {
      before,
      after,
      window: { from, until, warmUpFrom },
      expected: () => expected,
    });
    // With a window there is always a report.
    if (!report) return refuse('EVENT_UNREADABLE', 'there are no events');
    return { before, after, report, input: [['undecided', events.undecided]] };
  }

  private async test(
    events: Parameters<typeof runBacktest>[0],
    run: Pick<BacktestRun, 'before' | 'after' | 'window' | 'expected'>,
  ): Promise<BacktestReport | null> {
    const { DEFAULT_TIMEZONE, DEFAULT_CALENDAR } = loadConfig({
      DEFAULT_TIMEZONE: process.env['DEFAULT_TIMEZONE'],
      DEFAULT_CALENDAR: process.env['DEFAULT_CALENDAR'],
    });
    // What is garbage is let go early: a long run would take twice the memory that it needs, for a little less work.
    setFlagsFromString('--heap-growing-percent=50');
    try {
      return await runBacktest(events, {
        ...run,
        timezone: DEFAULT_TIMEZONE,
        calendar: DEFAULT_CALENDAR ?? null,
        examples: this.options.examples,
        progress: this.progress,
      });
    } finally {
      this.progress.end();
    }
  }

  private async show({ before, after, report, input }: Ended): Promise<number> {
    const { json, markdown, output, rule = null, lang } = this.options;
    const gates = judgeGates(this.gates, report);
    const ok = gates.every(({ failed }) => !failed);
    const shown: ShownBacktest = { report, gates, input, rule, lang };
    const text = json
      ? `${JSON.stringify(documentOf(shown, ok))}\n`
      : markdown
        ? backtestMarkdown(shown, diffRules(await saidSetOf(before), await saidSetOf(after)))
        : backtestText(shown);
    if (output === undefined) await print(text);
    else await written(output, uncoloured(text));
    for (const { gate, failed, count } of gates)
      if (failed) refuse('GATE_FAILED', `${printable(gate.text)}: ${count}`);
    return ok ? 0 : 1;
  }

  /** A name that is in neither set is a slip, and would pass every gate. */
  private unknownRule(before: RuleSet, after: RuleSet): number | null {
    const names = [...this.gates.map(({ rule }) => rule), this.options.rule ?? null];
    const unknown = names.find((name) => name !== null && !before.ruleOf(name) && !after.ruleOf(name));
    if (unknown === undefined || unknown === null) return null;
    return refuse('RULE_UNKNOWN', `neither of the two rule sets has a rule "${printable(unknown)}"`);
  }

  private get isWanted(): ((eventType: string) => boolean) | undefined {
    const { type = [] } = this.options;
    return type.length === 0 ? undefined : (eventType) => type.some((one) => matchesPattern(one, eventType));
  }
}

/** All that a rule set brings along, and no rules. */
function withoutRules(ruleSet: RuleSet): RuleSet {
  return ruleSet.withRules([]).named(NONE);
}

/** Null: no folder is named. Undefined: it has errors, which are told. */
async function folderSet(folder: string | null): Promise<RuleSet | null | undefined> {
  return folder === null ? null : ((await loadRuleSet(folder)) ?? undefined);
}

/** What `--json` prints. */
function documentOf({ report, gates, input, rule }: ShownBacktest, ok: boolean): object {
  return {
    ok,
    gates: gates.map(({ gate, count, value, failed }) => ({
      gate: gate.text,
      count,
      value: Number.isFinite(value) ? value : null,
      failed,
    })),
    input: Object.fromEntries(input),
    report: rule === null ? report : { ...report, rules: report.rules.filter((one) => one.rule === rule) },
  };
}

async function written(file: string, text: string): Promise<void> {
  try {
    // It may say what stands in events.
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw new Refusal(409, 'FILE_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`);
  }
}

/** The settings that say how bodies are read; no others count, and without the secrets of sources there are no sources. */
function settingsOfFiles(
  progress: Progress,
): Pick<ReturnType<typeof loadConfig>, 'webhookSources' | 'feishuApps'> {
  const isMeant = (name: string): boolean =>
    /^(?:SOURCES_FILE|FEISHU_APP_ID|FEISHU_ENCRYPT_KEY|SECRETS_DIR|SECRET_.*)$/.test(name);
  try {
    return loadConfig(Object.fromEntries(Object.entries(process.env).filter(([name]) => isMeant(name))));
  } catch (error) {
    progress.say(`the sources of SOURCES_FILE are not known here: ${messageOf(error)}`);
    return { webhookSources: [], feishuApps: [] };
  }
}
