import { parseDuration } from '../../config/duration.js';
import type { FieldDefinition } from '../../events/catalogue.js';
import { compilePattern, type OperatorDefinition, readInstant } from '../operators.js';
import type { FactForm, LeafForm } from './condition-form.js';
import { checkFact, nameOfType, type Reporter } from './fact-check.js';
import { elementsOf, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import type { RuleEvents } from './rule-events.js';
import { checkAgainstFields, compatible } from './value-check.js';

/** One side of a comparison: a fact, and what it may be (empty: not known), or the literals it is compared with. */
type Operand =
  | { readonly kind: 'fact'; readonly form: FactForm; readonly fields: readonly FieldDefinition[] }
  | { readonly kind: 'literal'; readonly nodes: readonly JsonNode[] };

type Operator = NonNullable<LeafForm['operator']>;

const NAMES: Readonly<Record<OperatorDefinition['fact'], string>> = {
  any: 'anything',
  array: 'a list',
  number: 'a number',
  string: 'a text',
  time: 'a time',
};

/**
 * Checks a leaf: that its facts are there, and that operator, decorators and value fit them. Also what
 * json-rules-engine would take without a word and its author surely did not mean.
 */
export function checkLeaf(
  leaf: LeafForm,
  events: RuleEvents,
  unsafe: ReadonlySet<JsonNode>,
  report: Reporter,
): void {
  const fields = leaf.fact ? checkFact(leaf.fact, events, report) : [];
  const otherFields = leaf.other ? checkFact(leaf.other, events, report) : [];
  const { operator } = leaf;
  if (!operator) return;
  if (!checkDecorators(leaf, operator, report)) return;
  const right: Operand | null = leaf.other
    ? { kind: 'fact', form: leaf.other, fields: otherFields }
    : leaf.literal
      ? { kind: 'literal', nodes: [leaf.literal] }
      : null;
  const left: Operand | null = leaf.fact ? { kind: 'fact', form: leaf.fact, fields } : null;
  new LeafCheck(operator, unsafe, report).check(left, right);
}

/** False: with these decorators there is nothing that a value could fit. */
function checkDecorators(leaf: LeafForm, { at, decorators, base }: Operator, report: Reporter): boolean {
  if (base.name === 'exists' && decorators.some((name) => name !== 'not')) {
    report.error(at, 'RULE_VALUE_INVALID', '"exists" takes no decorator but "not:"', 'Write "exists".');
  }
  if (decorators.includes('swap') && ['pattern', 'duration'].includes(base.value)) {
    report.error(
      at,
      'RULE_VALUE_INVALID',
      `"swap:" would take the ${base.value} from the event`,
      'Remove "swap:".',
    );
    return false;
  }
  if (decorators.some((name, index) => name === 'not' && decorators[index + 1] === 'not'))
    report.warning(at, 'NOT_NOT', '"not:not:" is the same as nothing', 'Remove both.');
  if (decorators.includes('everyFact') && !leaf.neverEmpty) {
    report.warning(
      at,
      'EVERY_FACT_OF_EMPTY',
      '"everyFact:" is true for an empty list',
      'Put a condition with "someFact:" on the same fact beside it in an "all".',
    );
  }
  return true;
}

class LeafCheck {
  constructor(
    private readonly operator: Operator,
    private readonly unsafe: ReadonlySet<JsonNode>,
    private readonly report: Reporter,
  ) {}

  /** Follows the decorators inwards to what the operator itself will compare. A side that is null is broken. */
  check(leftGiven: Operand | null, rightGiven: Operand | null): void {
    let left = leftGiven;
    let right = rightGiven;
    const { decorators, base } = this.operator;
    for (const name of decorators) {
      if (name === 'someFact' || name === 'everyFact') left = left && this.elementsOf(left, name);
      else if (name === 'someValue' || name === 'everyValue') right = right && this.elementsOf(right, name);
      else if (name === 'swap') [left, right] = [right, left];
    }
    if (base.name === 'exists') {
      if (right) this.checkRight(base, null, right);
      return;
    }
    if (left && !this.checkLeft(base, left)) return;
    if (right && !this.checkRight(base, left, right)) return;
    if (left && right) this.compare(base, left, right);
  }

  /** What `someFact:` and the like go through. Null when that is no list, which is reported. */
  private elementsOf(operand: Operand, decorator: string): Operand | null {
    if (operand.kind === 'literal') {
      const wrong = operand.nodes.filter((node) => node.type !== 'array');
      for (const node of wrong)
        this.invalid(node, `"${decorator}:" needs a list as value`, 'Write the value in [ ].');
      return wrong.length > 0 ? null : { kind: 'literal', nodes: operand.nodes.flatMap(elementsOf) };
    }
    const { fields } = operand;
    const lists = fields.filter(({ type }) => type === 'array');
    if (fields.length > 0 && lists.length === 0) {
      this.unfit(operand, `"${decorator}:" needs a list`, `Remove "${decorator}:".`);
      return null;
    }
    const items = lists.map((field) => field.items);
    return { ...operand, fields: items.every((one) => one !== undefined) ? items : [] };
  }

  /** Whether the left side is what the operator can compare at all. */
  private checkLeft(base: OperatorDefinition, left: Operand): boolean {
    if (left.kind === 'literal')
      return (
        base.fact === 'any' || left.nodes.every((node) => this.checkLiteral(kindOf(base.fact), node, null))
      );
    const { fields } = left;
    if (fields.length > 0 && !fields.some((field) => fits(base.fact, field))) {
      this.unfit(left, `"${base.name}" needs ${NAMES[base.fact]}`, mendOf(base, fields));
      return false;
    }
    if (base.name === 'contains' && this.operator.decorators.at(-1) === 'not') {
      if (fields.length === 0 || !fields.every(({ type }) => type === 'array')) {
        this.report.warning(
          this.operator.at,
          'NOT_CONTAINS',
          '"not:contains" is also true for what is no list',
          'Write "doesNotContain".',
        );
      }
    }
    return true;
  }

  private checkRight(base: OperatorDefinition, left: Operand | null, right: Operand): boolean {
    if (right.kind === 'literal') {
      const results = right.nodes.map((node) => this.checkLiteral(base.value, node, left));
      return results.every(Boolean);
    }
    if (base.value === 'pattern' || base.value === 'duration' || base.value === 'boolean') {
      this.invalid(
        right.form.at,
        `the value of "${base.name}" must stand in the rule file`,
        'Write it as a literal.',
      );
      return false;
    }
    const wanted = base.value === 'list' ? 'array' : base.value;
    if (right.fields.length > 0 && !right.fields.some((field) => fits(wanted, field))) {
      this.report.error(
        right.form.at,
        'FACT_TYPES_DIFFER',
        `"${base.name}" needs ${NAMES[wanted]} as value, and "${right.form.fact}" is ${typesOf(right.fields)}`,
        'Use another fact or another operator.',
      );
      return false;
    }
    return true;
  }

  /** Whether a literal is of the form that the operator wants. */
  private checkLiteral(kind: OperatorDefinition['value'], node: JsonNode, left: Operand | null): boolean {
    const { name } = this.operator.base;
    const text = textOf(node);
    switch (kind) {
      case 'any':
        this.reportIdentity(node, name);
        return true;
      case 'list':
        if (node.type !== 'array') {
          const why = text === null ? '' : `: with a text, "${name}" would look for a part of it`;
          this.invalid(node, `the value of "${name}" must be a list${why}`, 'Write the value in [ ].');
          return false;
        }
        this.reportTwice(node);
        for (const element of elementsOf(node)) this.reportIdentity(element, name);
        return true;
      case 'number':
        return node.type === 'number' || this.notANumber(node, text, left);
      case 'string':
        if (text !== null) return true;
        this.invalid(node, `the value of "${name}" must be a text`, 'Write it in quotes.');
        return false;
      case 'boolean':
        if (node.type === 'boolean') return true;
        this.invalid(
          node,
          `the value of "${name}" must be true or false`,
          'Write true or false, without quotes.',
        );
        return false;
      case 'pattern': {
        const pattern = text === null ? 'it must be a text' : compilePattern(text);
        if (typeof pattern !== 'string') return true;
        this.report.error(
          node,
          'PATTERN_INVALID',
          `this is no pattern for "${name}": ${pattern}`,
          'Write a regular expression in RE2 syntax: without look-ahead, look-behind and back-references.',
        );
        return false;
      }
      case 'time':
        if (text !== null && readInstant(text, 'date-time') !== null) {
          if (/^\d{4}-\d\d-\d\d$/.test(text))
            this.report.warning(
              node,
              'TIME_WITHOUT_ZONE',
              `${shown(node)} is taken as the start of that day in UTC`,
              `Write the zone that is meant, like "${text}T00:00:00+08:00".`,
            );
          return true;
        }
        this.report.error(
          node,
          'TIME_INVALID',
          `the value of "${name}" is no time: ${shown(node)}`,
          'Write a date-time with its zone, like "2026-01-31T09:00:00+08:00".',
        );
        return false;
      case 'duration':
        return this.checkDuration(node, text, name);
    }
  }

  private checkDuration(node: JsonNode, text: string | null, name: string): boolean {
    if (text !== null && parseDuration(text) !== null) return true;
    if (text !== null && /^\s*\d+\s*work\s*(?:hours?|days?|minutes?)\s*$/i.test(text)) {
      this.report.error(
        node,
        'DURATION_NOT_AVAILABLE',
        `"${text}": conditions count no working time`,
        'Write a calendar duration, like "24h" or "2d".',
      );
    } else {
      this.report.error(
        node,
        'DURATION_INVALID',
        `the value of "${name}" is no duration: ${shown(node)}`,
        'Write it in quotes with its unit, like "30s", "15m", "24h", "2d" or "PT24H".',
      );
    }
    return false;
  }

  /** Objects and lists are compared by identity: what comes with an event is never the same one. */
  private reportIdentity(node: JsonNode, name: string): void {
    if (node.type !== 'object' && node.type !== 'array') return;
    this.report.warning(
      node,
      'VALUE_BY_IDENTITY',
      `"${name}" never finds ${node.type === 'array' ? 'a list' : 'an object'} equal to another one`,
      node.type === 'array'
        ? 'Use "in" for one of several values, or compare the elements with "someFact:" or "contains".'
        : 'Compare its members one by one with "path".',
    );
  }

  private notANumber(node: JsonNode, text: string | null, left: Operand | null): boolean {
    const { name } = this.operator.base;
    const known = left?.kind === 'fact' && left.fields.length > 0 ? left.form.fact : null;
    if (text !== null && known === null) {
      this.report.warning(
        node,
        'ORDER_OF_TEXT',
        `"${name}" would compare letters: "10" is less than "9"`,
        'Compare with a number, without quotes; for times use "before" and "after".',
      );
    } else if (text !== null) {
      this.report.error(
        node,
        'VALUE_TYPE',
        `the value of "${name}" is a text, and "${known ?? ''}" is a number`,
        isNumeric(text) ? `Write ${Number(text)}.` : 'Write a number, without quotes.',
      );
    } else this.invalid(node, `the value of "${name}" must be a number`, 'Write a number, without quotes.');
    return false;
  }

  private reportTwice(list: JsonNode): void {
    const seen = new Set<string>();
    for (const node of elementsOf(list)) {
      if (node.type === 'object' || node.type === 'array') continue;
      const key = `${node.type} ${String(node.value)}`;
      if (seen.has(key))
        this.report.warning(
          node,
          'VALUE_TWICE',
          `${shown(node)} stands twice in the list`,
          'Remove one of the two.',
        );
      seen.add(key);
    }
  }

  /** Whether the two sides can be the same thing at all. */
  private compare(base: OperatorDefinition, left: Operand, right: Operand): void {
    if (base.value !== 'any' && base.value !== 'list') return;
    const one = base.fact === 'array' ? insideOf(left) : left;
    const other = base.value === 'list' ? insideOf(right) : right;
    if (one.kind === 'fact' && other.kind === 'fact') {
      if (compatible(one.fields, other.fields)) return;
      this.report.error(
        other.form.at,
        'FACT_TYPES_DIFFER',
        `"${other.form.fact}" is ${typesOf(other.fields)}, and "${one.form.fact}" is ${typesOf(one.fields)}: they are never equal`,
        'Compare facts of one type.',
      );
      return;
    }
    const fact = one.kind === 'fact' ? one : other.kind === 'fact' ? other : null;
    const literal = one.kind === 'literal' ? one : other.kind === 'literal' ? other : null;
    for (const node of literal && fact ? literal.nodes : []) {
      if (fact && !this.unsafe.has(node)) checkAgainstFields(node, fact.form.fact, fact.fields, this.report);
    }
  }

  private unfit(left: Operand & { kind: 'fact' }, what: string, mend: string): void {
    this.report.error(
      this.operator.at,
      'OPERATOR_UNFIT',
      `${what}, and "${left.form.fact}" is ${typesOf(left.fields)}`,
      mend,
    );
  }

  private invalid(at: JsonNode, message: string, mend: string): void {
    this.report.error(at, 'RULE_VALUE_INVALID', message, mend);
  }
}

/** The elements of a list, where that is known. */
function insideOf(operand: Operand): Operand {
  if (operand.kind === 'literal') return { kind: 'literal', nodes: operand.nodes.flatMap(elementsOf) };
  const items = operand.fields.filter(({ type }) => type === 'array').map((field) => field.items);
  return { ...operand, fields: items.every((one) => one !== undefined) ? items : [] };
}

function fits(kind: OperatorDefinition['fact'], { type, format }: FieldDefinition): boolean {
  switch (kind) {
    case 'any':
      return true;
    case 'array':
      return type === 'array';
    case 'number':
      return type === 'integer' || type === 'number';
    case 'string':
      return type === 'string';
    case 'time':
      return format !== undefined;
  }
}

function kindOf(fact: OperatorDefinition['fact']): OperatorDefinition['value'] {
  return fact === 'array' ? 'list' : fact;
}

function mendOf(base: OperatorDefinition, fields: readonly FieldDefinition[]): string {
  const isText = fields.every(({ type }) => type === 'string');
  const isTime = fields.every(({ format }) => format !== undefined);
  const isNumber = fields.every(({ type }) => type === 'integer' || type === 'number');
  switch (base.fact) {
    case 'array':
      if (!isText) return 'Use "equal" or "in".';
      return base.name === 'contains'
        ? 'To look for a part of a text, use "containsText".'
        : 'To look for a part of a text, use "not:containsText".';
    case 'number':
      if (isTime) return 'Use "before", "after", "olderThan" or "newerThan".';
      return isText ? 'It would compare letters; use "equal", "in" or "matches".' : 'Use another operator.';
    case 'string':
      return isNumber ? 'Use "equal", "in" or "lessThan".' : 'Use another operator.';
    case 'time':
      return isNumber ? 'Use "lessThan" or "greaterThan".' : 'Use another operator.';
    case 'any':
      return 'Use another operator.';
  }
}

function typesOf(fields: readonly FieldDefinition[]): string {
  return [...new Set(fields.map(nameOfType))].join(' or ');
}

function isNumeric(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function shown(node: JsonNode): string {
  return JSON.stringify(valueOf(node)).slice(0, 100);
}
