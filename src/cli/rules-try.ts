import type { NewDelivery } from '../action/delivery-store.js';
import { readableRequest, shownRequest } from '../action/readable-request.js';
import { loadConfig } from '../config/config.js';
import { printable } from '../config/terminal-text.js';
import { loadBuiltInCatalogue } from '../events/catalogue.js';
import type { StoredEvent } from '../events/event-store.js';
import {
  decide,
  type DecisionInputs,
  judge,
  type Situation,
  type Subject,
  type Verdict,
} from '../rules/decide.js';
import type { LookupAnswers } from '../rules/lookup-document.js';
import type { RuleSet } from '../rules/rule-set.js';
import { observe, placeOf } from '../rules/state/observe.js';
import { NO_STATE, type RootState } from '../rules/state/root-state.js';
import { stateFacts } from '../rules/state/state-facts.js';
import { subjectOf } from '../rules/subject.js';
import { pc } from './colours.js';
import { declaredSource } from '../ingestion/declared-source.js';
import { readEventFile } from './event-file.js';
import { withInstallation } from './installation.js';
import { answersFor, type GivenAnswers, readLookupFile } from './lookup-answers.js';
import { refuse } from './refuse.js';
import { loadRuleSet, rulesFolder } from './rules-folder.js';

export interface TryOptions {
  readonly rules?: string | undefined;
  /** So many of the events received last, instead of a file. */
  readonly last?: number | undefined;
  /** A file with the answers of look-ups, `{name: value}`. */
  readonly lookups?: string | undefined;
  /** The file holds bodies of this source of `SOURCES_FILE`. */
  readonly source?: string | undefined;
  readonly json: boolean;
}

/** One event through the rules: what `--json` prints for each. */
interface Tried {
  readonly eventId: string;
  readonly eventType: string;
  readonly verdicts: readonly Verdict[];
  readonly deliveries: readonly TriedDelivery[];
  /** What was taken for the answers of the look-ups that the rules need for it. */
  readonly lookups: LookupAnswers;
  /** The facts of the state, as they were recorded, or as the events tried so far make them. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Actions that would be gathered into a digest. */
  readonly digests: readonly { readonly rule: string; readonly action: string }[];
  /** Actions of matched rules that their own conditions leave out; `by`: what they lack or why they failed. */
  readonly withheld: readonly {
    readonly rule: string;
    readonly action: string;
    readonly by: string | null;
  }[];
  /** Escalations that it would begin; times as ISO 8601. */
  readonly timers: readonly TriedTimer[];
}

interface TriedTimer {
  readonly rule: string;
  readonly subject: string;
  readonly step: string;
  readonly dueAt: string;
}

/** A stored event, and what was read for it when it was decided. */
interface StoredAnswers {
  readonly event: StoredEvent;
  readonly recorded: LookupAnswers;
  readonly state: Readonly<Record<string, unknown>> | undefined;
}

interface TriedDelivery {
  readonly rule: string;
  readonly action: string;
  readonly kind: NewDelivery['kind'];
  readonly target: string;
  /** `dead`: it could not be rendered, and `code` and `reason` say why. */
  readonly state: NewDelivery['state'];
  readonly code: string | null;
  readonly reason: string | null;
  /** As it would be sent; a secret is shown as its name in parentheses. */
  readonly request: unknown;
}

/** All verdicts are shown one by one up to so many rules; beyond, those that did not match are only counted. */
const SHOWN = 50;

/**
 * `aftersign rules try`: events through the rule files on disk, one after the other. Nothing is stored, nothing is sent,
 * and no look-up is made: their answers are those of a file, or were recorded with the event. Of the events of a file,
 * each finds the state as the ones before it have left it. Exit code 1 when the rule files are broken,
 * the answers cannot be read, or there is no event.
 */
