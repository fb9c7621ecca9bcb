import { printable } from '../config/terminal-text.js';
import {
  BACKTEST_CHANGES,
  type BacktestCounts,
  type BacktestDelivery,
  type BacktestExample,
  type BacktestReport,
  type BacktestRule,
  type BacktestSet,
} from '../rules/backtest/backtest-report.js';
import type { FieldChange } from '../rules/backtest/field-changes.js';
import type { GateResult } from '../rules/backtest/gate.js';
import type { RuleExplanation } from '../rules/explain.js';
import type { Language } from '../rules/sentence/language.js';
import { type BacktestWord, CHANGE_MARKS, deliveriesOf, type Say, sayIn } from './backtest-words.js';
import { inColour, pc } from './colours.js';
import { formatExplanation } from './explanation-text.js';
import { type Column, ListTable, terminalWidth } from './list-table.js';
import { valueText } from './value-text.js';

/** What is shown of a back-test. */
export interface ShownBacktest {
  readonly report: BacktestReport;
  readonly gates: readonly GateResult[];
  /** What was left of the input, and how often; only what is more than 0 is said. */
  readonly input: readonly (readonly [BacktestWord, number])[];
  /** Only this rule; null: all. */
  readonly rule: string | null;
  readonly lang: Language | undefined;
}

const MOST_TARGETS = 30;
const MOST_RULES = 50;
const MOST_LINES = 40;
const DIFFERENCES = BACKTEST_CHANGES.filter((one) => one !== 'same');

/** The report of a back-test for people. */
export function backtestText(shown: ShownBacktest): string {
  return `${new BacktestText(sayIn(shown.lang), sayIn(shown.lang, '\n')).write(shown)}\n`;
}

class BacktestText {
  constructor(
    private readonly say: Say,
    /** Over a column. */
    private readonly head: Say,
  ) {}

  write({ report, gates, input, rule }: ShownBacktest): string {
    const rules = report.rules.filter((one) => rule === null || one.rule === rule);
    const isSame = report.totals.same === Object.values(report.totals).reduce((sum, one) => sum + one, 0);
    return [
      this.beginning(report, input),
      ...(isSame ? [pc.green(this.say('nothing'))] : []),
      ...(rules.length > 0 ? [this.rules(rules)] : []),
      ...(rule === null && report.targets.length > 0 ? [this.targets(report.targets)] : []),
      ...this.unrecorded(report),
      ...rules.flatMap((one) => this.examples(one)),
      ...(gates.length > 0 ? [this.gates(gates)] : []),
    ].join('\n\n');
  }

  private beginning(
    { before, after, window, events, totals }: BacktestReport,
    input: ShownBacktest['input'],
  ): string {
    const { say } = this;
    const set = (one: BacktestSet): string => `${one.ruleSet.slice(0, 12)} (${one.rules} ${say('rules')})`;
    const counts = [
      `${events.judged} ${say('judged')}`,
      ...some(events.warmUp, say('warmUp')),
      ...some(events.left, say('left')),
      ...some(events.undated, say('undated')),
      ...input.flatMap(([word, number]) => some(number, say(word))),
    ];
    const changes = BACKTEST_CHANGES.filter((one) => totals[one] > 0 || one === 'added' || one === 'removed');
    return [
      `${pc.bold(say('backtest'))}  ${set(before)} → ${set(after)}`,
      `${say('window')}: ${window.from} – ${window.until}${window.warmUpFrom < window.from ? ` (${say('warmUp')}: ${window.warmUpFrom})` : ''}`,
      `${say('events')}: ${counts.join(', ')}`,
      `${say('deliveries')}: ${deliveriesOf(before)} → ${deliveriesOf(after)}: ${changes
        .map((one) => paint(one, totals[one], `${totals[one]} ${say(one)}`))
        .join(', ')}`,
      ...this.set('before', before),
      ...this.set('after', after),
    ].join('\n');
  }

  private set(side: 'before' | 'after', { deliveries, suppressed, digests }: BacktestSet): string[] {
    const { say } = this;
    const causes = Object.entries(suppressed).map(([cause, number]) => `${number} ${cause}`);
    const parts = [
      ...(['held', 'dead', 'waiting'] as const).flatMap((one) => some(deliveries[one], say(one))),
      ...some(digests, say('digests')),
      ...(causes.length > 0 ? [`${say('notSent')}: ${causes.join(', ')}`] : []),
    ];
    return parts.length === 0 ? [] : [pc.dim(`  ${say(side)}: ${parts.join('; ')}`)];
  }

  private rules(rules: readonly BacktestRule[]): string {
    const columns: Column<BacktestRule>[] = [
      {
        head: this.head('rule'),
        text: ({ rule, change }) => `${CHANGE_MARKS[change]} ${printable(rule)}`,
        whole: true,
      },
      { head: this.head('before'), text: ({ counts }) => String(beforeOf(counts)), whole: true },
      { head: this.head('after'), text: ({ counts }) => String(afterOf(counts)), whole: true },
      ...this.counts<BacktestRule>(),
    ];
    return tableOf(columns, rules, MOST_RULES);
  }

  private targets(targets: BacktestReport['targets']): string {
    return tableOf(
      [
        { head: this.head('target'), text: ({ target }) => printable(target) },
        { head: this.head('before'), text: ({ counts }) => String(beforeOf(counts)), whole: true },
        { head: this.head('after'), text: ({ counts }) => String(afterOf(counts)), whole: true },
        ...this.counts<BacktestReport['targets'][number]>(),
      ],
      targets,
      MOST_TARGETS,
    );
  }

