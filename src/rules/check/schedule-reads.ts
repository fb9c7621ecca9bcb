import { placeholdersIn } from '../compiled-lookup.js';
import { lookupPlaceOf } from '../lookup-name.js';
import type { ConditionForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { factsIn } from './form-facts.js';
import type { JsonNode } from './json-text.js';
import { textsUnder } from './lookup-reads.js';

/** Checks that the conditions of a schedule read no look-ups: a turn goes over many entities, and asks nobody. */
export function checkScheduledConditions(conditions: ConditionForm | null, report: FileReport): void {
  for (const { fact, at } of factsIn(conditions)) {
    if (!lookupPlaceOf(fact)) continue;
    report.warning(
      at,
      'LOOKUP_IN_SCHEDULE',
      `a schedule asks no look-ups: "${fact}" is never known`,
      'Use the fields of the last event and the facts of the state.',
    );
  }
}

/** The same for what cancels a ladder: it is asked of every event of the process, and nobody else is. */
export function checkCancelOn(cancelOn: ConditionForm | null, report: FileReport): void {
  for (const { fact, at } of factsIn(cancelOn)) {
    if (!lookupPlaceOf(fact)) continue;
    report.error(
      at,
      'LOOKUP_IN_CANCEL_ON',
      `"cancelOn" asks no look-ups: "${fact}" is never known`,
      'Use fields of events and the facts of the state, or "confirm", which asks the platform before each step.',
    );
  }
}

/** The same for the templates under a node. */
export function checkScheduledTexts(texts: JsonNode, report: FileReport): void {
  for (const { node, text } of textsUnder(texts)) {
    for (const { path, filters } of placeholdersIn(text)) {
      const [root] = path[0] === 'items' ? path.slice(2) : path;
      if (root !== 'lookup' || filters.some(({ name }) => name === 'default')) continue;
      report.error(
        node,
        'TEMPLATE_VALUE_MISSING',
        `a schedule asks no look-ups: "${path.join('.')}" is missing`,
        'Remove it, or write | default: "…" behind it.',
      );
    }
  }
}
