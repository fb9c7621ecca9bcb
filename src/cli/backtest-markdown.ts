import {
  BACKTEST_CHANGES,
  type BacktestCounts,
  type BacktestDelivery,
  type BacktestExample,
  type BacktestReport,
  type BacktestRule,
} from '../rules/backtest/backtest-report.js';
import type { GateResult } from '../rules/backtest/gate.js';
import type { RuleExplanation } from '../rules/explain.js';
import type { RuleDocument } from '../rules/rule-document.js';
import type { Change, RuleDiff, Said } from '../rules/sentence/rule-diff.js';
import { mainPartOf } from '../rules/sentence/rule-sentence.js';
import { diffWords } from '../rules/sentence/word-diff.js';
import { afterOf, beforeOf, percentText, type ShownBacktest } from './backtest-text.js';
import { CHANGE_MARKS, deliveriesOf, languagesOf, type Say, sayIn } from './backtest-words.js';
import { uncoloured } from './wrapped-text.js';
import { formatExplanation } from './explanation-text.js';
import { cell, code, codeBlock, details, prose } from './markdown.js';

const MOST_RULES = 50;
const MOST_TARGETS = 20;
const MOST_LINES = 60;
const WIDTH = 100;
const DIFFERENCES = BACKTEST_CHANGES.filter((one) => one !== 'same');

/** The report of a back-test for a pull request. Whatever came with events stands in it as code, and means nothing. */
export function backtestMarkdown(shown: ShownBacktest, diff: RuleDiff): string {
  return `${new BacktestMarkdown(sayIn(shown.lang), shown).write(diff)}\n`;
}

class BacktestMarkdown {
  constructor(
    private readonly say: Say,
    private readonly shown: ShownBacktest,
  ) {}

  write(diff: RuleDiff): string {
    const { report, gates, rule } = this.shown;
    const rules = report.rules.filter((one) => rule === null || one.rule === rule);
    return [
      ...this.head(report, gates),
      ...(gates.length > 0 ? [this.gates(gates)] : []),
      ...(rules.length > 0 ? [this.rules(rules)] : [this.say('nothing')]),
      ...(rule === null && report.targets.length > 0 ? [this.targets(report)] : []),
      ...this.unrecorded(report),
      ...this.sentences(diff),
      ...rules.flatMap((one) => this.examples(one)),
      `<sub>${code(report.hash.slice(0, 16))}</sub>`,
    ].join('\n\n');
  }

  private head(report: BacktestReport, gates: readonly GateResult[]): string[] {
    const { before, after, window, events, totals } = report;
    const { say } = this;
    const sign = gates.length === 0 ? '' : gates.some(({ failed }) => failed) ? '❌ ' : '✅ ';
    const counts = [
      `${events.judged} ${say('judged')}`,
      ...(events.warmUp > 0 ? [`${events.warmUp} ${say('warmUp')}`] : []),
      ...(events.left > 0 ? [`${events.left} ${say('left')}`] : []),
      ...(events.undated > 0 ? [`${events.undated} ${say('undated')}`] : []),
      ...this.shown.input.flatMap(([word, number]) => (number > 0 ? [`${number} ${say(word)}`] : [])),
    ];
    return [
      `## ${sign}${say('backtest')}`,
      `${say('ruleSets')}: ${code(before.ruleSet.slice(0, 12))} → ${code(after.ruleSet.slice(0, 12))}  \n${say('window')}: ${window.from} – ${window.until}  \n${say('events')}: ${counts.join(', ')}`,
      tableOf(
        [say('before'), say('after'), ...BACKTEST_CHANGES.map((one) => say(one))],
        [
          [deliveriesOf(before), deliveriesOf(after), ...BACKTEST_CHANGES.map((one) => totals[one])].map(
            String,
          ),
        ],
      ),
    ];
  }

  private gates(gates: readonly GateResult[]): string {
    const lines = gates.map(({ gate, failed, count, value }) => {
      const told = gate.percent ? `${count} (${percentText(value)})` : String(count);
      return `- ${failed ? '❌' : '✅'} ${code(gate.text)}: ${told}`;
    });
    return [`### ${this.say('gates')}`, '', ...lines].join('\n');
  }

  private rules(rules: readonly BacktestRule[]): string {
    const rows = rules
      .slice(0, MOST_RULES)
      .map(({ rule, change, counts }) => [
        `${cell(rule)}${change === 'same' ? '' : ` ${this.say(change)}`}`,
        ...countsOf(counts),
      ]);
    return [`### ${this.say('rules')}`, this.table('rule', rows, rules.length)].join('\n\n');
  }

  private targets({ targets }: BacktestReport): string {
    const rows = targets
      .slice(0, MOST_TARGETS)
      .map(({ target, counts }) => [cell(target), ...countsOf(counts)]);
    return details(this.say('targets'), this.table('target', rows, targets.length));
  }

  private table(what: 'rule' | 'target', rows: readonly (readonly string[])[], all: number): string {
    const { say } = this;
    const heads = [say(what), say('before'), say('after'), ...DIFFERENCES.map((one) => say(one))];
    return tableOf(heads, rows) + (all > rows.length ? `\n\n… ${all}` : '');
  }

