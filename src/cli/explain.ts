import { printable } from '../config/terminal-text.js';
import { Refusal } from '../config/problem.js';
import type { EventDetail } from '../console/api/events.schema.js';
import type { ExplainedEvaluation } from '../console/api/explanations.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { inColour, pc } from './colours.js';
import { formatExplanation } from './explanation-text.js';
import { print } from './output.js';
import { suppressionText } from './words.js';

interface ExplainOptions extends AdminPlace {
  readonly rule?: string | undefined;
  readonly json: boolean;
}

/** Of those that did not match. */
const EXPLAINED = 50;

/**
 * `aftersign explain <event-id>`: why each rule fired or did not, computed again from the stored event, the rule set
 * that decided and what the evaluation recorded. Takes the sender's id or ours. Exit code 1 when there is no such
 * event, rule or rule set.
 */
export async function explainStoredEvent(eventId: string, options: ExplainOptions): Promise<number> {
  const { rule, json } = options;
  return await withAdmin(options, async ({ events }) => {
    const event = await events.find(eventId);
    const { items } = await events.evaluations(event.id, { rule, limit: EXPLAINED });
    if (
      rule !== undefined &&
      items.length > 0 &&
      !items.some(({ explanations }) => explanations.length > 0)
    ) {
      const hashes = items.map(({ ruleSet }) => ruleSet.slice(0, 12)).join(', ');
      const detail = `there was no rule "${rule}" in the rule set that decided (${hashes})`;
      throw new Refusal(404, 'RULE_UNKNOWN', detail);
    }
    const { id, origin, eventType, state, reason } = event;
    const told = { eventId: event.eventId, id, origin, eventType, state, reason, evaluations: items };
    await print(json ? `${JSON.stringify(told)}\n` : textOf(event, items));
    return 0;
  });
}

function textOf(event: EventDetail, evaluations: readonly ExplainedEvaluation[]): string {
  const { state, reason } = event;
  const lines = [
    `${pc.bold('event 事件')} ${printable(event.eventId)}  ${printable(event.eventType)}  ${pc.dim(printable(event.receivedAt))}`,
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
    for (const one of suppressions) lines.push(`  ${suppressionText(one)}`);
    if (differing.length > 0)
      lines.push(
        pc.red(
          `  The ledger holds another verdict for ${differing.join(', ')}: please report this as a bug.`,
        ),
      );
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function shownMisses(explanations: ExplainedEvaluation['explanations']): number {
  return explanations.filter(({ verdict }) => verdict.verdict === 'not matched').length;
}
