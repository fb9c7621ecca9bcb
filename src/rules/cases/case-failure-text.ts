import { writeDuration } from '../../config/duration.js';
import { printable } from '../../config/terminal-text.js';
import { ZoneClock } from '../calendar/zone-clock.js';
import type { ExpectedDelivery, ExpectedVerdict } from './case-document.js';
import type { CaseFailure, CaseResult, JudgedRule, SentDelivery, SuppressedAction } from './case-result.js';
import type { Verdict } from '../decide.js';
import { type TextColours, valueDiff, valueLines } from './value-diff.js';

const MINUTE_MS = 60_000;

/** How the failures of a case are told. */
export interface FailureStyle {
  readonly colours: TextColours;
  /** IANA name, for times. */
  readonly timezone: string;
  /** Why a rule came to its verdict, for a failure that is about it; empty: nothing is known. */
  readonly reasonOf: (failure: CaseFailure) => readonly string[];
}

type VerdictFailure = Extract<CaseFailure, { readonly kind: 'verdict' }>;

/** One failure in lines: what was expected with `−`, what there was with `+`. */
export function failureLines(
  failure: CaseFailure,
  result: CaseResult,
  style: FailureStyle,
): readonly string[] {
  const { colours } = style;
  switch (failure.kind) {
    case 'broken': {
      const step = failure.step === null ? '' : ` in step 步骤 ${failure.step + 1}`;
      return [colours.red(`cannot be run 无法运行${step}: ${printable(failure.message)}`)];
    }
    case 'unexpected':
      return [
        `${colours.red('unexpected 多余')}: ${sentText(failure.delivery, result, style)}`,
        ...indented(valueLines(failure.delivery.request, '+', colours)),
      ];
    case 'missing':
      return missingLines(failure, result, style);
    case 'verdict':
      return verdictLines(failure, style);
  }
}

/** A failure on one line. */
export function failureSummary(failure: CaseFailure): string {
  switch (failure.kind) {
    case 'broken':
      return `cannot be run: ${failure.message}`;
    case 'unexpected':
      return `unexpected: ${nameOf(failure.delivery)}`;
    case 'missing':
      return failure.closest
        ? `other than expected: ${nameOf(failure.expected)}`
        : `missing: ${nameOf(failure.expected)}`;
    case 'verdict':
      return verdictSummary(failure);
  }
}

function verdictSummary({ rule, expected, actual, differences }: VerdictFailure): string {
  const of = `verdict of ${rule}`;
  if (!actual) return `${of}: it listened to no event`;
  const wanted = typeof expected === 'string' ? expected : expected.verdict;
  if (wanted !== actual.verdict.verdict) return `${of}: expected ${wanted}, got ${actual.verdict.verdict}`;
  return `${of}: other than expected: ${differences.map(({ path }) => path).join(', ')}`;
}

function missingLines(
  failure: Extract<CaseFailure, { readonly kind: 'missing' }>,
  result: CaseResult,
  style: FailureStyle,
): readonly string[] {
  const { expected, closest, differences } = failure;
  const { colours } = style;
  if (!closest)
    return [
      `${colours.red('missing 缺少')}: ${expectedText(expected)}`,
      ...indented(expected.with === undefined ? [] : valueLines(expected.with, '−', colours)),
      ...indented(whyNot(failure, result, style)),
    ];
  return [
    `${colours.red('other than expected 与预期不符')}: ${expectedText(expected)}`,
    `  closest 最接近: ${sentText(closest, result, style)}`,
    ...differences.flatMap(({ path, expected: wanted, actual }) => [
      `  ${colours.bold(printable(path))}`,
      ...indented(indented(valueDiff(wanted, actual, colours))),
    ]),
  ];
}

/** What kept the action from being sent: a gate, or the conditions. */
function whyNot(
  failure: Extract<CaseFailure, { readonly kind: 'missing' }>,
  { judged }: CaseResult,
  style: FailureStyle,
): readonly string[] {
  const { rule, action } = failure.expected;
  const own = judged.flatMap(({ rules }) => rules.filter((one) => one.rule === rule));
  const stopped = own.flatMap(({ suppressed }) => suppressed.filter((one) => one.action === action));
  if (stopped.length > 0) return [...new Set(stopped.map(suppressedText))];
  return own.length > 0 && own.every(({ verdict }) => verdict.verdict === 'matched')
    ? []
    : style.reasonOf(failure);
}

