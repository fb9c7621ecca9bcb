import pc from 'picocolors';
import { displayWidth, graphemesOf, printable } from '../config/terminal-text.js';
import type { Label } from '../events/catalogue.js';
import { nameOf } from '../rules/condition-tree.js';
import type { ExplainedChange, ExplainedLookup, RuleExplanation } from '../rules/explain.js';
import type { ExplainedLeaf, ExplainedNode, ValueLabel } from '../rules/explained-tree.js';
import { lookupPlaceOf } from '../rules/lookup-name.js';

export interface TextStyle {
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

type Colours = ReturnType<typeof pc.createColors>;

const MAX_VALUE = 80;
const GROUPS = { all: 'all of 全部', any: 'any of 任一', not: 'not 非' } as const;
const VERDICTS: Readonly<Record<RuleExplanation['verdict']['verdict'], string>> = {
  matched: 'matched 命中',
  'not matched': 'not matched 未命中',
  unknown: 'unknown 未知',
  error: 'error 错误',
  skipped: 'skipped 跳过',
  'not listening': 'not listening 未监听',
};

/**
 * One rule's explanation for a terminal: a heading, the tree of conditions, and what would have fired it. Whatever
 * comes from the event or a rule file is shown, never written raw: it cannot move the cursor or pass for our words.
 */
export function formatExplanation(explanation: RuleExplanation, { colour, width }: TextStyle): string {
  const colours = pc.createColors(colour);
  const writer = new ExplanationWriter(colours, Math.max(width, 40));
  return [
    ...writer.heading(explanation),
    ...writer.tree(explanation.tree, 1),
    ...writer.lookups(explanation),
    ...writer.repair(explanation),
  ].join('\n');
}

class ExplanationWriter {
  constructor(
    private readonly colours: Colours,
    private readonly width: number,
  ) {}

  heading({ rule, description, file, line, verdict, nearMiss, trigger }: RuleExplanation): string[] {
    const { bold, dim } = this.colours;
    const name = visible(rule, MAX_VALUE);
    const room = this.width - displayWidth(name) - 4;
    const about = description === null || room < 10 ? '' : `  ${dim(visible(description, room))}`;
    const verdictText = VERDICTS[verdict.verdict] + (nearMiss ? ', near miss 差一点命中' : '');
    return [
      `${this.mark(verdict.verdict)} ${bold(name)}${about}`,
      `  ${[verdictText, ...this.reasons(verdict, trigger)].join(': ')}  ${dim(`${visible(file, MAX_VALUE)}:${line}`)}`,
    ];
  }

  private reasons(verdict: RuleExplanation['verdict'], trigger: readonly string[]): string[] {
    if (verdict.verdict === 'unknown') return [`${namesText(verdict.missing)} missing 缺失`];
    if (verdict.verdict === 'error') return [visible(verdict.error, 500)];
    if (verdict.verdict === 'skipped') return [verdict.cause];
    return verdict.verdict === 'not listening' ? [`it listens to 监听 ${namesText(trigger)}`] : [];
  }

  tree(node: ExplainedNode, depth: number): string[] {
    if (node.kind === 'leaf') return this.leaf(node, depth);
    const name = node.name === null ? '' : ` ${this.colours.bold(`"${visible(node.name, MAX_VALUE)}"`)}`;
    const children = node.kind === 'not' ? [node.child] : node.children;
    return [
      `${indent(depth)}${this.mark(node.outcome)} ${GROUPS[node.kind]}${name}`,
      ...children.flatMap((child) => this.tree(child, depth + 1)),
    ];
  }

