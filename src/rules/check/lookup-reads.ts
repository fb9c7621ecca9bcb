import type { FieldDefinition } from '../../events/catalogue.js';
import { placeholdersIn } from '../compiled-lookup.js';
import type { LookupPlace } from '../lookup-name.js';
import type { FactForm } from './condition-form.js';
import { followPath, listOf, type Reporter, walk } from './fact-check.js';
import type { FileReport, Mend } from './file-report.js';
import { elementsOf, membersOf, textOf } from './json-node.js';
import type { JsonNode, Place } from './json-text.js';
import { didYouMean } from './nearest-name.js';
import type { RuleEvents } from './rule-events.js';
import { missingInEvent } from './template-reads.js';

const DECLARE =
  'Declare it in lookups.json at the top of the rules folder, like {"process": {"type": "feishu-process", "id": "{{ event.process_id }}"}}.';

/** Checks a fact of a look-up. The answer is what it may be; empty when nothing is known of it. */
export function checkLookupFact(
  { name, fact, members }: LookupPlace,
  { fact: written, at, path, pathAt, pathBroken }: FactForm,
  events: RuleEvents,
  report: Reporter,
): readonly FieldDefinition[] {
  const shape = events.lookups.find(name);
  if (!shape) {
    report.error(at, 'FACT_UNKNOWN', unknownName(name), mendOfName(name, events));
    return [];
  }
  reportInputs(name, at, events, report);
  const { field, more } = shape;
  if (!field) return [];
  const found = walk(field, members);
  if (!found.ok) {
    const key = members[found.step] ?? '';
    const where = [fact, ...members.slice(0, found.step)].join('.');
    const mend: Mend = () => mendOfMember(key, found.field);
    if (more && found.step === 0)
      report.warning(at, 'FACT_IN_NO_TYPE', `"${where}" is not known to have a member "${key}"`, mend);
    else report.error(at, 'FACT_UNKNOWN', `"${where}" has nothing at "${key}"`, mend);
    return [];
  }
  if (pathBroken || !path || !pathAt || found.fields.length === 0) return pathBroken ? [] : found.fields;
  const [first = ''] = path;
  if (more && members.length === 0 && !walk(field, [first]).ok) {
    report.warning(pathAt, 'FACT_IN_NO_TYPE', `"${fact}" is not known to have a member "${first}"`, () =>
      didYouMean(first, Object.keys(field.fields ?? {})),
    );
    return [];
  }
  return followPath(written, found.fields, path, pathAt, report);
}

/** Checks what the texts under a node read of look-ups. What an answer only may hold needs no default. */
export function checkLookupReads(
  node: JsonNode | undefined,
  events: RuleEvents,
  report: FileReport,
  ofRule = true,
): void {
  for (const { node: at, text } of node ? textsUnder(node) : []) {
    for (const { path, filters } of placeholdersIn(text)) {
      const [root, name = '', ...members] = path;
      if (root !== 'lookup') continue;
      const shape = events.lookups.find(name);
      if (!shape) {
        report.error(at, 'TEMPLATE_VALUE_MISSING', unknownName(name), mendOfName(name, events));
        continue;
      }
      if (ofRule) reportInputs(name, at, events, report);
      const found = shape.field && walk(shape.field, members);
      if (!found || found.ok || filters.some((filter) => filter.name === 'default')) continue;
      const key = members[found.step] ?? '';
      const where = ['lookup', name, ...members.slice(0, found.step)].join('.');
      const mend: Mend = () => `${mendOfMember(key, found.field)} Or write | default: "…" behind it.`;
      if (shape.more && found.step === 0)
        report.warning(
          at,
          'TEMPLATE_VALUE_MISSING',
          `"${where}" is not known to have a member "${key}"`,
          mend,
        );
      else report.error(at, 'TEMPLATE_VALUE_MISSING', `"${where}" has nothing at "${key}"`, mend);
    }
  }
}

/** Every text under a node. */
export function textsUnder(node: JsonNode): readonly { readonly node: JsonNode; readonly text: string }[] {
  if (node.type === 'array') return elementsOf(node).flatMap(textsUnder);
  if (node.type === 'object') return [...membersOf(node).values()].flatMap(({ value }) => textsUnder(value));
  const text = textOf(node);
  return text === null ? [] : [{ node, text }];
}

/** A look-up cannot be asked for events that lack what it asks for. */
function reportInputs(name: string, at: Place, events: RuleEvents, report: Reporter): void {
  for (const path of events.lookups.inputsOf(name)) {
    if (!missingInEvent(path, events)) continue;
    const types = listOf(events.entries.map(({ eventType }) => eventType));
    report.warning(
      at,
      'LOOKUP_WITHOUT_INPUT',
      `the look-up "${name}" reads "event.${path.join('.')}", which may be missing from ${types}: then it fails`,
      'Use another look-up for these events, or write | default: "…" behind it in lookups.json.',
    );
    return;
  }
}

function unknownName(name: string): string {
  return `there is no look-up "${name}"`;
}

function mendOfName(name: string, { lookups }: RuleEvents): Mend {
  return () => (lookups.names.length > 0 ? didYouMean(name, lookups.names) : DECLARE);
}

function mendOfMember(key: string, { type, fields = {} }: FieldDefinition): string {
  if (type === 'array') return 'Write the number of an element, like 0, or use "someFact:".';
  return Object.keys(fields).length > 0 ? didYouMean(key, Object.keys(fields)) : 'There is nothing in it.';
}
