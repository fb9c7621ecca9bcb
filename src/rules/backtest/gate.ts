import type { BacktestCounts, BacktestReport } from './backtest-report.js';

/** What a gate counts: `differences` all but the same, `deliveries` those that the later set sends. */
export const GATE_COUNTS = [
  'added',
  'removed',
  'changed',
  'moved',
  'undecidable',
  'differences',
  'deliveries',
] as const;
export type GateCount = (typeof GATE_COUNTS)[number];

const OPERATORS = ['>=', '<=', '!=', '==', '>', '<', '='] as const;
type Operator = (typeof OPERATORS)[number];

/** A condition under which a back-test fails: `rule:renewal-done added > 0`, `changed > 5%`. */
export interface Gate {
  /** As it was written. */
  readonly text: string;
  /** Only deliveries of this rule; null: of all. */
  readonly rule: string | null;
  /** Only deliveries to targets that hold this text; null: to all. */
  readonly target: string | null;
  readonly count: GateCount;
  readonly operator: Operator;
  readonly limit: number;
  /** The limit is in percent of the deliveries before. */
  readonly percent: boolean;
}

export interface GateResult {
  readonly gate: Gate;
  /** What was counted. */
  readonly count: number;
  /** What the limit is compared with: the count, or the percent of the deliveries before. */
  readonly value: number;
  readonly failed: boolean;
}

const TOKEN = /(?:rule|target):"[^"]*"|>=|<=|!=|==|[<>=]|[^\s<>=!]+|\S/g;
const NUMBER = /^(\d+(?:\.\d+)?)(%?)$/;
const EXAMPLE = 'write it like "added > 50", "changed > 5%" or "rule:renewal-done removed > 0"';

/** A gate as people write it. Answers a sentence that names what is wrong. */
export function readGate(text: string): Gate | string {
  const tokens: string[] = text.match(TOKEN) ?? [];
  let [rule, target]: [string | null, string | null] = [null, null];
  for (;;) {
    const [, kind, value] = /^(rule|target):(.*)$/s.exec(tokens[0] ?? '') ?? [];
    if (kind === undefined || value === undefined) break;
    const name = value.replace(/^"(.*)"$/s, '$1');
    const token = tokens.shift() ?? '';
    if (name === '') return `"${token}" names nothing: ${EXAMPLE}`;
    if ((kind === 'rule' ? rule : target) !== null) return `"${token}" is the second ${kind}: ${EXAMPLE}`;
    if (kind === 'rule') rule = name;
    else target = name;
  }
  const [count, operator, number, ...rest] = tokens;
  if (count === undefined) return `there is nothing to count: ${EXAMPLE}`;
  if (!isOneOf(GATE_COUNTS, count)) return `"${count}" is none of ${GATE_COUNTS.join(', ')}: ${EXAMPLE}`;
  if (operator === undefined) return `a comparison is missing after "${count}": ${EXAMPLE}`;
  if (!isOneOf(OPERATORS, operator)) return `"${operator}" is none of > >= < <= = !=: ${EXAMPLE}`;
  if (number === undefined) return `a number is missing after "${operator}": ${EXAMPLE}`;
  const [, digits, percent] = NUMBER.exec(number) ?? [];
  if (digits === undefined) return `"${number}" is no number: ${EXAMPLE}`;
  if (rest[0] !== undefined) return `"${rest[0]}" is too much: ${EXAMPLE}`;
  return { text, rule, target, count, operator, limit: Number(digits), percent: percent === '%' };
}

/** Whether gates fail. A rule or a target that nothing is counted of has no deliveries. */
export function judgeGates(gates: readonly Gate[], report: BacktestReport): readonly GateResult[] {
  return gates.map((gate) => {
    const { before, counts, after } = countsFor(gate, report);
    const count = countOf(gate.count, counts, after);
    const value = gate.percent ? percentOf(count, before) : count;
    return { gate, count, value, failed: holds(gate.operator, value, gate.limit) };
  });
}

interface Counted {
  readonly counts: BacktestCounts;
  /** Deliveries of each of the two sets. */
  readonly before: number;
  readonly after: number;
}

function countsFor({ rule, target }: Gate, report: BacktestReport): Counted {
  const { totals, rules, targets, before, after } = report;
  if (rule === null && target === null)
    return { counts: totals, before: sumOf(before.deliveries), after: sumOf(after.deliveries) };
  const own = rules.find((one) => one.rule === rule);
  if (target === null) return counted(own ? [own.counts] : []);
  const rows = rule === null ? targets : (own?.targets ?? []);
  return counted(rows.flatMap((one) => (one.target.includes(target) ? [one.counts] : [])));
}

function counted(some: readonly BacktestCounts[]): Counted {
  const sum = (change: keyof BacktestCounts): number => some.reduce((all, one) => all + one[change], 0);
  const [added, removed, changed, moved] = [sum('added'), sum('removed'), sum('changed'), sum('moved')];
  const [same, undecidable] = [sum('same'), sum('undecidable')];
  const both = changed + moved + same;
  return {
    counts: { added, removed, changed, moved, same, undecidable },
    before: both + removed,
    after: both + added,
  };
}

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, one) => sum + one, 0);

function countOf(count: GateCount, counts: BacktestCounts, after: number): number {
  switch (count) {
    case 'deliveries':
      return after;
    case 'differences':
      return sumOf(counts) - counts.same;
    case 'added':
    case 'removed':
    case 'changed':
    case 'moved':
    case 'undecidable':
      return counts[count];
  }
}

/** Of nothing, anything is more than any percentage. */
function percentOf(count: number, before: number): number {
  if (before > 0) return (count / before) * 100;
  return count === 0 ? 0 : Number.POSITIVE_INFINITY;
}

function holds(operator: Operator, value: number, limit: number): boolean {
  switch (operator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '!=':
      return value !== limit;
    case '=':
    case '==':
      return value === limit;
  }
}

function isOneOf<T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}