  private leaf(leaf: ExplainedLeaf, depth: number): string[] {
    const { labels } = leaf;
    const name = leaf.name === null ? '' : `"${visible(leaf.name, MAX_VALUE)}" `;
    const expected = leaf.other
      ? placeText(leaf.other, labels.other) +
        (leaf.expected === undefined ? '' : ` (${this.value(leaf.expected, labels.expected)})`)
      : this.value(leaf.expected, labels.expected);
    const operator = `${visible(labels.operator.en, MAX_VALUE)} ${visible(labels.operator.zh, MAX_VALUE)}`;
    const condition =
      `${indent(depth)}${this.mark(leaf.outcome)} ` +
      `${name}${placeText(leaf, labels.field)}: ${operator} ${expected}`;
    const remark = this.remark(leaf);
    if (remark === null) return [condition];
    return displayWidth(stripped(condition)) + displayWidth(remark) < this.width
      ? [`${condition} ${this.emphasis(leaf)(remark)}`]
      : [condition, `${indent(depth + 2)}${this.emphasis(leaf)(remark)}`];
  }

  private emphasis({ failing, outcome }: ExplainedLeaf): (text: string) => string {
    if (!failing) return this.colours.dim;
    return outcome === 'unknown' ? this.colours.yellow : this.colours.red;
  }

  /** What the event had instead; null: what the condition says is all there is to say. */
  private remark(leaf: ExplainedLeaf): string | null {
    const { outcome, actual, expected, error, failing, other, labels } = leaf;
    if (outcome === 'error') return `! ${visible(error ?? 'cannot be evaluated', 300)}`;
    const missing = [
      ...(actual === undefined ? [''] : []),
      ...(other && expected === undefined ? [`${placeText(other, null)} `] : []),
    ];
    if (outcome === 'unknown') return `— but ${missing.join('and ')}is missing 缺失`;
    const was = actual === undefined ? 'was missing 缺失' : `was ${this.value(actual, labels.actual)}`;
    if (failing) return outcome === 'no' ? `— but ${was}` : `— ${was}, and must not be 不应成立`;
    return actual === expected || leaf.operator === 'exists' ? null : `— ${was}`;
  }

  /** What came of the look-ups; of those that nobody asked, only when the rule needed them. */
  lookups({ lookups, verdict }: RuleExplanation): string[] {
    const needed = verdict.verdict === 'unknown' ? namesWithin(verdict.missing) : new Set<string>();
    return lookups
      .filter(({ name, state }) => state !== 'not asked' || needed.has(name))
      .map((lookup) => this.lookup(lookup));
  }

  private lookup(lookup: ExplainedLookup): string {
    const { yellow, dim } = this.colours;
    const name = `look-up 查询 ${visible(lookup.name, MAX_VALUE)}`;
    switch (lookup.state) {
      case 'answered':
        return dim(`  ${name}: answered 已应答 ${timeText(lookup.fetchedAt)}`);
      case 'failed':
        return yellow(
          `  ${name}: failed 失败: ${visible(lookup.code, MAX_VALUE)}: ${visible(lookup.detail, 500)}`,
        );
      case 'not asked':
        return yellow(`  ${name}: not asked 未查询`);
    }
  }

  repair({ repair, verdict }: RuleExplanation): string[] {
    if (!repair) return [];
    const { bold, dim } = this.colours;
    if (repair.kind === 'undecided') {
      const reason =
        repair.reason === 'budget'
          ? 'too many possibilities to try all 可能性过多'
          : 'no change of facts was found that would have fired it 未找到可命中的改动';
      return [dim(`  undecided: ${reason}`)];
    }
    const changes = repair.changes.map((change) => this.change(change));
    const intro = verdict.verdict === 'matched' ? '' : 'would have fired with 若如此则命中:';
    const [only, ...more] = changes;
    if (only !== undefined && more.length === 0 && displayWidth(intro + only) < this.width - 3)
      return [`  ${bold(intro)} ${only}`];
    return [`  ${bold(intro)}`, ...changes.map((change) => `    ${change}`)];
  }

  private change({ from, to, labels, ...place }: ExplainedChange): string {
    const text = (value: unknown, label: ValueLabel): string =>
      value === undefined ? 'missing 缺失' : this.value(value, label);
    return `${placeText(place, labels.field)} ${text(from, labels.from)} → ${text(to, labels.to)}`;
  }

  private value(value: unknown, label: ValueLabel): string {
    return valueText(value, label, Math.min(MAX_VALUE, this.width - 10));
  }

