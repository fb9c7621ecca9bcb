import type { RenderedRequest } from '../../src/action/action.js';
import type { BacktestChange } from '../../src/rules/backtest/backtest-report.js';
import type { LookupAnswers } from '../../src/rules/lookup-document.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import type { DataSource } from 'typeorm';
import type { SteppedService } from './stepped-service.js';

/** What is compared. */
export interface RuleSets {
  readonly before: RuleSet;
  readonly after: RuleSet;
}

/** A delivery of a service: what its receiver got, or what it came to without. */
export interface TrueDelivery {
  readonly rule: string;
  readonly action: string;
  readonly cause: string;
  readonly target: string;
  readonly state: 'sent' | 'held' | 'dead' | 'waiting';
  /** When it was received, or was decided to be held or dead, ms; null: it waits. */
  readonly at: number | null;
  readonly decidedAt: number;
  /** Where, and what. */
  readonly content: string;
}

/** By action key. */
export type TrueDeliveries = ReadonlyMap<string, TrueDelivery>;

export interface TrueDifference {
  readonly change: BacktestChange;
  readonly rule: string;
  readonly target: string;
  readonly before: number | null;
  readonly after: number | null;
}

interface Row {
  readonly key: string;
  readonly rule: string;
  readonly action: string;
  readonly entity: string;
  readonly cause: string;
  readonly target: string;
  readonly state: string;
  readonly code: string | null;
  readonly due: Date;
  readonly created: Date;
  readonly request: RenderedRequest | null;
}

/**
 * What a service has really sent, by what its receivers got, and what it has held, given up or not sent yet.
 *
 * @throws Error when a receiver got something twice, or something else than what was recorded as delivered
 */
export async function trueDeliveries(service: SteppedService): Promise<TrueDeliveries> {
  const rows = await service.dataSource.query<Row[]>(
    `select k.key, d.rule, d.action, d.entity, d.cause, k.target, k.state, k.code, k.due_at as due, d.created_at as created,
            d.request
       from action_keys k join deliveries d on d.id = k.id
      where k.state <> 'deferred' or k.deferred_for <> 'digest'`,
  );
  const received = new Map(service.received.map((one) => [one.key, one]));
  if (received.size !== service.received.length) throw new Error('something was received twice');
  const all = new Map<string, TrueDelivery>();
  for (const row of rows) {
    const { key, rule, action, entity, cause, target, code } = row;
    // A digest is decided when it ends.
    const decidedAt = (entity.startsWith('digest:') ? row.due : row.created).getTime();
    const about = { rule, action, cause, target, decidedAt };
    const got = received.get(key);
    received.delete(key);
    if ((row.state === 'delivered') !== (got !== undefined))
      throw new Error(`${rule} ${action} is ${row.state}, received: ${JSON.stringify(got)}`);
    if (got) all.set(key, { ...about, state: 'sent', at: got.at, content: JSON.stringify(got.content) });
    else {
      const waits = row.state === 'deferred';
      if (!waits && row.state !== 'held' && row.state !== 'dead') throw new Error(`${rule} is ${row.state}`);
      const content = JSON.stringify([code, row.request]);
      const state = waits ? 'waiting' : row.state === 'held' ? 'held' : 'dead';
      all.set(key, { ...about, state, at: waits ? null : decidedAt, content });
    }
  }
  if (received.size > 0)
    throw new Error(`received what nobody sent: ${JSON.stringify([...received.values()])}`);
  return all;
}

/** What two services sent differently, of what at least one of them has decided since `from` (ms); by action key. */
export function trueDifferences(
  before: TrueDeliveries,
  after: TrueDeliveries,
  from: number,
): Map<string, TrueDifference> {
  const differences = new Map<string, TrueDifference>();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [a, b] = [before.get(key), after.get(key)];
    if (Math.max(a?.decidedAt ?? 0, b?.decidedAt ?? 0) < from) continue;
    const one = b ?? a;
    if (!one) continue;
    differences.set(key, {
      change: changeOf(a, b),
      rule: one.rule,
      target: one.target,
      before: a?.at ?? null,
      after: b?.at ?? null,
    });
  }
  return differences;
}

function changeOf(a: TrueDelivery | undefined, b: TrueDelivery | undefined): BacktestChange {
  if (!a) return 'added';
  if (!b) return 'removed';
  if (a.state !== b.state || a.target !== b.target || a.content !== b.content) return 'changed';
  return a.at === b.at ? 'same' : 'moved';
}

/** How many deliveries since `from` (ms) came to what. */
export function statesOf(deliveries: TrueDeliveries, from: number): Record<TrueDelivery['state'], number> {
  const counts = { sent: 0, held: 0, dead: 0, waiting: 0 };
  for (const { state, decidedAt } of deliveries.values()) if (decidedAt >= from) counts[state] += 1;
  return counts;
}

