import { printable } from '../config/terminal-text.js';
import type { CaseFailure, CaseResult } from '../rules/cases/case-result.js';
import { failureLines, type FailureStyle } from '../rules/cases/case-failure-text.js';
import type { Colours } from './colours.js';

/** How results are told. */
export interface ReportStyle {
  readonly colours: Colours;
  /** By which times are shown that a case says no time zone for. */
  readonly timezoneOf: (result: CaseResult) => string;
  readonly reasonOf: (result: CaseResult, failure: CaseFailure) => readonly string[];
}

/** Results by file, in the order in which they came. */
export function byFile(results: readonly CaseResult[]): ReadonlyMap<string, readonly CaseResult[]> {
  const files = new Map<string, CaseResult[]>();
  for (const result of results) {
    const known = files.get(result.file);
    if (known) known.push(result);
    else files.set(result.file, [result]);
  }
  return files;
}

/** Each file with ✓ or ✗, and the failures of its cases below it. */
export function reportText(results: readonly CaseResult[], style: ReportStyle): string {
  const { green, red, bold, dim } = style.colours;
  const lines: string[] = [];
  for (const [file, own] of byFile(results)) {
    const failed = own.filter(({ ok }) => !ok);
    const passed = own.length - failed.length;
    const counts = [
      `${passed} passed 通过`,
      ...(failed.length > 0 ? [red(`${failed.length} failed 失败`)] : []),
    ];
    lines.push(`${failed.length > 0 ? red('✗') : green('✓')} ${bold(printable(file))}  ${counts.join(', ')}`);
    for (const result of failed) {
      lines.push(`  ${red('✗')} ${printable(result.name)}  ${dim(`${printable(file)}:${result.line}`)}`);
      for (const line of failuresOf(result, style)) lines.push(`    ${line}`);
    }
  }
  if (results.some(({ ok }) => !ok)) lines.push('', `${red('− expected 预期')}   ${green('+ got 实际')}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** All failures of a case, in lines. */
export function failuresOf(
  result: CaseResult,
  { colours, timezoneOf, reasonOf }: ReportStyle,
): readonly string[] {
  const style: FailureStyle = {
    colours,
    timezone: timezoneOf(result),
    reasonOf: (failure) => reasonOf(result, failure),
  };
  return result.failures.flatMap((failure) => failureLines(failure, result, style));
}

/** `12 passed 通过, 1 failed 失败 in 3 files 文件`. */
export function countsText(results: readonly CaseResult[], { green, red }: Colours): string {
  const failed = results.filter(({ ok }) => !ok).length;
  const files = byFile(results).size;
  const passed = `${results.length - failed} passed 通过`;
  return `${[failed === 0 ? green(passed) : passed, ...(failed > 0 ? [red(`${failed} failed 失败`)] : [])].join(', ')} in ${files} file${files === 1 ? '' : 's'} 文件`;
}