export async function tryRules(file: string | undefined, options: TryOptions): Promise<number> {
  const builtIn = loadBuiltInCatalogue();
  const ruleSet = await loadRuleSet(rulesFolder(options.rules), builtIn);
  if (!ruleSet) return 1;
  const given = await readLookupFile(options.lookups, ruleSet);
  if (typeof given === 'string') return refuse('LOOKUPS_UNREADABLE', given);
  const { last, source = null } = options;
  const declared = source === null ? null : declaredSource(loadConfig(process.env), source);
  if (typeof declared === 'string') return refuse('SOURCE_UNKNOWN', declared);
  const events =
    last !== undefined
      ? await latestEvents(last)
      : await readEventFile(file ?? '-', ruleSet.catalogue, process.env['FEISHU_ENCRYPT_KEY'], declared);
  if (typeof events === 'string' || events.length === 0) {
    return refuse('EVENT_UNREADABLE', typeof events === 'string' ? events : 'no event is stored yet');
  }
  const { DEFAULT_TIMEZONE, DEFAULT_CALENDAR } = loadConfig({
    DEFAULT_TIMEZONE: process.env['DEFAULT_TIMEZONE'],
    DEFAULT_CALENDAR: process.env['DEFAULT_CALENDAR'],
  });
  const tried: Tried[] = [];
  const states = new Map<string, RootState>();
  for (const one of events) {
    const { event, recorded, state } = 'event' in one ? one : { event: one, recorded: {}, state: undefined };
    const inputs = {
      now: Date.now(),
      timezone: DEFAULT_TIMEZONE,
      ...(DEFAULT_CALENDAR === undefined ? {} : { calendar: DEFAULT_CALENDAR }),
      lookups: recorded,
      ...(state ? { state } : {}),
    };
    tried.push(await tryOne(ruleSet, event, inputs, given, states));
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ruleSet: ruleSet.hash, events: tried })}\n`
      : `${tried.map((one) => textOf(one, ruleSet)).join('\n')}\nNothing was stored and nothing was sent. 未存储，未发送。\n`,
  );
  return 0;
}

/** The events received last, the earliest of them first. */
async function latestEvents(count: number): Promise<readonly StoredAnswers[]> {
  return await withInstallation(async ({ events, evaluations }) => {
    const found: StoredAnswers[] = [];
    for (const event of (await events.latest(count)).reverse()) {
      const inputs = (await evaluations.findAll(event.id)).map((one) => one.inputs);
      found.push({
        event,
        recorded: inputs.findLast(({ lookups }) => lookups !== undefined)?.lookups ?? {},
        state: inputs.find(({ state }) => state !== undefined)?.state,
      });
    }
    return found;
  });
}

async function tryOne(
  ruleSet: RuleSet,
  event: StoredEvent,
  known: DecisionInputs,
  given: GivenAnswers,
  states: Map<string, RootState>,
): Promise<Tried> {
  const subject = subjectOf(event);
  const { state, situation } = situationOf(ruleSet, event, subject, states);
  const withState = { ...known, state: known.state ?? state };
  const lookups = answersFor(ruleSet, subject, withState, given);
  const inputs = { ...withState, lookups };
  const { verdicts, deliveries, matches, ladders } = await decide(ruleSet, subject, inputs, situation);
  const told = new Map(verdicts.map((one) => [one.rule, one]));
  const listening = ruleSet.rules.filter((rule) => rule.listensTo(event.eventType));
  const all: Verdict[] = [];
  for (const rule of listening)
    all.push(told.get(rule.name) ?? (await judge(ruleSet, rule, subject.facts, inputs)));
  return {
    eventId: event.eventId,
    eventType: event.eventType,
    verdicts: all,
    deliveries: deliveries.map(rendered),
    lookups,
    state: inputs.state,
    digests: matches.flatMap(({ rule, items }) => items.map(({ action }) => ({ rule: rule.name, action }))),
    withheld: matches.flatMap(({ rule, withheld }) => withheld.map((one) => ({ rule: rule.name, ...one }))),
    timers: ladders.flatMap((change) =>
      change.kind === 'arm'
        ? {
            rule: change.rule,
            subject: change.subject,
            step: change.next.step.name,
            dueAt: new Date(change.next.dueAt).toISOString(),
          }
        : [],
    ),
  };
}

/** Where an event stands among those that were tried before it, which it is added to. */
function situationOf(
  { catalogue }: RuleSet,
  event: StoredEvent,
  { facts }: Subject,
  states: Map<string, RootState>,
): { readonly state: Readonly<Record<string, unknown>>; readonly situation: Situation | undefined } {
  const { rootEntity, eventType, eventId } = event;
  if (rootEntity === null) return { state: { 'event.late': false }, situation: undefined };
  const place = placeOf(catalogue, eventType, facts);
  const orderTime = event.createTime?.getTime() ?? event.receivedAt.getTime();
  const at = { orderTime, statusRank: catalogue.statusRankOf(eventType, facts), eventId };
  const id = event.id === '' ? eventId : event.id;
  const { after, late } = observe(states.get(rootEntity) ?? NO_STATE, { id, eventType, ...at, place });
  states.set(rootEntity, after);
  return {
    state: stateFacts(after, place, at, orderTime, late),
    situation: { id, place, late, orderTime, state: after, ladders: [] },
  };
}

function rendered({ rule, action, kind, target, state, code, reason, request }: NewDelivery): TriedDelivery {
  return {
    rule,
    action,
    kind,
    target,
    state,
    code,
    reason,
    request: shownRequest(request),
  };
}

const MARKS = {
  matched: () => pc.green('✓'),
  'not matched': () => pc.dim('✗'),
  unknown: () => pc.yellow('?'),
  error: () => pc.red('!'),
  skipped: () => pc.dim('–'),
} as const;

function textOf(
  { eventId, eventType, verdicts, deliveries, lookups, digests, withheld, timers }: Tried,
  { catalogue }: RuleSet,
): string {
  const label = catalogue.find(eventType)?.label;
  const lines = [
    `${pc.bold('event 事件')} ${printable(eventId)}  ${printable(eventType)}${label ? `  ${pc.cyan(`${label.zh} / ${label.en}`)}` : ''}`,
  ];
  const shown =
    verdicts.length > SHOWN ? verdicts.filter(({ verdict }) => verdict !== 'not matched') : verdicts;
  for (const one of shown)
    lines.push(`  ${MARKS[one.verdict]()} ${one.rule}  ${one.verdict}${detailOf(one)}`);
  if (shown.length < verdicts.length)
    lines.push(pc.dim(`  ✗ ${verdicts.length - shown.length} more rules did not match`));
  if (verdicts.length === 0)
    lines.push(pc.dim('  no rule listens to this event type 没有规则监听该事件类型'));
  for (const [name, answer] of Object.entries(lookups)) {
    lines.push(
      'failed' in answer
        ? pc.yellow(`  look-up 查询 ${name}: ${answer.failed.code}: ${printable(answer.failed.detail)}`)
        : pc.dim(`  look-up 查询 ${name}: ${shortened(printable(JSON.stringify(answer.value)))}`),
    );
  }
  for (const { rule, action } of digests)
    lines.push(`  → ${pc.bold(`${rule} / ${action}`)}: would be gathered into a digest 汇总`);
  for (const { rule, action, by } of withheld)
    lines.push(
      `  ✗ ${pc.bold(`${rule} / ${action}`)}: its "when" does not hold 动作条件不成立${by === null ? '' : pc.yellow(`: ${printable(by)}`)}`,
    );
  for (const { rule, subject, step, dueAt } of timers)
    lines.push(
      `  ◷ ${pc.bold(rule)}: would begin to escalate for 将开始升级 ${printable(subject)}: ${printable(step)} at ${dueAt}`,
    );
  for (const one of deliveries) {
    const outcome =
      one.state === 'dead' ? pc.red(`dead, ${String(one.code)}: ${String(one.reason)}`) : 'would be sent';
    lines.push(`  → ${pc.bold(`${one.rule} / ${one.action}`)} to ${printable(one.target)}: ${outcome}`);
    if (one.request !== null) {
      for (const line of JSON.stringify(readableRequest(one.request), null, 2).split('\n'))
        lines.push(pc.dim(`      ${printable(line)}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function detailOf(verdict: Verdict): string {
  if (verdict.verdict === 'unknown') return pc.yellow(`: missing ${printable(verdict.missing.join(', '))}`);
  if (verdict.verdict === 'error') return pc.red(`: ${printable(verdict.error)}`);
  return verdict.verdict === 'skipped' ? `: ${verdict.cause}` : '';
}
