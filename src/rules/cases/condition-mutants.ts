import type { FieldDefinition } from '../../events/catalogue.js';
import { elementsOf, membersOf, textOf, valueOf } from '../check/json-node.js';
import type { JsonNode } from '../check/json-text.js';
import type { LeafDocument } from '../condition-document.js';
import { buildTree, type FactPlace, type LeafNode, nameOf } from '../condition-tree.js';
import { parseOperator } from '../operators.js';
import { leafWords, operatorWords, valueWords } from './leaf-words.js';
import { otherTransitions, otherValues } from './other-values.js';
import { elementsIn, partOf, type RuleSource, type SourcePart } from './rule-source.js';
import { replacing, type SourceEdit, withoutElement } from './source-edit.js';

/** What is changed in a mutant. */
export type MutantKind =
  | 'operator'
  | 'value'
  | 'element-dropped'
  | 'group'
  | 'condition-dropped'
  | 'not-dropped'
  | 'action-dropped'
  | 'when-dropped'
  | 'step-dropped'
  | 'step-shifted'
  | 'cancel-on-dropped'
  | 'once-per-dropped'
  | 'throttle-dropped'
  | 'quiet-hours-dropped'
  | 'digest-dropped'
  | 'budget-dropped';

/** One small change to a file. */
export interface SourceChange {
  readonly kind: MutantKind;
  /** What is changed, for its place. */
  readonly at: SourcePart;
  readonly edit: SourceEdit;
  /** As the end of a sentence: `status 3 (已完成 done) becomes 2 (已拒绝 rejected)`. */
  readonly words: string;
}

export type FieldAt = (place: Pick<FactPlace, 'fact' | 'path'>) => FieldDefinition | null;

const FLIPS: Readonly<Record<string, readonly string[]>> = {
  equal: ['notEqual'],
  notEqual: ['equal'],
  in: ['notIn'],
  notIn: ['in'],
  contains: ['doesNotContain'],
  doesNotContain: ['contains'],
  lessThan: ['lessThanInclusive', 'greaterThan'],
  lessThanInclusive: ['lessThan', 'greaterThanInclusive'],
  greaterThan: ['greaterThanInclusive', 'lessThan'],
  greaterThanInclusive: ['greaterThan', 'lessThanInclusive'],
  before: ['after'],
  after: ['before'],
  olderThan: ['newerThan'],
  newerThan: ['olderThan'],
  // Its value is flipped.
  exists: [],
};

/** The small changes to conditions; what is behind the name of a named condition belongs to that. */
export function conditionMutants(
  conditions: SourcePart,
  source: RuleSource,
  fieldAt: FieldAt,
): readonly SourceChange[] {
  return new ConditionMutants(source, fieldAt).of(conditions);
}

class ConditionMutants {
  constructor(
    private readonly source: RuleSource,
    private readonly fieldAt: FieldAt,
  ) {}

  of(part: SourcePart): readonly SourceChange[] {
    const list = partOf(part, 'all') ?? partOf(part, 'any');
    if (list) return this.ofGroup(part, list);
    const child = partOf(part, 'not');
    if (child) return this.ofNot(part, child);
    return partOf(part, 'fact') ? this.ofLeaf(part) : [];
  }

  private ofGroup(part: SourcePart, list: SourcePart): readonly SourceChange[] {
    const children = elementsIn(list);
    const within = children.flatMap((child) => this.of(child));
    if (children.length < 2) return within;
    const [word, other] = partOf(part, 'all') ? ['all', 'any'] : ['any', 'all'];
    const key = membersOf(part.node).get(word)?.key;
    return [
      ...(key
        ? [
            {
              kind: 'group' as const,
              at: { file: part.file, node: key },
              edit: replacing({ file: part.file, node: key }, JSON.stringify(other)),
              words: `"${word}" of ${children.length} conditions becomes "${other}"`,
            },
          ]
        : []),
      ...children.map((child) => ({
        kind: 'condition-dropped' as const,
        at: child,
        edit: withoutElement(list, child.node, this.source),
        words: `the condition ${this.wordsOf(child.node)} is left out`,
      })),
      ...within,
    ];
  }

  private ofNot(part: SourcePart, child: SourcePart): readonly SourceChange[] {
    const text = this.source.textOf(child);
    const words = `"not" is left out before ${this.wordsOf(child.node)}`;
    // A lone condition may not stand at the root.
    const by = partOf(child, 'fact') ? `{"all": [${text}]}` : text;
    return [{ kind: 'not-dropped', at: part, edit: replacing(part, by), words }, ...this.of(child)];
  }

