import { DELIVERY_STATES, type DeliveryState } from '../../action/delivery-states.js';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import { sqlState } from '../../database/database.errors.js';
import type { Balance, BalanceDelivery, BalancePart, BalanceRows } from '../read/balance.js';
import { maskTarget, readsPersonal } from './personal.js';
import type { Report, ReportQuery, ReportRule, ReportTarget } from './report.schema.js';

const DAY_MS = 86_400_000;
/** Shorter than a command waits for an answer. */
const WITHIN_MS = 100_000;
const QUERY_CANCELED = '57014';

type States = Record<DeliveryState, number>;
type Sides = Report['total'];

/** The balance: what was asked for, and what became of it. One at a time in a process: it reads whole days. */
export class ReportService {
  private under = false;

  constructor(
    private readonly balance: Balance,
    private readonly clock: Clock,
  ) {}

  /** @throws Refusal 400 REPORT_EMPTY, 429 BUSY, 503 REPORT_TOO_LONG */
  async tell(actor: Actor, query: ReportQuery): Promise<Report> {
    const until = query.until ?? new Date(this.clock.now());
    const since = query.since ?? new Date(until.getTime() - DAY_MS);
    if (since >= until)
      throw new Refusal(400, 'REPORT_EMPTY', 'The time of the report ends before it begins.');
    if (this.under)
      throw new Refusal(429, 'BUSY', 'Another report is being made: ask again in a moment.', {
        headers: { 'retry-after': '5' },
      });
    this.under = true;
    try {
      return reportOf(since, until, await this.balance.read(since, until, WITHIN_MS), readsPersonal(actor));
    } catch (error) {
      if (sqlState(error) === QUERY_CANCELED)
        throw new Refusal(
          503,
          'REPORT_TOO_LONG',
          `The report took longer than ${WITHIN_MS / 1000} s: ask for less time.`,
        );
      throw error;
    } finally {
      this.under = false;
    }
  }
}

/** The balance of what was read. Pure. */
export function reportOf(since: Date, until: Date, rows: BalanceRows, withPeople: boolean): Report {
  const rules = rulesOf(rows);
  const of = (part: BalancePart) => besideOf(rows.deliveries.filter((one) => one.part === part));
  return {
    since: since.toISOString(),
    until: until.toISOString(),
    balanced: rules.every(({ difference }) => difference === 0),
    total: sumOf(rules),
    rules,
    targets: targetsOf(rows, withPeople),
    beside: { digests: of('digest'), edited: of('edited'), undos: of('undo'), notices: of('notice') },
    attempts: rows.attempts,
    uncounted: { evaluations: rows.uncountedEvaluations, deliveries: of('uncounted').deliveries },
  };
}

function rulesOf({ asked, suppressed, deliveries }: BalanceRows): ReportRule[] {
  const rules = new Map<string, Sides>();
  const at = (rule: string): Sides => {
    const known = rules.get(rule);
    if (known) return known;
    const made = noSides();
    rules.set(rule, made);
    return made;
  };
  for (const { rule, count } of asked) at(rule).asked += count;
  for (const { rule, cause, count } of suppressed) {
    const sides = at(rule);
    sides.suppressed[cause] = (sides.suppressed[cause] ?? 0) + count;
  }
  for (const { part, rule, state, count } of deliveries) {
    if (part !== 'asked') continue;
    const sides = at(rule);
    sides.deliveries += count;
    sides.states[state] += count;
  }
  return [...rules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([rule, sides]) => ({ rule, ...sides, difference: differenceOf(sides) }));
}

function sumOf(rules: readonly ReportRule[]): Sides {
  const sum = noSides();
  for (const { asked, deliveries, suppressed, states } of rules) {
    sum.asked += asked;
    sum.deliveries += deliveries;
    for (const [cause, count] of Object.entries(suppressed))
      sum.suppressed[cause] = (sum.suppressed[cause] ?? 0) + count;
    for (const state of DELIVERY_STATES) sum.states[state] += states[state];
  }
  return { ...sum, difference: differenceOf(sum) };
}

function differenceOf({ asked, deliveries, suppressed }: Sides): number {
  return asked - deliveries - Object.values(suppressed).reduce((sum, count) => sum + count, 0);
}

/** Targets that are people are one line for whoever may not read them. */
function targetsOf({ deliveries }: BalanceRows, withPeople: boolean): ReportTarget[] {
  const targets = new Map<string, ReportTarget>();
  for (const { part, target, state, count } of deliveries) {
    if (part !== 'asked') continue;
    const name = withPeople ? target : maskTarget(target);
    const one = targets.get(name) ?? { target: name, deliveries: 0, states: noStates() };
    one.deliveries += count;
    one.states[state] += count;
    targets.set(name, one);
  }
  return [...targets.values()].sort((a, b) => b.deliveries - a.deliveries || (a.target < b.target ? -1 : 1));
}

function besideOf(rows: readonly BalanceDelivery[]): Omit<ReportTarget, 'target'> {
  const states = noStates();
  for (const { state, count } of rows) states[state] += count;
  return { deliveries: rows.reduce((sum, { count }) => sum + count, 0), states };
}

function noSides(): Sides {
  return { asked: 0, deliveries: 0, suppressed: {}, difference: 0, states: noStates() };
}

function noStates(): States {
  return { held: 0, deferred: 0, pending: 0, delivering: 0, delivered: 0, dead: 0, cancelled: 0 };
}
