import type { CatalogueEntry } from '../../events/catalogue.js';
import { entityFields } from '../../events/catalogue.js';
import type { CompiledConditions } from '../compiled-conditions.js';
import type { ConditionNode } from '../condition-tree.js';
import { lookupPlaceOf } from '../lookup-name.js';
import { parseOperator } from '../operators.js';
import type { Escalation } from '../rule-timing.js';
import { isStateFact } from '../state/fact-names.js';
import { hasLevel, kindOfLevel, levelTold } from '../state/levels.js';
import { LEVELS } from '../state/root-state.js';
import type { Spot } from './finding-place.js';
import { FactSpace } from './fact-space.js';
import { holdsIn, type Inquiry, outcomeOf } from './inquiry.js';
import { type KnownRule, reportUndecided, toldOf } from './rule-questions.js';
import { searchTypes, witnessFor } from './type-search.js';
import { leavesText } from './leaf-text.js';

const CANCEL_ON: Spot = { kind: 'key', path: ['escalate', 'cancelOn'] };
const ESCALATE: Spot = { kind: 'key', path: ['escalate'] };
/** Of the envelope, what the events of one entity share. */
const SHARED = new Set(['event_type', 'app_id', 'tenant_key']);

/**
 * Whether anything but the end of the process can end an escalation: a later event of the same entity after which the
 * conditions are false, or `cancelOn`. A later event of another type may say anything.
 */
export function askOfLadder(inquiry: Inquiry, known: KnownRule): void {
  const { rule, match } = known;
  const { escalation } = rule;
  if (!escalation || !match) return;
  const cancels = escalation.cancelOn && askCancelOn(inquiry, known, escalation.cancelOn);
  // The platform is asked before each step whether anybody is waited for still.
  if (escalation.confirm) return;
  const ends = cancels ? 'no' : changes(inquiry, known, escalation);
  inquiry.count('LADDER_ENDLESS', ends);
  if (ends === 'undecided')
    reportUndecided(
      inquiry,
      rule,
      ESCALATE,
      `whether the escalation of "${rule.name}" can end early`,
      'inexact',
    );
  if (ends !== 'yes') return;
  const witness = witnessFor(inquiry, rule, match);
  inquiry.report({
    code: 'LADDER_ENDLESS',
    severity: 'warning',
    rule,
    spot: ESCALATE,
    ...(witness ? { witness } : {}),
    message: `nothing but the end of the process ends the escalation of "${rule.name}": its conditions read only what stays the same for a ${escalation.per}${
      escalation.cancelOn ? ', and "cancelOn" never holds' : ''
    }`,
    mend: 'Add the status that is waited in to "conditions", or write "cancelOn", or "confirm": true.',
  });
}

/** Whether `cancelOn` may hold with any event of the process. False: it never does, and that is reported. */
function askCancelOn(
  inquiry: Inquiry,
  { rule, types, match }: KnownRule,
  cancelOn: CompiledConditions,
): boolean {
  const around = inquiry.types.around(types);
  if (!around || !match) return true;
  const goal = { tree: cancelOn.tree, want: 'yes' } as const;
  const can = searchTypes(inquiry, around, [goal], (model) => holdsIn(cancelOn, model));
  inquiry.count('CONDITIONS_NEVER', toldOf(can));
  if (can.told !== 'none') return true;
  const witness = witnessFor(inquiry, rule, match);
  inquiry.report({
    code: 'CONDITIONS_NEVER',
    severity: 'warning',
    rule,
    spot: CANCEL_ON,
    ...(witness ? { witness } : {}),
    message: `"cancelOn" of "${rule.name}" never holds${can.core.length > 0 ? `: ${leavesText(can.core, rule, inquiry.ruleSet)}` : ''}`,
    mend: 'Change it, or remove it: the escalation also ends when the conditions no longer hold.',
  });
  return false;
}

/** `yes`: no later event makes the conditions false. */
function changes(
  inquiry: Inquiry,
  { rule, types }: KnownRule,
  { per }: Escalation,
): 'yes' | 'no' | 'undecided' | 'cut' {
  const { conditions } = rule;
  const { tree } = conditions;
  const [type, ...others] = types;
  // Another type may say anything of what this one has said.
  if (!type?.entry || others.length > 0 || !hasLevel(type.entry, per)) return 'no';
  const answer = inquiry.ask(
    [
      { tree, want: 'yes' },
      { tree, want: 'no', moment: 'later' },
    ],
    spaceOf(inquiry, type.entry, countedFromNow(tree)),
  );
  if (!answer) return 'cut';
  if (answer.answer !== 'yes') return answer.answer === 'no' ? 'yes' : 'undecided';
  const { facts, later, now } = answer.model;
  const ends = outcomeOf(conditions, facts, now) === 'yes' && outcomeOf(conditions, later, now) === 'no';
  return ends ? 'no' : 'undecided';
}

/** What a later event of the same entity shares with the earlier. */
function spaceOf({ ruleSet }: Inquiry, entry: CatalogueEntry, moving: ReadonlySet<string>): FactSpace {
  const stays = stableFacts(entry);
  return new FactSpace(ruleSet, entry.eventType, { stable: (fact) => stays(fact) && !moving.has(fact) });
}

/**
 * The facts that the events of one task, or of what else they are about, have in common: all but the status, times and
 * what is of the event alone. Of a process, only its ids and texts; an event that is about something else besides (a
 * comment, a copy) shares but those ids.
 */
function stableFacts(entry: CatalogueEntry): (fact: string) => boolean {
  const own = (['task', 'node', 'process'] as const).find((level) => hasLevel(entry, level)) ?? 'process';
  const levels = LEVELS.slice(LEVELS.indexOf(own));
  const ids = new Set(
    levels.flatMap((level) => {
      const kind = kindOfLevel(entry, level);
      return kind === null ? [] : entityFields(entry, kind);
    }),
  );
  const kinds = new Set(levels.map((level) => kindOfLevel(entry, level)));
  const alone = Object.keys(entry.entities).every((kind) => kinds.has(kind)) && levelTold(entry) === own;
  const fields = new Set(
    Object.entries(entry.fields).flatMap(([name, { type, format, fact, optional }]) => {
      if (ids.has(name)) return [fact ?? name];
      if (!alone || name === entry.status?.field || format !== undefined || optional) return [];
      return own === 'task' ? [fact ?? name] : type === 'string' ? [fact ?? name] : [];
    }),
  );
  return (fact) =>
    fact === 'event.late' ||
    SHARED.has(fact) ||
    (!isStateFact(fact) && !lookupPlaceOf(fact) && fields.has(fact));
}

/** The facts that are compared with the time of the decision: they come out otherwise when it has passed. */
function countedFromNow(node: ConditionNode): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (one: ConditionNode): void => {
    if (one.kind === 'not') visit(one.child);
    else if (one.kind !== 'leaf') one.children.forEach(visit);
    else if (parseOperator(one.operator)?.base.value === 'duration') found.add(one.fact);
  };
  visit(node);
  return found;
}
