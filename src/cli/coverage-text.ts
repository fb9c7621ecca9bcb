import { printable } from '../config/terminal-text.js';
import type { Count, CoverageReport, RuleCoverage } from '../rules/cases/coverage.js';
import type { JudgedMutant, MutationReport, RuleMutation } from '../rules/cases/mutation.js';
import { unseenText } from '../rules/cases/unseen-text.js';
import { pc } from './colours.js';
import { ListTable } from './list-table.js';
import { valueText } from './value-text.js';

const MOST_LINES = 300;

/**
 * A table with how much of each rule the cases saw, and below it what they did not see. `whole`: all cases of the folder
 * were run, so that a rule without any is worth a word.
 */
export function coverageText(report: CoverageReport, whole: boolean): string {
  const table = new ListTable<RuleCoverage>([
    { head: 'coverage 覆盖\nrule 规则', text: ({ rule }) => printable(rule) },
    { head: 'conditions\n条件真/假', text: ({ conditions }) => countText(conditions) },
    { head: 'actions\n动作', text: ({ actions }) => countText(actions) },
    { head: 'steps\n升级步骤', text: ({ steps }) => countText(steps) },
    { head: 'seen\n覆盖率', text: ({ percent }) => percentText(percent) },
  ]);
  const unseen = report.rules.flatMap(({ rule, unseen: points }) =>
    points.map((point) => `${pc.bold(printable(rule))}: ${unseenText(point)}  ${placeText(point)}`),
  );
  return [
    table.page(report.rules),
    ...limited(unseen),
    ...(whole && report.unwatched.length > 0
      ? [pc.yellow(`no case is about 没有用例: ${printable(report.unwatched.join(', '))}`), '\n']
      : []),
    `coverage 覆盖率: ${percentText(report.percent)} (${report.seen} of ${report.points})\n`,
  ].join('');
}

/** A table with how many changes to each rule the cases noticed, and below it those that they did not. */
export function mutationText(report: MutationReport): string {
  const table = new ListTable<RuleMutation>([
    { head: 'mutation 变异\nrule 规则', text: ({ rule }) => printable(rule) },
    { head: 'killed\n已察觉', text: ({ killed }) => String(killed) },
    { head: 'survived\n未察觉', text: ({ survived }) => (survived > 0 ? pc.red(String(survived)) : '0') },
    { head: 'equivalent\n等价', text: ({ equivalent }) => String(equivalent) },
    { head: 'not runnable\n不可运行', text: ({ notRunnable }) => String(notRunnable) },
    { head: 'score\n得分', text: ({ percent }) => percentText(percent) },
  ]);
  const survivors = report.mutants
    .filter(({ fate }) => fate === 'survived')
    .flatMap((mutant) => [
      `${survivorText(mutant)}  ${placeText(mutant)}`,
      ...(mutant.noticeableBy
        ? [pc.dim(`  a case with this step would 加此步骤即可察觉: ${valueText(mutant.noticeableBy)}`)]
        : []),
    ]);
  return [
    table.page(report.rules),
    ...limited(survivors),
    `mutation score 变异得分: ${percentText(report.percent)} (${report.killed} of ${report.killed + report.survived})\n`,
  ].join('');
}

function survivorText({ rules, condition, words }: JudgedMutant): string {
  const named = condition === null ? '' : ` (named condition 命名条件 ${printable(condition)})`;
  return `${pc.bold(printable(rules.join(', ')))}${named}: the tests do not notice if 测试未察觉 ${printable(words)}`;
}

function placeText({ file, line }: { readonly file: string; readonly line: number }): string {
  return pc.dim(`${printable(file)}:${line}`);
}

function limited(lines: readonly string[]): readonly string[] {
  const shown = lines.slice(0, MOST_LINES).map((line) => `  ${line}\n`);
  return lines.length > MOST_LINES
    ? [...shown, `  … ${lines.length - MOST_LINES} more: see --json\n`]
    : shown;
}

function countText({ seen, of }: Count): string {
  return of === 0 ? pc.dim('–') : `${seen}/${of}`;
}

export function percentText(percent: number): string {
  const text = `${percent} %`;
  return percent >= 100 ? pc.green(text) : percent < 50 ? pc.red(text) : text;
}