  private mark(outcome: ExplainedNode['outcome'] | RuleExplanation['verdict']['verdict']): string {
    const { green, red, yellow, dim } = this.colours;
    switch (outcome) {
      case 'yes':
      case 'matched':
        return green('✓');
      case 'no':
      case 'not matched':
        return red('✗');
      case 'unknown':
        return yellow('?');
      case 'error':
        return red('!');
      case 'skipped':
      case 'not listening':
        return dim('–');
    }
  }
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

/** The look-ups that facts are of. */
function namesWithin(facts: readonly string[]): ReadonlySet<string> {
  return new Set(facts.map((fact) => lookupPlaceOf(fact)?.name ?? ''));
}

function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function namesText(names: readonly string[]): string {
  return names.map((name) => visible(name, MAX_VALUE)).join(', ');
}

function placeText(
  { fact, path }: { readonly fact: string; readonly path: readonly string[] | null },
  label: Label | null,
): string {
  const name = visible(nameOf({ fact, path }), MAX_VALUE);
  return label ? `${name} ${visible(label.zh, MAX_VALUE)}` : name;
}

function labelText(label: Label): string {
  const { zh, en } = label;
  return visible(zh === en ? zh : `${zh}/${en}`, MAX_VALUE);
}

function isList(label: ValueLabel): label is readonly (Label | null)[] {
  return Array.isArray(label);
}

/** A value with its label, in `room` columns. */
function valueText(value: unknown, label: ValueLabel, room: number): string {
  if (Array.isArray(value)) {
    const labels = isList(label) ? label : [];
    return partsText('[', value, ']', room, (one, at, left) => valueText(one, labels[at] ?? null, left));
  }
  const plain = plainText(value, room);
  return label && !isList(label) ? `${plain} ${labelText(label)}` : plain;
}

function plainText(value: unknown, room: number): string {
  if (typeof value === 'string') {
    const shown = `"${visible(value, room - 2, '"')}"`;
    return shown.endsWith('…"') ? `${shown} (${value.length} characters)` : shown;
  }
  if (Array.isArray(value)) return valueText(value, null, room);
  if (typeof value !== 'object' || value === null) return String(value);
  return partsText(
    '{',
    Object.entries(value),
    '}',
    room,
    ([key, one], _, left) => `"${visible(key, left, '"')}": ${plainText(one, left)}`,
  );
}

/** As many parts as have room, and how many there are when that is not all. */
function partsText<T>(
  begin: string,
  parts: readonly T[],
  end: string,
  room: number,
  text: (part: T, at: number, left: number) => string,
): string {
  const shown: string[] = [];
  let left = room - 2;
  for (const [at, part] of parts.entries()) {
    const one = left < 8 ? null : text(part, at, left);
    left -= displayWidth(one ?? '') + 2;
    if (one === null || (left < 0 && at > 0))
      return `${begin}${[...shown, `… ${parts.length} in all`].join(', ')}${end}`;
    shown.push(one);
  }
  return `${begin}${shown.join(', ')}${end}`;
}

// Control and format characters, line and paragraph separators, lone surrogates, private and unassigned ones.

/** A text in at most `room` columns, with everything spelled out that a terminal would obey or hide. */
function visible(text: string, room: number, quote = ''): string {
  // Longer than fits in any case, so that a text of megabytes is not looked through.
  const begin = text.slice(0, room + 1);
  const safe = printable(quote ? begin.replace(/["\\]/g, '\\$&') : begin);
  let width = 0;
  let kept = '';
  // What leaves a column for the sign that there is more.
  let cut = '';
  for (const one of graphemesOf(safe)) {
    width += displayWidth(one);
    if (width > room) return `${cut}…`;
    kept += one;
    if (width < room) cut = kept;
  }
  return text.length > begin.length ? `${cut}…` : kept;
}

// Our own colours; there are no others.
// eslint-disable-next-line no-control-regex
const COLOUR = /\x1b\[\d+m/g;

function stripped(text: string): string {
  return text.replace(COLOUR, '');
}