/** How many actions were asked for and not sent since `from` (ms), by their cause, as the ledger has it. */
export async function trueSuppressions(
  dataSource: DataSource,
  from: number,
): Promise<Record<string, number>> {
  const rows = await dataSource.query<{ cause: string; count: number }[]>(
    `select one ->> 'cause' as cause, sum(coalesce((one ->> 'times')::int, 1))::int as count
       from evaluations v cross join json_array_elements(v.verdicts::json) as one
      where v.decided_at >= $1 and one ->> 'action' is not null group by one ->> 'cause' order by (one ->> 'cause') collate "C"`,
    [new Date(from)],
  );
  return Object.fromEntries(rows.map(({ cause, count }) => [cause, count]));
}

interface Asked {
  /** Of the event, as its sender knows it. */
  readonly cause: string;
  readonly occasion: string;
  readonly at: number;
  readonly lookups: LookupAnswers;
}

/** What a service has asked others. */
export interface TrueQuestions {
  readonly asked: readonly Asked[];
  /** By event and rule: when the platform said that nobody is waited for any more, ms. */
  readonly notPending: ReadonlyMap<string, number>;
}

export async function trueQuestions(dataSource: DataSource): Promise<TrueQuestions> {
  const asked = await dataSource.query<Asked[]>(
    `select e.origin || '/' || e.event_id as cause, v.occasion, extract(epoch from v.decided_at)::float8 * 1000 as at,
            coalesce(v.inputs -> 'lookups', '{}') as lookups
       from evaluations v join events e on e.id = v.event_id where e.source <> 'schedule'`,
  );
  const left = await dataSource.query<{ cause: string; rule: string; at: Date }[]>(
    `select e.origin || '/' || e.event_id as cause, t.rule, t.updated_at as at
       from timers t join events e on e.id = t.event_id where t.code = 'NOT_PENDING'`,
  );
  return {
    asked,
    notPending: new Map(left.map(({ cause, rule, at }) => [`${cause} ${rule}`, at.getTime()])),
  };
}

/**
 * Events and rules of which the first service's record does not tell what the second one's rules ask: `<event> <rule>`.
 * The others can be told exactly.
 */
export function unrecordedIn(before: TrueQuestions, after: TrueQuestions, sets: RuleSets): Set<string> {
  const known = Map.groupBy(before.asked, ({ cause }) => cause);
  const found = new Set<string>();
  const sameLookup = (name: string): boolean =>
    JSON.stringify(sets.before.lookups.get(name)?.document) ===
    JSON.stringify(sets.after.lookups.get(name)?.document);
  for (const { cause, occasion, lookups } of after.asked) {
    const [, rule = null] = /^step:([^:]+):/.exec(occasion) ?? [];
    const records = (known.get(cause) ?? []).filter(
      (one) =>
        !one.occasion.startsWith('step:') || (rule !== null && one.occasion.startsWith(`step:${rule}:`)),
    );
    const unknown = Object.entries(lookups).flatMap(([name, { request }]) =>
      sameLookup(name) && records.some((one) => one.lookups[name]?.request === request) ? [] : name,
    );
    if (unknown.length === 0) continue;
    for (const one of sets.after.rules) {
      if (rule !== null && one.name !== rule) continue;
      const reads = one.lookups
        ? Object.values(one.lookups).flatMap((names: ReadonlySet<string>) => [...names])
        : [];
      if (unknown.some((name) => reads.includes(name))) found.add(`${cause} ${one.name}`);
    }
  }
  for (const [about, at] of confirmations(after, sets.after))
    if (!isConfirmed(about, at, before, sets)) found.add(about);
  return found;
}

/** By event and rule: when the platform was asked first before a step, ms. */
function confirmations({ asked, notPending }: TrueQuestions, ruleSet: RuleSet): ReadonlyMap<string, number> {
  const first = new Map<string, number>(notPending);
  for (const { cause, occasion, at } of asked) {
    const [, rule = ''] = /^step:([^:]+):/.exec(occasion) ?? [];
    if (!ruleSet.ruleOf(rule)?.escalation?.confirm) continue;
    const about = `${cause} ${rule}`;
    first.set(about, Math.min(first.get(about) ?? Infinity, at));
  }
  return first;
}

/** Of the same level somebody was waited for, or was not any more by then. */
function isConfirmed(about: string, at: number, before: TrueQuestions, sets: RuleSets): boolean {
  const name = about.slice(about.lastIndexOf(' ') + 1);
  const escalations = [sets.before, sets.after].map((set) => set.ruleOf(name)?.escalation);
  if (escalations[0]?.per !== escalations[1]?.per) return false;
  const left = before.notPending.get(about);
  if (left !== undefined && left <= at) return true;
  return before.asked.some(({ cause, occasion }) => {
    const [, rule = ''] = /^step:([^:]+):/.exec(occasion) ?? [];
    return `${cause} ${rule}` === about && escalations[0]?.confirm === true;
  });
}