  private unrecorded({ unrecorded }: BacktestReport): string[] {
    if (unrecorded.length === 0) return [];
    const lines = unrecorded.map(
      ({ set, lookup, count }) => `- ${this.say(set)}: ${code(lookup)} × ${count}`,
    );
    return [[`### ${this.say('unrecorded')}`, '', ...lines].join('\n')];
  }

  private sentences({ rules }: RuleDiff): string[] {
    const { say } = this;
    const { rule } = this.shown;
    const isMeant = ({ name }: { readonly name: string }): boolean => rule === null || rule === name;
    const whole = (one: Said<RuleDocument>, word: 'added' | 'removed'): string =>
      [`**${CHANGE_MARKS[word]} ${code(one.name)}** ${say(word)}`, ...this.sentence(one)].join('\n\n');
    const parts = [
      ...rules.changed.filter(isMeant).map((one) => this.changed(one)),
      ...rules.added.filter(isMeant).map((one) => whole(one, 'added')),
      ...rules.removed.filter(isMeant).map((one) => whole(one, 'removed')),
      ...rules.renamed
        .filter(({ from, to }) => rule === null || rule === from || rule === to)
        .map(({ from, to }) => `**→** ${code(from)} → ${code(to)}`),
    ];
    if (parts.length === 0) return [];
    const shown = parts.slice(0, MOST_RULES);
    return [
      `### ${say('sentences')}`,
      ...shown,
      ...(parts.length > shown.length ? [`… ${parts.length}`] : []),
    ];
  }

  private sentence({ sentence }: Said<RuleDocument>): string[] {
    return languagesOf(this.shown.lang).map((one) => quoted(prose(mainPartOf(sentence[one]))));
  }

  private changed({ name, before, after }: Change<RuleDocument>): string {
    const marked = languagesOf(this.shown.lang).map((language) =>
      quoted(
        diffWords(before.sentence[language], after.sentence[language])
          .map(({ kind, text }) => {
            const tag = { same: null, removed: 'del', added: 'ins' }[kind];
            if (tag === null) return prose(text);
            // A tag does not reach over a line end.
            return text
              .split('\n')
              .map((line) => (line.trim() === '' ? line : `<${tag}>${prose(line)}</${tag}>`))
              .join('\n');
          })
          .join(''),
      ),
    );
    return [`**~ ${code(name)}** ${this.say('changed')}`, ...marked].join('\n\n');
  }

  private examples({ rule, examples }: BacktestRule): string[] {
    return examples.map((one) => {
      const step = one.step === null ? '' : ` · ${one.step}`;
      const head = `${rule} / ${one.action}${step} · ${one.entity}`;
      return details(`${CHANGE_MARKS[one.change]} ${this.say(one.change)}: ${cell(head)}`, this.example(one));
    });
  }

  private example({ event, before, after, fields, why, suppressed }: BacktestExample): string {
    const { say } = this;
    const only = before === null || after === null;
    const parts = [
      event ? `${code(event.eventId)} · ${code(event.eventType)} · ${event.receivedAt}` : say('noOneEvent'),
      `- ${say('before')}: ${this.side(before, suppressed.before)}\n- ${say('after')}: ${this.side(after, suppressed.after)}`,
      ...(fields.length > 0 ? [codeBlock(fields.flatMap(fieldLines).join('\n'), 'diff')] : []),
      ...(only ? [jsonBlock((before ?? after)?.request)] : []),
      ...this.why('before', why.before),
      ...this.why('after', why.after),
    ];
    return parts.filter((one) => one !== '').join('\n\n');
  }

  private side(delivery: BacktestDelivery | null, suppressed: string | null): string {
    const { say } = this;
    if (!delivery)
      return suppressed === null ? say('notSentHere') : `${say('suppressedBy')}: ${code(suppressed)}`;
    const { target, state, at, code: why, reason } = delivery;
    return [
      code(target),
      say(state),
      ...(at === null ? [] : [at]),
      ...[why, reason].flatMap((one) => (one === null ? [] : code(one))),
    ].join(' · ');
  }

  private why(side: 'before' | 'after', explanation: RuleExplanation | null): string[] {
    if (!explanation) return [];
    const text = uncoloured(formatExplanation(explanation, { colour: false, width: WIDTH }));
    return [`${this.say('why')} (${this.say(side)})`, codeBlock(text, 'text')];
  }
}

function countsOf(counts: BacktestCounts): string[] {
  return [beforeOf(counts), afterOf(counts), ...DIFFERENCES.map((one) => counts[one])].map(String);
}

/** The first column is a name, the others are numbers. */
function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}  `))
    .join('\n');
}

function fieldLines(change: BacktestExample['fields'][number]): string[] {
  const path = change.path === '' ? '.' : change.path;
  const line = (sign: string, value: unknown): string =>
    `${sign} ${path}: ${shortened(JSON.stringify(value))}`;
  return [
    ...('before' in change ? [line('-', change.before)] : []),
    ...('after' in change ? [line('+', change.after)] : []),
  ];
}

function jsonBlock(value: unknown): string {
  if (value === null || value === undefined) return '';
  const lines = JSON.stringify(value, null, 2).split('\n');
  const shown = lines.slice(0, MOST_LINES).map((line) => shortened(line));
  return codeBlock([...shown, ...(lines.length > shown.length ? ['…'] : [])].join('\n'), 'json');
}

function shortened(text: string | undefined): string {
  return text === undefined ? '' : text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
