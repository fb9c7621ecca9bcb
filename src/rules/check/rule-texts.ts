import type { ActionForm } from './action-check.js';
import type { FileReport } from './file-report.js';
import { checkGatheredReads, checkNoItems } from './gathered-reads.js';
import { checkLookupReads } from './lookup-reads.js';
import type { KnownEvents } from './rule-events.js';
import { checkReads, type RuleMembers } from './template-reads.js';
import { checkScheduledTexts } from './schedule-reads.js';
import type { TriggerForm } from './trigger-check.js';

/** What holds templates: an action, or the item of a digest. */
type Texts = Pick<ActionForm, 'node' | 'reads'> & Partial<Pick<ActionForm, 'undo'>>;

/** The templates of a rule, by when they are rendered. */
export interface RuleTexts {
  /** The rule's own actions. */
  readonly own: readonly Texts[];
  /** Those of the steps of its escalation. */
  readonly steps: readonly Texts[];
  /** There is a digest: the own actions are sent for what it has gathered. */
  readonly gathers: boolean;
  /** How the digest writes an item. */
  readonly item: Texts | null;
}

/** Checks what the templates of a rule read: that it is there when they are rendered. */
export function checkTexts(
  { own, steps, gathers, item }: RuleTexts,
  rule: RuleMembers,
  { events, scheduled }: TriggerForm,
  known: KnownEvents,
  report: FileReport,
): void {
  for (const action of gathers ? own : []) {
    // Of no event anything is known here: what is read of the rule is checked all the same.
    checkReads(action, rule, known.of([]), report);
    checkGatheredReads(action.node, events, report);
  }
  const single = [
    { texts: gathers ? [] : own, mend: 'Read "event", or add "digest" to the rule.' },
    { texts: steps, mend: 'Read "event": each step is sent by itself.' },
    { texts: item ? [item] : [], mend: 'Read "event": this is written once for each item.' },
  ];
  for (const { texts, mend } of single) {
    // An undo reads what its action reads.
    for (const text of texts.flatMap((one) => [one, ...(one.undo ? [one.undo] : [])])) {
      checkReads(text, rule, events, report);
      checkLookupReads(text.node, events, report);
      checkNoItems(text.node, mend, report);
    }
  }
  if (!scheduled) return;
  for (const { node } of [...own, ...(item ? [item] : [])]) checkScheduledTexts(node, report);
}