  private counts<T extends { readonly counts: BacktestCounts }>(): Column<T>[] {
    return DIFFERENCES.map((one) => ({
      head: this.head(one),
      whole: true,
      text: ({ counts }) => paint(one, counts[one], String(counts[one])),
    }));
  }

  private unrecorded({ unrecorded }: BacktestReport): string[] {
    if (unrecorded.length === 0) return [];
    const lines = unrecorded.map(
      ({ set, lookup, count, events }) =>
        `  ${this.say(set)}: ${printable(lookup)} × ${count}${events.length > 0 ? pc.dim(` (${events.map(printable).join(', ')})`) : ''}`,
    );
    return [[pc.yellow(this.say('unrecorded')), ...lines].join('\n')];
  }

  private examples({ rule, examples }: BacktestRule): string[] {
    if (examples.length === 0) return [];
    return [
      pc.bold(`${this.say('examples')}: ${printable(rule)}`),
      ...examples.map((one) => this.example(one)),
    ];
  }

  private example(example: BacktestExample): string {
    const { change, action, step, entity, event, before, after, fields, why, suppressed } = example;
    const { say } = this;
    const about = event ? `${printable(event.eventId)} · ${printable(event.eventType)}` : say('noOneEvent');
    const name =
      step === null ? printable(action) : `${printable(action)} · ${say('step')} ${printable(step)}`;
    const only = before === null || after === null;
    return [
      paint(change, 1, `${CHANGE_MARKS[change]} ${say(change)}: ${name}`),
      `  ${printable(entity)}  ${pc.dim(about)}`,
      ...this.side('before', before, suppressed.before, only),
      ...this.side('after', after, suppressed.after, only),
      ...fields.map(fieldText).map((line) => `    ${line}`),
      ...this.why('before', why.before),
      ...this.why('after', why.after),
    ].join('\n');
  }

  private side(
    side: 'before' | 'after',
    delivery: BacktestDelivery | null,
    suppressed: string | null,
    whole: boolean,
  ): string[] {
    const { say } = this;
    if (!delivery) {
      const cause = suppressed === null ? '' : ` (${say('suppressedBy')}: ${suppressed})`;
      return [`  ${say(side)}: ${pc.dim(say('notSentHere'))}${cause}`];
    }
    const { target, state, at, code, reason, request } = delivery;
    const why = [code, reason].flatMap((one) => (one === null ? [] : printable(one))).join(': ');
    return [
      `  ${say(side)}: ${printable(target)} · ${say(state)}${at === null ? '' : ` ${at}`}${why === '' ? '' : ` · ${why}`}`,
      ...(whole ? jsonLines(request).map((line) => `    ${line}`) : []),
    ];
  }

  private why(side: 'before' | 'after', explanation: RuleExplanation | null): string[] {
    if (!explanation) return [];
    const text = formatExplanation(explanation, { colour: inColour, width: terminalWidth() - 4 });
    return [`  ${this.say('why')} (${this.say(side)}):`, ...text.split('\n').map((line) => `    ${line}`)];
  }

  private gates(gates: readonly GateResult[]): string {
    const lines = gates.map(({ gate, failed, count, value }) => {
      const told = gate.percent ? `${count} (${percentText(value)})` : String(count);
      const verdict = failed ? pc.red(`✗ ${this.say('failed')}`) : pc.green(`✓ ${this.say('passed')}`);
      return `  ${verdict}  ${printable(gate.text)}: ${told}`;
    });
    return [pc.bold(this.say('gates')), ...lines].join('\n');
  }
}

/** `12.5%`; of none before, anything is endless. */
export function percentText(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value * 10) / 10}%` : '∞%';
}

function some(number: number, word: string): string[] {
  return number > 0 ? [`${number} ${word}`] : [];
}

function paint(change: keyof BacktestCounts, number: number, text: string): string {
  if (number === 0) return pc.dim(text);
  switch (change) {
    case 'added':
      return pc.green(text);
    case 'removed':
      return pc.red(text);
    case 'changed':
    case 'moved':
    case 'undecidable':
      return pc.yellow(text);
    case 'same':
      return text;
  }
}

/** Deliveries of a row before: what is undecidable counts for neither side. */
export function beforeOf({ removed, changed, moved, same }: BacktestCounts): number {
  return removed + changed + moved + same;
}

export function afterOf({ added, changed, moved, same }: BacktestCounts): number {
  return added + changed + moved + same;
}

function tableOf<T>(columns: readonly Column<T>[], rows: readonly T[], most: number): string {
  const text = new ListTable(columns).page(rows.slice(0, most)).trimEnd();
  return rows.length > most ? `${text}\n${pc.dim(`… ${rows.length} in all 共`)}` : text;
}

function fieldText(change: FieldChange): string {
  const path = pc.bold(printable(change.path === '' ? '.' : change.path));
  const before = 'before' in change ? pc.red(`- ${valueText(change.before)}`) : '';
  const after = 'after' in change ? pc.green(`+ ${valueText(change.after)}`) : '';
  return `${path}: ${[before, after].filter((one) => one !== '').join('  ')}`;
}

function jsonLines(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  const lines = JSON.stringify(value, null, 2).split('\n').map(printable);
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `… ${lines.length} lines`] : lines;
}
