import { printable } from '../config/terminal-text.js';
import type { StoredEvent } from '../events/event-store.js';
import type { Evaluation, Suppression } from '../rules/evaluation-store.js';
import { type EventExplanation, explainEvent } from '../rules/explain.js';
import { RuleSetError } from '../rules/rules.errors.js';
import { subjectOf } from '../rules/subject.js';
import { inColour, pc } from './colours.js';
import { formatExplanation } from './explanation-text.js';
import { type Installation, withInstallation } from './installation.js';
import { refuse } from './refuse.js';

interface ExplainOptions {
  readonly rule?: string | undefined;
  readonly json: boolean;
}

/** One evaluation told again: what `--json` prints for each. */
type ToldEvaluation = EventExplanation & {
  readonly occasion: string;
  readonly decidedAt: Date;
  /** "Matched", and no delivery, with the cause. */
  readonly suppressions: readonly Suppression[];
  /** Rules whose verdict is another today than the ledger holds: never, but for a bug. */
  readonly differing: readonly string[];
};

/**
 * `aftersign explain <event-id>`: why each rule fired or did not, computed again from the stored event, the rule set
 * that decided and what the evaluation recorded. Takes the sender's id or ours. Exit code 1 when there is no such
 * event, rule or rule set.
 */
export async function explainStoredEvent(eventId: string, options: ExplainOptions): Promise<number> {
  return await withInstallation(async (installation) => {
    const found = await installation.events.findByEventId(eventId);
    const [key, ...others] = found;
    if (!key) return refuse('EVENT_UNKNOWN', `no event has the id "${eventId}"`);
    if (others.length > 0) {
      const ids = found.map(({ id, origin }) => `${id} (${origin})`).join(', ');
      return refuse('EVENT_AMBIGUOUS', `several events have the id "${eventId}": ask for one of ${ids}`);
    }
    const event = await installation.events.find(key.id);
    if (!event) return refuse('EVENT_UNKNOWN', `the event ${key.id} is not stored any more`);
    try {
      const evaluations = await tellAgain(installation, event, options.rule);
      if (options.rule !== undefined && evaluations.length > 0 && !evaluations.some(hasExplanations)) {
        const hash = evaluations.map(({ ruleSet }) => ruleSet.slice(0, 12)).join(', ');
        return refuse(
          'RULE_UNKNOWN',
          `there was no rule "${options.rule}" in the rule set that decided (${hash})`,
        );
      }
      const { id, origin, eventType } = event;
      const { state } = key;
      const reason = state === 'waiting' ? await installation.lookups.reasonOf(id) : key.reason;
      const about = { eventId: event.eventId, id, origin, eventType, state, reason };
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ ...about, evaluations })}\n`
          : textOf(event, state, reason, evaluations),
      );
      return 0;
    } catch (error) {
      if (!(error instanceof RuleSetError)) throw error;
      return refuse(error.code, error.message);
    }
  });
}

const hasExplanations = ({ explanations }: ToldEvaluation): boolean => explanations.length > 0;

async function tellAgain(
  { evaluations, ruleSets }: Installation,
  event: StoredEvent,
  rule: string | undefined,
): Promise<ToldEvaluation[]> {
  const told: ToldEvaluation[] = [];
  for (const evaluation of await evaluations.findAll(event.id)) {
    const ruleSet = await ruleSets.find(evaluation.ruleSet);
    const explanation = await explainEvent(
      ruleSet,
      subjectOf(event),
      evaluation.inputs,
      rule === undefined ? {} : { rule },
    );
    told.push({
      occasion: evaluation.occasion,
      decidedAt: evaluation.decidedAt,
      ...explanation,
      suppressions: evaluation.verdicts.filter((one): one is Suppression => 'action' in one),
      differing: differingFrom(evaluation, explanation),
    });
  }
  return told;
}

function differingFrom(evaluation: Evaluation, { explanations }: EventExplanation): string[] {
  const recorded = new Map<string, string>();
  for (const one of evaluation.verdicts) if ('verdict' in one) recorded.set(one.rule, one.verdict);
  return explanations
    .filter(({ rule, verdict }) => {
      const now = verdict.verdict === 'not listening' ? 'not matched' : verdict.verdict;
      return now !== (recorded.get(rule) ?? 'not matched');
    })
    .map(({ rule }) => rule);
}

function textOf(
  event: StoredEvent,
  state: string,
  reason: string | null,
  evaluations: readonly ToldEvaluation[],
): string {
  const lines = [
    `${pc.bold('event 事件')} ${printable(event.eventId)}  ${printable(event.eventType)}  ${pc.dim(event.receivedAt.toISOString())}`,
  ];
  if (state === 'undecided')
    lines.push(pc.yellow('  not decided yet 尚未求值: it waits for its turn, or no rule set is live'));
  if (state === 'waiting') lines.push(pc.yellow(`  not decided yet 尚未求值: ${printable(reason ?? '')}`));
  if (state === 'decided' && evaluations.length === 0)
    lines.push(pc.yellow(`  not evaluated 未求值: ${printable(reason ?? '')}`));
  if (state === 'quarantined') lines.push(pc.red(`  quarantined 已隔离: ${printable(reason ?? '')}`));
  const width = process.stdout.columns || 100;
  for (const evaluation of evaluations) {
    const { occasion, decidedAt, ruleSet, counts, explanations, suppressions, differing } = evaluation;
    lines.push(
      pc.dim(
        `${occasion}, decided ${new Date(decidedAt).toISOString()} by rule set 规则集 ${ruleSet.slice(0, 12)}`,
      ),
    );
    if (counts) {
      const told = Object.entries(counts).filter(([, count]) => count > 0);
      lines.push(pc.dim(told.map(([standing, count]) => `${count} ${standing}`).join(' · ') || 'no rules'));
    }
    lines.push('');
    for (const one of explanations) lines.push(formatExplanation(one, { colour: inColour, width }), '');
    const hidden = counts ? counts['near miss'] + counts['not matched'] - shownMisses(explanations) : 0;
    if (hidden > 0)
      lines.push(pc.dim(`${hidden} more rules did not match: ask for one with --rule <name>`), '');
    for (const { rule, action, cause } of suppressions)
      lines.push(`  ${rule} / ${action}: no delivery 未投递: ${cause}`);
    if (differing.length > 0)
      lines.push(
        pc.red(
          `  The ledger holds another verdict for ${differing.join(', ')}: please report this as a bug.`,
        ),
      );
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function shownMisses(explanations: EventExplanation['explanations']): number {
  return explanations.filter(({ verdict }) => verdict.verdict === 'not matched').length;
}