function verdictLines(failure: VerdictFailure, style: FailureStyle): readonly string[] {
  const { rule, step, expected, actual, differences } = failure;
  const { colours } = style;
  const where = step === null ? '' : ` in step 步骤 ${step + 1}`;
  const head = `${colours.red('verdict 判定')} of ${colours.bold(printable(rule))}${where}:`;
  if (!actual)
    return [
      head,
      ...indented([
        colours.red(`− ${wordOf(expected)}`),
        colours.green('+ it listened to no event 未监听到事件'),
      ]),
    ];
  const isOther = differences.some(({ path }) => path === 'verdict');
  const words = isOther
    ? [colours.red(`− ${wordOf(expected)}`), colours.green(`+ ${verdictText(actual.verdict)}`)]
    : [`  ${verdictText(actual.verdict)}`];
  return [
    head,
    ...indented([
      ...words,
      ...differences
        .filter(({ path }) => path !== 'verdict')
        .flatMap((one) => [
          colours.bold(printable(one.path)),
          ...indented(valueDiff(one.expected, one.actual, colours)),
        ]),
      ...suppressedLines(actual),
      ...style.reasonOf(failure),
    ]),
  ];
}

function suppressedLines({ suppressed }: JudgedRule): readonly string[] {
  return suppressed.map(suppressedText);
}

function suppressedText({ action, cause }: SuppressedAction): string {
  return `not sent 未发送: ${printable(action)}: ${printable(cause)}`;
}

function wordOf(expected: ExpectedVerdict): string {
  const verdict = typeof expected === 'string' ? expected : expected.verdict;
  return `${verdict} ${VERDICTS[verdict]}`;
}

function verdictText(verdict: Verdict): string {
  const word = `${verdict.verdict} ${VERDICTS[verdict.verdict]}`;
  if (verdict.verdict === 'unknown') return `${word}: missing 缺失 ${printable(verdict.missing.join(', '))}`;
  if (verdict.verdict === 'error') return `${word}: ${printable(verdict.error)}`;
  return verdict.verdict === 'skipped' ? `${word}: ${verdict.cause}` : word;
}

const VERDICTS: Readonly<Record<Verdict['verdict'], string>> = {
  matched: '命中',
  'not matched': '未命中',
  unknown: '未知',
  error: '错误',
  skipped: '跳过',
};

const STATES = { sent: 'sent 已发送', held: 'held 被刹车扣住', dead: 'dead 死信' } as const;

function expectedText(expected: ExpectedDelivery): string {
  const { at, state, code } = expected;
  const more = [
    ...(at === undefined ? [] : [`at ${at}`]),
    ...(state === undefined ? [] : [STATES[state]]),
    ...(code === undefined ? [] : [code]),
  ];
  return printable([nameOf(expected), ...more].join(', '));
}

function sentText(delivery: SentDelivery, { startedAt }: CaseResult, { timezone }: FailureStyle): string {
  const { target, at, state, code } = delivery;
  const outcome = code === null ? STATES[state] : `${STATES[state]}: ${code}`;
  return printable(`${nameOf(delivery)} to ${target}, at ${momentText(at, startedAt, timezone)}, ${outcome}`);
}

function nameOf({
  rule,
  action,
  step,
}: {
  readonly rule: string;
  readonly action: string;
  readonly step?: string | null;
}): string {
  return `${rule} / ${action}${step === null || step === undefined ? '' : ` (${step})`}`;
}

/** `25h (2026-01-06T10:00:00+08:00)`: since the start of the case, and by the clocks of a time zone. */
export function momentText(at: number, startedAt: number, timezone: string): string {
  const since = at === startedAt ? '0s' : writeDuration(Math.max(0, at - startedAt));
  return `${since} (${dateTimeText(at, timezone)})`;
}

function dateTimeText(ms: number, timezone: string): string {
  const { offset } = new ZoneClock(timezone).stretchAt(ms);
  const minutes = Math.round(Math.abs(offset) / MINUTE_MS);
  const two = (number: number): string => String(number).padStart(2, '0');
  const zone =
    offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${new Date(ms + offset).toISOString().slice(0, 19)}${zone}`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
