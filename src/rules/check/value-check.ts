import type { EnumValue, FieldDefinition } from '../../events/catalogue.js';
import { nameOfType, type Reporter } from './fact-check.js';
import type { JsonNode } from './json-text.js';

/** Whether facts of these types can ever be equal; an empty list says that nothing is known. */
export function compatible(some: readonly FieldDefinition[], others: readonly FieldDefinition[]): boolean {
  if (some.length === 0 || others.length === 0) return true;
  return some.some((one) => others.some((other) => sort(one.type) === sort(other.type)));
}

function sort(type: FieldDefinition['type']): string {
  return type === 'integer' ? 'number' : type;
}

/** Checks a literal against what the catalogue says of the fact that is compared with it. */
export function checkAgainstFields(
  node: JsonNode,
  fact: string,
  fields: readonly FieldDefinition[],
  report: Reporter,
): void {
  // `null` is a value that any field may have; objects and lists have been reported for what they are.
  if (fields.length === 0 || node.type === 'null' || node.type === 'object' || node.type === 'array') return;
  const fitting = fields.filter((field) => isOfType(node, field.type));
  if (fitting.length === 0) {
    const [field] = fields;
    if (!field) return;
    report.error(
      node,
      'VALUE_TYPE',
      `${JSON.stringify(node.value)} is ${nameOfValue(node)}, and "${fact}" is ${[...new Set(fields.map(nameOfType))].join(' or ')}: they are never equal`,
      mendOf(node, field),
    );
    return;
  }
  const values = fitting.flatMap((field) => field.enum ?? []);
  if (!fitting.every((field) => field.enum) || values.some((one) => one.value === node.value)) return;
  report.warning(
    node,
    'VALUE_NOT_IN_ENUM',
    `${JSON.stringify(node.value)} is no known value of "${fact}"`,
    `Known are ${labels(values)}.`,
  );
}

function isOfType(node: JsonNode, type: FieldDefinition['type']): boolean {
  switch (type) {
    case 'string':
      return node.type === 'string';
    case 'integer':
      return node.type === 'number' && Number.isInteger(node.value);
    case 'number':
      return node.type === 'number';
    case 'boolean':
      return node.type === 'boolean';
    case 'object':
    case 'array':
      return false;
  }
}

function nameOfValue(node: JsonNode): string {
  if (node.type === 'string') return 'a text';
  if (node.type === 'boolean') return 'true or false';
  return Number.isInteger(node.value) ? 'a number' : 'a fraction';
}

/** The literal that was probably meant. */
function mendOf(node: JsonNode, field: FieldDefinition): string {
  const text = String(node.value);
  switch (field.type) {
    case 'string':
      return `Write ${JSON.stringify(text)}.`;
    case 'integer':
    case 'number': {
      const number = node.type === 'string' && text.trim() !== '' ? Number(text) : NaN;
      const labelled = field.enum?.find(({ value, label }) => [value, label.zh, label.en].includes(text));
      if (labelled) return `Write ${labelled.value}.`;
      if (Number.isFinite(number) && (field.type === 'number' || Number.isInteger(number)))
        return `Write ${number}.`;
      return field.enum ? `Use one of ${labels(field.enum)}.` : 'Write a number, without quotes.';
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? `Write ${text}.` : 'Write true or false.';
    case 'array':
      return 'To look for an element of the list, use "contains".';
    case 'object':
      return 'Compare a member of it with "path".';
  }
}

function labels(values: readonly EnumValue[]): string {
  const seen = new Map(values.map((one) => [one.value, one]));
  return [...seen.values()]
    .map(({ value, label }) => `${JSON.stringify(value)} (${label.zh}, ${label.en})`)
    .join(', ');
}
