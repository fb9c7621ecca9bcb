import type { NewDelivery } from '../action/delivery-store.js';
import { makeReady } from '../action/ready-request.js';
import { loadConfig } from '../config/config.js';
import { printable } from '../config/terminal-text.js';
import { loadBuiltInCatalogue } from '../events/catalogue.js';
import type { StoredEvent } from '../events/event-store.js';
import { decide, type DecisionInputs, judge, type Verdict } from '../rules/decide.js';
import type { LookupAnswers } from '../rules/lookup-document.js';
import type { RuleSet } from '../rules/rule-set.js';
import { subjectOf } from '../rules/subject.js';
import { pc } from './colours.js';
import { declaredSource } from '../ingestion/declared-source.js';
import { readEventFile } from './event-file.js';
import { withInstallation } from './installation.js';
import { answersFor, type GivenAnswers, readLookupFile } from './lookup-answers.js';
import { refuse } from './refuse.js';
import { readableRequest } from './readable-request.js';
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
}

/** A stored event, and what was answered when it was decided. */
interface StoredAnswers {
  readonly event: StoredEvent;
  readonly recorded: LookupAnswers;
}

interface TriedDelivery {
  readonly rule: string;
  readonly action: string;
  readonly kind: NewDelivery['kind'];
  readonly target: string;
  /** `dead`: it could not be rendered, and `code` and `reason` say why. */
  readonly state: 'pending' | 'dead';
  readonly code: string | null;
  readonly reason: string | null;
  /** As it would be sent; a secret is shown as its name in parentheses. */
  readonly request: unknown;
}

/** All verdicts are shown one by one up to so many rules; beyond, those that did not match are only counted. */
const SHOWN = 50;

/**
 * `aftersign rules try`: events through the rule files on disk. Nothing is stored, nothing is sent, and no look-up is
 * made: their answers are those of a file, or were recorded with the event. Exit code 1 when the rule files are broken,
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
  const { DEFAULT_TIMEZONE } = loadConfig({ DEFAULT_TIMEZONE: process.env['DEFAULT_TIMEZONE'] });
  const tried: Tried[] = [];
  for (const one of [...events].reverse()) {
    const { event, recorded } = 'event' in one ? one : { event: one, recorded: {} };
    const inputs = { now: Date.now(), timezone: DEFAULT_TIMEZONE, lookups: recorded };
    tried.push(await tryOne(ruleSet, event, inputs, given));
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ruleSet: ruleSet.hash, events: tried })}\n`
      : `${tried.map((one) => textOf(one, ruleSet)).join('\n')}\nNothing was stored and nothing was sent. 未存储，未发送。\n`,
  );
  return 0;
}

async function latestEvents(count: number): Promise<readonly StoredAnswers[]> {
  return await withInstallation(async ({ events, evaluations }) => {
    const found: StoredAnswers[] = [];
    for (const event of await events.latest(count)) {
      const answers = (await evaluations.findAll(event.id)).map(({ inputs }) => inputs.lookups);
      found.push({ event, recorded: answers.findLast((one) => one !== undefined) ?? {} });
    }
    return found;
  });
}

async function tryOne(
  ruleSet: RuleSet,
  event: StoredEvent,
  known: DecisionInputs,
  given: GivenAnswers,
): Promise<Tried> {
  const subject = subjectOf(event);
  const lookups = answersFor(ruleSet, subject, known, given);
  const inputs = { ...known, lookups };
  const { verdicts, deliveries } = await decide(ruleSet, subject, inputs);
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
  };
}

function rendered({ rule, action, kind, target, state, code, reason, request }: NewDelivery): TriedDelivery {
  const names = request?.secrets.flatMap(({ pieces }) =>
    pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.secret])),
  );
  // In parentheses: percent-encoding leaves them as they are.
  const placeholders = new Map((names ?? []).map((name) => [name, `(${name})`]));
  const ready = request && makeReady(request, placeholders);
  return {
    rule,
    action,
    kind,
    target,
    state,
    code,
    reason,
    request: ready && 'request' in ready ? ready.request : null,
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
  { eventId, eventType, verdicts, deliveries, lookups }: Tried,
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