  private ofLeaf(part: SourcePart): readonly SourceChange[] {
    const leaf = leafOf(part.node);
    const parsed = leaf && parseOperator(leaf.operator);
    if (!parsed) return [];
    const operator = partOf(part, 'operator');
    const before = this.leafWords(leaf);
    const flipped = operator
      ? flipsOf(leaf.operator).map((by) => ({
          kind: 'operator' as const,
          at: operator,
          edit: replacing(operator, JSON.stringify(by)),
          words: `${before} becomes ${operatorWords(by)}`,
        }))
      : [];
    return [...flipped, ...this.ofValue(part, leaf)];
  }

  private ofValue(part: SourcePart, leaf: LeafNode): readonly SourceChange[] {
    const literal = partOf(part, 'value', 'literal') ?? partOf(part, 'value');
    if (!literal || leaf.other || literal.node.type === 'object') return [];
    if (literal.node.type !== 'array') return this.ofLiteral(literal, leaf, []);
    const elements = elementsIn(literal);
    const values = elements.map(({ node }) => valueOf(node));
    const dropped = elements.map((element) => ({
      kind: 'element-dropped' as const,
      at: element,
      edit: withoutElement(literal, element.node, this.source),
      words: `${nameOf(leaf)} ${valueWords(valueOf(element.node), this.fieldOf(leaf))} is left out of its list`,
    }));
    return [
      ...(elements.length > 1 ? dropped : []),
      ...elements.flatMap((element) => this.ofLiteral(element, leaf, values)),
    ];
  }

  /** `beside`: what stands in the same list already. */
  private ofLiteral(at: SourcePart, leaf: LeafNode, beside: readonly unknown[]): readonly SourceChange[] {
    const value = valueOf(at.node);
    const base = parseOperator(leaf.operator)?.base;
    if (!base) return [];
    const field = this.fieldOf(leaf);
    const statuses = { fact: 'task.previousStatus', path: null };
    const others =
      (leaf.fact === 'task.transition' ? otherTransitions(value, this.fieldAt(statuses)?.enum) : null) ??
      otherValues(value, base, field);
    return others
      .filter((other) => !beside.includes(other))
      .map((other) => ({
        kind: 'value',
        at,
        edit: replacing(at, JSON.stringify(other)),
        words: `${nameOf(leaf)} ${valueWords(value, field)} becomes ${valueWords(other, field)}`,
      }));
  }

  private fieldOf(leaf: LeafNode): FieldDefinition | null {
    const field = this.fieldAt(leaf);
    return field?.items ?? field;
  }

  private leafWords(leaf: LeafNode): string {
    return leafWords(leaf, this.fieldOf(leaf));
  }

  private wordsOf(node: JsonNode): string {
    const members = membersOf(node);
    const all = members.get('all')?.value;
    const group = all ?? members.get('any')?.value;
    if (group) {
      const words = elementsOf(group).map((child) => this.wordsOf(child));
      return words.length === 1 ? (words[0] ?? '') : `(${words.join(all ? ' and ' : ' or ')})`;
    }
    const not = members.get('not')?.value;
    if (not) return `not ${this.wordsOf(not)}`;
    const leaf = leafOf(node);
    return leaf ? this.leafWords(leaf) : `"${textOf(members.get('condition')?.value) ?? ''}"`;
  }
}

/** A leaf as it is written; null: it is none. */
function leafOf(node: JsonNode): LeafNode | null {
  if (!membersOf(node).has('fact')) return null;
  const tree = buildTree(valueOf(node) as LeafDocument, new Map(), () => 'date-time');
  return tree.kind === 'leaf' ? tree : null;
}

/** The operators that one is changed into; one without an opposite gets `not:`, or loses it. */
function flipsOf(operator: string): readonly string[] {
  const parts = operator.split(':');
  const base = parts.at(-1) ?? '';
  const decorators = parts.slice(0, -1);
  const flips = Object.hasOwn(FLIPS, base) ? FLIPS[base] : undefined;
  if (flips) return flips.map((by) => [...decorators, by].join(':'));
  const not = decorators.lastIndexOf('not');
  const others = not < 0 ? [...decorators, 'not'] : decorators.toSpliced(not, 1);
  return [[...others, base].join(':')];
}
