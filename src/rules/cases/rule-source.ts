import { kindOf, looksLikeRule } from '../check/file-kind.js';
import { elementsOf, membersOf, textOf } from '../check/json-node.js';
import { type JsonNode, JsonText } from '../check/json-text.js';
import type { RuleFiles } from '../rule-compiler.js';

/** A value in a rule file. */
export interface SourcePart {
  /** Relative to the rules folder. */
  readonly file: string;
  readonly node: JsonNode;
}

/** An action in a rule file; of a step, with the step's name. */
export interface ActionPart extends SourcePart {
  readonly name: string;
  readonly step: string | null;
}

/** A step of an escalation in a rule file. */
export interface StepPart extends SourcePart {
  /** Its own, or its `after`. */
  readonly name: string;
}

/**
 * Where in their files the rules and the named conditions stand. The files are sound: what is not as the check wants
 * it is not found. Files are parsed when they are asked for, and once.
 */
export class RuleSource {
  private readonly opened = new Map<string, { readonly text: string; readonly json: JsonText }>();
  private named: ReadonlyMap<string, SourcePart> | null = null;

  constructor(private readonly files: RuleFiles) {}

  /** The rule of a name that stands in a file; null: it does not. */
  rule(name: string, file: string): SourcePart | null {
    const root = this.rootOf(file);
    if (!root) return null;
    const nodes = root.type === 'array' ? elementsOf(root) : [root];
    const node = nodes.find(
      (one) => looksLikeRule(one) && textOf(membersOf(one).get('name')?.value) === name,
    );
    return node ? { file, node } : null;
  }

  /** The named condition; null: there is none. */
  condition(name: string): SourcePart | null {
    this.named ??= new Map(
      [...this.files.keys()]
        .filter((file) => kindOf(file) === 'conditions')
        .flatMap((file) => {
          const root = this.rootOf(file);
          return root
            ? [...membersOf(root)].map(([key, { value }]) => [key, { file, node: value }] as const)
            : [];
        }),
    );
    return this.named.get(name) ?? null;
  }

  /** Line and column of a part, both from 1. */
  positionOf({ file, node }: SourcePart): { readonly line: number; readonly column: number } {
    return this.open(file)?.json.positionOf(node.offset) ?? { line: 1, column: 1 };
  }

  /** What stands in a file from one offset up to another; offsets do not count a byte order mark. */
  slice(file: string, from: number, to?: number): string {
    return this.open(file)?.text.slice(from, to) ?? '';
  }

  textOf({ file, node }: SourcePart): string {
    return this.slice(file, node.offset, node.offset + node.length);
  }

  /** The leaves of conditions as `buildTree` has them: in order, the named conditions in their places. */
  leavesOf(conditions: SourcePart): readonly SourcePart[] {
    const leaves: SourcePart[] = [];
    const visit = (file: string, node: JsonNode): void => {
      const members = membersOf(node);
      const group = members.get('all')?.value ?? members.get('any')?.value;
      const not = members.get('not')?.value;
      const name = textOf(members.get('condition')?.value);
      if (group) for (const child of elementsOf(group)) visit(file, child);
      else if (not) visit(file, not);
      else if (name !== null) {
        const meant = this.condition(name);
        if (meant) visit(meant.file, meant.node);
      } else leaves.push({ file, node });
    };
    visit(conditions.file, conditions.node);
    return leaves;
  }

  /** The names of the named conditions that conditions refer to, themselves or through others. */
  namesIn(conditions: SourcePart): ReadonlySet<string> {
    const names = new Set<string>();
    const visit = (node: JsonNode): void => {
      const members = membersOf(node);
      const group = members.get('all')?.value ?? members.get('any')?.value;
      const not = members.get('not')?.value;
      const name = textOf(members.get('condition')?.value);
      if (group) elementsOf(group).forEach(visit);
      else if (not) visit(not);
      else if (name !== null && !names.has(name)) {
        names.add(name);
        const meant = this.condition(name);
        if (meant) visit(meant.node);
      }
    };
    visit(conditions.node);
    return names;
  }

  private rootOf(file: string): JsonNode | null {
    return this.open(file)?.json.root ?? null;
  }

  private open(file: string): { readonly text: string; readonly json: JsonText } | null {
    const known = this.opened.get(file);
    if (known) return known;
    const given = this.files.get(file);
    if (given === undefined) return null;
    const opened = { text: given.startsWith('\ufeff') ? given.slice(1) : given, json: JsonText.parse(given) };
    this.opened.set(file, opened);
    return opened;
  }
}

/** A member of a part, by its keys from the outside to the inside; null: it is not there. */
export function partOf({ file, node }: SourcePart, ...keys: readonly string[]): SourcePart | null {
  let at = node;
  for (const key of keys) {
    const next = at.type === 'object' ? membersOf(at).get(key)?.value : undefined;
    if (!next) return null;
    at = next;
  }
  return { file, node: at };
}

/** The actions of a rule: its own, in either shape, and those of its steps. */
export function actionsOf(rule: SourcePart): readonly ActionPart[] {
  const ownShape = partOf(rule, 'event', 'params');
  // In json-rules-engine's own shape the type also names the action.
  const kind = textOf(partOf(rule, 'event', 'type')?.node) ?? '';
  const own = ownShape
    ? [{ ...ownShape, name: nameIn(ownShape) || kind, step: null }]
    : elementsIn(partOf(rule, 'actions')).map((part) => ({ ...part, name: nameIn(part), step: null }));
  return [
    ...own,
    ...stepsOf(rule).flatMap((step) =>
      elementsIn(partOf(step, 'actions')).map((part) => ({ ...part, name: nameIn(part), step: step.name })),
    ),
  ];
}

/** The steps of the escalation of a rule. */
export function stepsOf(rule: SourcePart): readonly StepPart[] {
  return elementsIn(partOf(rule, 'escalate', 'steps')).map((part) => ({
    ...part,
    name: nameIn(part) || (textOf(partOf(part, 'after')?.node) ?? ''),
  }));
}

export function elementsIn(list: SourcePart | null): readonly SourcePart[] {
  return list ? elementsOf(list.node).map((node) => ({ file: list.file, node })) : [];
}

function nameIn(part: SourcePart): string {
  return textOf(partOf(part, 'name')?.node) ?? '';
}
