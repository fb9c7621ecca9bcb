import type { FieldDefinition } from '../../events/catalogue.js';
import { STATE_FACTS } from '../state/fact-fields.js';
import type { FactForm } from './condition-form.js';
import { followPath, listOf, type Reporter, walk } from './fact-check.js';
import { didYouMean } from './nearest-name.js';
import type { RuleEvents } from './rule-events.js';
import type { Problem } from './template-reads.js';

/** Checks a fact of the state or the clock. The answer is what it may be; empty when there is no such fact. */
export function checkStateFact(
  { fact, at, path, pathAt, pathBroken }: FactForm,
  events: RuleEvents,
  report: Reporter,
): readonly FieldDefinition[] {
  if (!STATE_FACTS.includes(fact)) {
    report.error(at, 'FACT_UNKNOWN', unknownFact(fact), () => didYouMean(fact, STATE_FACTS));
    return [];
  }
  const fields = events.fieldsOf(fact);
  const without = events.open ? [] : events.without(fact);
  if (without.length > 0 && fields.length === 0)
    report.warning(at, 'FACT_NEVER_THERE', `${listOf(without)}: "${fact}" is never known there`, () =>
      mendOf(fact),
    );
  else if (without.length > 0 && !events.more)
    report.warning(
      at,
      'FACT_NOT_IN_ALL_TYPES',
      `${listOf(without)}: "${fact}" is never known there, nor is the condition`,
      'Write a rule for each event type, or use a fact that all of them have.',
    );
  if (pathBroken) return [];
  return path && pathAt && fields.length > 0 ? followPath(fact, fields, path, pathAt, report) : fields;
}

/** Why a template would find nothing at a path like `task.age`; null: nothing speaks against it. */
export function missingInState(path: readonly string[], events: RuleEvents): Problem | null {
  const [root = '', name = '', ...keys] = path;
  const fact = `${root}.${name}`;
  if (!STATE_FACTS.includes(fact))
    return { severity: 'error', message: unknownFact(fact), mend: didYouMean(fact, STATE_FACTS) };
  const fields = events.fieldsOf(fact);
  if (keys.length > 0 && !fields.some((field) => walk(field, keys).ok))
    return { severity: 'error', message: `"${fact}" has no members`, mend: 'Mend the path.' };
  if (events.open) return null;
  const without = events.without(fact);
  const mend = 'Write | default: "…" behind it.';
  if (without.length > 0 && !(events.more && fields.length > 0))
    return {
      severity: events.more ? 'warning' : 'error',
      message: `${listOf(without)}: "${fact}" is never known there`,
      mend: `${mendOf(fact)} Or write | default: "…" behind it.`,
    };
  if (events.more || !fields.some(({ optional }) => optional)) return null;
  const types = listOf(events.entries.map(({ eventType }) => eventType));
  return { severity: 'error', message: `"${fact}" may not be known with ${types}`, mend };
}

function unknownFact(fact: string): string {
  return `there is no fact "${fact}"`;
}

function mendOf(fact: string): string {
  if (fact === 'process.status')
    return 'Describe the event type that tells it in catalogue/<name>.event.json, or use another fact.';
  const [level = ''] = fact.split('.');
  return `Listen to events that say which ${level} they are about, or use another fact.`;
}
