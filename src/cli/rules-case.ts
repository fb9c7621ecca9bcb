import { printable } from '../config/terminal-text.js';
import type { EventCaseAnswer } from '../console/api/event-cases.schema.js';
import { onlyCase } from '../rules/cases/case-from-event.js';
import type { CaseFailure, CaseResult } from '../rules/cases/case-result.js';
import { readInstant } from '../rules/operators.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { failureLines } from '../rules/cases/case-failure-text.js';
import { NO_COLOURS } from './colours.js';
import { layOut } from './json-layout.js';
import { print } from './output.js';

export interface CaseOptions extends AdminPlace {
  /** Of an event, ours or the sender's. */
  readonly fromEvent: string;
  /** Absent: all rules that said something of the event. */
  readonly rule?: string | undefined;
  readonly json: boolean;
}

/**
 * `aftersign rules case --from-event <id>`: a `*.cases.json` of what really happened, with stand-ins for personal
 * values, on standard output. On standard error stands what it cannot say, and what today's rules would do otherwise.
 * Exit code 1 when it does not run on the rule set of that day as it was recorded, or no case can be made.
 */
export async function printCase({ fromEvent, rule, json, ...place }: CaseOptions): Promise<number> {
  return await withAdmin(place, async ({ events }) => {
    const answer = await events.case(fromEvent, { rule });
    const shown = json ? JSON.stringify(answer) : layOut(answer.document);
    await print(`${shown}\n`);
    process.stderr.write(messagesOf(answer));
    return answer.passed ? 0 : 1;
  });
}

function messagesOf({ document, ruleSet, passed, failures, notes, today }: EventCaseAnswer): string {
  const lines = notes.map((note) => `Note 注意: ${printable(note)}.`);
  const { case: told, timezone } = onlyCase(document);
  const startedAt = readInstant(told.now ?? '', 'date-time') ?? 0;
  const failuresIn = (list: readonly CaseFailure[]): readonly string[] => {
    const result: CaseResult = {
      file: '',
      line: 1,
      name: told.name,
      ok: false,
      failures: list,
      deliveries: [],
      judged: [],
      startedAt,
      ms: 0,
    };
    const style = { colours: NO_COLOURS, timezone: timezone ?? 'UTC', reasonOf: () => [] };
    return list.flatMap((one) => failureLines(one, result, style).map((line) => `  ${line}`));
  };
  if (!passed)
    lines.push(
      `The case does not run on the rule set ${ruleSet.slice(0, 12)} as it was recorded 与记录不符 (please report this as a bug):`,
      ...failuresIn(failures),
    );
  if (today && !today.passed)
    lines.push(
      `Today's rules (${today.ruleSet.slice(0, 12)}) give another result 当前规则的结果不同:`,
      ...failuresIn(today.failures),
    );
  return lines.map((line) => `${line}\n`).join('');
}
