import type { ConditionDocument } from '../condition-document.js';
import { DECORATORS, type OperatorDefinition, OPERATORS, parseOperator } from '../operators.js';
import { parsePath } from '../plain-path.js';
import type { FileReport, Mend } from './file-report.js';
import { elementsOf, type Member, membersOf, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';

/** A condition as far as it could be read: what is wrong has been reported, and the rest goes on being checked. */
export type ConditionForm = GroupForm | NotForm | ReferenceForm | LeafForm;

export interface GroupForm {
  readonly kind: 'all' | 'any';
  readonly node: JsonNode;
  readonly children: readonly ConditionForm[];
  readonly name: string | null;
}

export interface NotForm {
  readonly kind: 'not';
  readonly node: JsonNode;
  readonly children: readonly ConditionForm[];
  readonly name: string | null;
}

/** The use of a named condition. */
export interface ReferenceForm {
  readonly kind: 'condition';
  readonly node: JsonNode;
  readonly condition: string;
  readonly at: JsonNode;
}

/** A fact that a leaf reads, on its left or as its value. */
export interface FactForm {
  readonly fact: string;
  readonly at: JsonNode;
  readonly path: readonly string[] | null;
  readonly pathAt: JsonNode | null;
  /** There is a path and it cannot be read: nothing is known of what it leads to. */
  readonly pathBroken: boolean;
}

export interface LeafForm {
  readonly kind: 'leaf';
  readonly node: JsonNode;
  readonly fact: FactForm | null;
  readonly operator: {
    readonly at: JsonNode;
    readonly decorators: readonly string[];
    readonly base: OperatorDefinition;
  } | null;
  /** The literal that the fact is compared with; null when it is missing or another fact. */
  readonly literal: JsonNode | null;
  readonly other: FactForm | null;
  /** An "all" around it makes sure that the list it goes through is not empty. */
  readonly neverEmpty: boolean;
  readonly name: string | null;
}

const GROUPS = ['all', 'any', 'not', 'condition'] as const;
type Group = (typeof GROUPS)[number];
const LEAF_KEYS = ['fact', 'operator', 'value', 'path', 'name', 'priority'];
const ABOUT = ['name', 'priority'];

/** Reads the conditions of one file and reports whatever is wrong with their form. */
export class ConditionReader {
  /** Every use of a named condition, in the order of the file. */
  readonly references: ReferenceForm[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly identities = new WeakMap<ConditionForm, number>();

  constructor(private readonly report: FileReport) {}

  /** What stands under a rule's `conditions`, or under another key that holds conditions. */
  readRoot(node: JsonNode, key = 'conditions'): ConditionForm | null {
    const form = this.read(node);
    if (form?.kind === 'leaf') {
      this.report.error(
        node,
        'CONDITIONS_ROOT_INVALID',
        `"${key}" must begin with all, any, not or condition`,
        'Write {"all": [ … ]} around it.',
      );
    }
    return form;
  }

  /** What stands under the name of a named condition, or within another condition. */
  read(node: JsonNode): ConditionForm | null {
    if (node.type !== 'object') {
      this.invalid(
        node,
        'a condition must be an object with fact, operator and value, or with all, any, not or condition',
        'Write {"all": [{"fact": "status", "operator": "equal", "value": 3}]}.',
      );
      return null;
    }
    const given = membersOf(node);
    const groups = [...given.keys()].filter((key): key is Group =>
      (GROUPS as readonly string[]).includes(key),
    );
    const [first, ...more] = groups;
    if (first === undefined) return this.readLeafOrSlip(node, given);
    for (const key of more) {
      const at = given.get(key)?.key ?? node;
      this.invalid(
        at,
        `"${first}" and "${key}" stand on one level: json-rules-engine would ignore one of them`,
        'Nest one within the other, like {"all": [ …, {"any": [ … ]} ]}.',
      );
    }
    const members = checkKeys(
      node,
      { prefix: 'RULE', known: [...groups, ...ABOUT], required: [] },
      this.report,
    );
    const forms = groups.flatMap((key) => this.readGroup(node, key, members) ?? []);
    // Several on one level are an error; what they hold is checked all the same.
    return forms.length === 1 || more.length === 0
      ? (forms[0] ?? null)
      : this.known({ kind: 'all', node, children: forms, name: null }, 'several');
  }

  private readGroup(node: JsonNode, key: Group, members: ReadonlyMap<string, Member>): ConditionForm | null {
    const value = members.get(key)?.value ?? node;
    const name = this.readAbout(members);
    if (key === 'condition') return this.readReference(node, value);
    if (key === 'not') {
      if (value.type === 'array') {
        this.invalid(
          value,
          '"not" takes one condition, not a list',
          'Write {"not": {"any": [ … ]}} or {"not": {"all": [ … ]}}.',
        );
      }
      const inner = value.type === 'array' ? elementsOf(value) : [value];
      const children = inner.flatMap((child) => this.read(child) ?? []);
      return this.known({ kind: 'not', node, children, name }, `not ${this.identitiesOf(children).join()}`);
    }
    if (value.type !== 'array')
      this.invalid(value, `"${key}" must be a list of conditions`, `Write {"${key}": [ … ]}.`);
    else if (elementsOf(value).length === 0) {
      this.invalid(
        value,
        `"${key}" must not be empty: an empty list is true for every event`,
        'Write a condition into it, or remove it.',
      );
    }
    const nodes = value.type === 'array' ? elementsOf(value) : value.type === 'object' ? [value] : [];
    const children = nodes.flatMap((child) => this.read(child) ?? []);
    this.reportTwice(children, key);
    const form = {
      kind: key,
      node,
      name,
      children: key === 'all' ? children.map((child) => neverEmptyBeside(child, children)) : children,
    } as const;
    for (const [index, child] of form.children.entries()) {
      const original = children[index];
      if (original && original !== child) this.identities.set(child, this.identities.get(original) ?? -1);
    }
    return this.known(form, `${key} ${this.identitiesOf(children).sort().join()}`);
  }

  private readReference(node: JsonNode, at: JsonNode): ReferenceForm | null {
    const condition = textOf(at);
    if (condition === null) {
      this.invalid(at, '"condition" must be the name of a named condition', 'Write its name in quotes.');
      return null;
    }
    const form: ReferenceForm = { kind: 'condition', node, condition, at };
    this.references.push(form);
    return this.known(form, `condition ${condition}`);
  }

  /** No `all`, `any`, `not` or `condition` here: a leaf, or one of those with a slip of the pen. */
  private readLeafOrSlip(node: JsonNode, given: ReadonlyMap<string, Member>): ConditionForm | null {
    const keys = [...given.keys()];
    if (!keys.some((key) => key === 'fact' || key === 'operator' || key === 'value')) {
      for (const key of keys) {
        const meant = nearestName(key, GROUPS) as Group | null;
        const member = given.get(key);
        if (meant === null || !member || LEAF_KEYS.includes(key)) continue;
        const members = checkKeys(
          node,
          { prefix: 'RULE', known: [meant, ...ABOUT], required: [] },
          this.report,
        );
        return members.has(meant) ? this.readGroup(node, meant, members) : null;
      }
      if (!keys.some((key) => nearestName(key, LEAF_KEYS.slice(0, 3)) !== null)) {
        this.invalid(
          node,
          keys.length === 0 ? 'the condition is empty' : 'this is no condition',
          'Write fact, operator and value, or all, any, not or condition.',
        );
        return null;
      }
    }
    return this.readLeaf(node);
  }

  private readLeaf(node: JsonNode): LeafForm {
    const members = checkKeys(
      node,
      { prefix: 'RULE', known: LEAF_KEYS, required: ['fact', 'operator', 'value'] },
      this.report,
    );
    const value = members.get('value')?.value ?? null;
    const inner = value?.type === 'object' ? membersOf(value) : null;
    const isReference = inner?.has('fact') ?? false;
    const isLiteral = !isReference && (inner?.has('literal') ?? false);
    const literal =
      isLiteral && value
        ? checkKeys(value, { prefix: 'RULE', known: ['literal'], required: [] }, this.report).get('literal')
            ?.value
        : undefined;
    const form: LeafForm = {
      kind: 'leaf',
      node,
      fact: this.readFact(members),
      operator: this.readOperator(members.get('operator')?.value),
      literal: isReference ? null : (literal ?? value),
      other:
        isReference && value
          ? this.readFact(
              checkKeys(value, { prefix: 'RULE', known: ['fact', 'path'], required: ['fact'] }, this.report),
            )
          : null,
      neverEmpty: false,
      name: this.readAbout(members),
    };
    const content = ['fact', 'operator', 'path', 'value'].map((key) => {
      const member = members.get(key)?.value;
      return member ? this.numberOf(member) : '';
    });
    return this.known(form, `leaf ${content.join()}`);
  }

  private readFact(members: ReadonlyMap<string, Member>): FactForm | null {
    const at = members.get('fact')?.value;
    const pathAt = members.get('path')?.value ?? null;
    const pathText = textOf(pathAt ?? undefined);
    const path = pathText === null ? null : parsePath(pathText);
    if (pathAt && path === null) {
      this.invalid(
        pathAt,
        '"path" must be a plain path: filters and scripts are not allowed',
        'Write it like $.a.b[0]["c"].',
      );
    }
    if (!at) return null;
    const fact = textOf(at);
    if (fact === null || fact === '' || fact.length > 200) {
      this.invalid(at, '"fact" must be the name of a fact', 'Write its name in quotes, like "status".');
      return null;
    }
    return { fact, at, path, pathAt, pathBroken: pathAt !== null && path === null };
  }

  private readOperator(at: JsonNode | undefined): LeafForm['operator'] {
    if (!at) return null;
    const text = textOf(at);
    if (text === null) {
      this.invalid(at, '"operator" must be a text', 'Write its name in quotes, like "equal".');
      return null;
    }
    const decorators = text.split(':');
    const base = decorators.pop() ?? '';
    const parsed = parseOperator(text);
    if (parsed) return { at, ...parsed };
    const bases = OPERATORS.map(({ name }) => name);
    const names = DECORATORS.map(({ name }) => name);
    if (!bases.includes(base))
      this.invalid(at, `there is no operator "${base}"`, () => didYouMean(base, bases));
    for (const name of new Set(decorators)) {
      if (!names.includes(name))
        this.invalid(at, `there is no decorator "${name}:"`, didYouMean(name, names));
    }
    return null;
  }

  private readAbout(members: ReadonlyMap<string, Member>): string | null {
    const name = members.get('name')?.value;
    if (name && name.type !== 'string') this.invalid(name, '"name" must be a text', 'Write it in quotes.');
    const priority = members.get('priority')?.value;
    if (priority && !this.report.json.unsafe.has(priority)) {
      const number = priority.type === 'number' ? (priority.value as number) : NaN;
      if (!Number.isInteger(number) || number < 1)
        this.invalid(priority, '"priority" must be a whole number of 1 or more', 'Change it, or remove it.');
    }
    return textOf(name);
  }

  private reportTwice(children: readonly ConditionForm[], key: string): void {
    const seen = new Set<number>();
    for (const child of children) {
      const identity = this.identities.get(child) ?? -1;
      if (seen.has(identity)) {
        this.report.warning(
          child.node,
          'CONDITION_TWICE',
          `the same condition stands twice in this "${key}"`,
          'Remove one of the two, or mend the one that was meant to differ.',
        );
      }
      seen.add(identity);
    }
  }

  private invalid(at: JsonNode, message: string, mend: Mend): void {
    this.report.error(at, 'RULE_VALUE_INVALID', message, mend);
  }

  private known<Form extends ConditionForm>(form: Form, content: string): Form {
    this.identities.set(form, this.number(content));
    return form;
  }

  private identitiesOf(forms: readonly ConditionForm[]): number[] {
    return forms.map((form) => this.identities.get(form) ?? -1);
  }

  /** The same number for the same JSON, whatever the order of its keys. In proportion to its size. */
  private numberOf(node: JsonNode): number {
    if (node.type === 'array')
      return this.number(
        `[${elementsOf(node)
          .map((one) => this.numberOf(one))
          .join()}`,
      );
    if (node.type !== 'object') return this.number(`${node.type} ${String(node.value)}`);
    const members = [...membersOf(node)].map(
      ([key, { value }]) => `${JSON.stringify(key)}${this.numberOf(value)}`,
    );
    return this.number(`{${members.sort().join()}`);
  }

  private number(content: string): number {
    const known = this.numbers.get(content);
    if (known !== undefined) return known;
    this.numbers.set(content, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/** `everyFact:` is true for an empty list, unless something beside it in the same "all" wants an element there. */
function neverEmptyBeside(form: ConditionForm, siblings: readonly ConditionForm[]): ConditionForm {
  if (form.kind !== 'leaf' || !form.operator?.decorators.includes('everyFact')) return form;
  const place = placeOf(form);
  const neverEmpty = siblings.some(
    (other) =>
      other.kind === 'leaf' &&
      other !== form &&
      placeOf(other) === place &&
      (other.operator?.decorators[0] === 'someFact' ||
        (other.operator?.decorators.length === 0 && other.operator.base.name === 'contains')),
  );
  return neverEmpty ? { ...form, neverEmpty } : form;
}

function placeOf({ fact }: LeafForm): string {
  return JSON.stringify([fact?.fact, fact?.path]);
}

/** The document of a condition that has been found sound. A condition's priority says nothing here: all are looked at. */
export function documentOf(form: ConditionForm): ConditionDocument {
  switch (form.kind) {
    case 'condition':
      return { condition: form.condition };
    case 'leaf': {
      const { path, value } = Object.fromEntries(
        [...membersOf(form.node)].map(([key, member]) => [key, valueOf(member.value)]),
      );
      return {
        fact: form.fact?.fact ?? '',
        operator: [...(form.operator?.decorators ?? []), form.operator?.base.name ?? ''].join(':'),
        value,
        ...(typeof path === 'string' ? { path } : {}),
        ...named(form.name),
      };
    }
    case 'not':
      return { not: documentOf(form.children[0] as ConditionForm), ...named(form.name) };
    case 'all':
      return { all: form.children.map(documentOf), ...named(form.name) };
    case 'any':
      return { any: form.children.map(documentOf), ...named(form.name) };
  }
}

function named(name: string | null): { readonly name?: string } {
  return name === null ? {} : { name };
}
