import { kindOf } from '../check/file-kind.js';
import { elementsOf, membersOf, nodeAt, textOf, valueOf } from '../check/json-node.js';
import { type JsonNode, JsonText } from '../check/json-text.js';
import { textsUnder } from '../check/lookup-reads.js';
import { placeholdersIn } from '../compiled-lookup.js';
import type { Finding, Witness } from '../finding.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Rule } from '../rule-set.js';

/** What of a rule a finding is about. Paths begin at the rule, as in a rule with `actions`. */
export type Spot =
  /** A key, as near as there is one. */
  | { readonly kind: 'key'; readonly path: readonly PropertyKey[] }
  /** The first text below that has a placeholder of this path. */
  | { readonly kind: 'placeholder'; readonly path: readonly PropertyKey[]; readonly reads: readonly string[] }
  /** The first condition below that compares the fact with the value: that value. */
  | {
      readonly kind: 'value';
      readonly path: readonly PropertyKey[];
      readonly fact: string;
      readonly value: unknown;
    };

/** A finding that is still to get its place. */
export interface Draft extends Pick<Finding, 'code' | 'severity' | 'message' | 'mend'> {
  readonly rule: Rule;
  readonly spot: Spot;
  readonly witness?: Witness;
}

type FilePlace = Pick<Finding, 'file' | 'line' | 'column' | 'length'>;

/** Finds the tokens that findings are about. Files are read anew, each once, and only those that have findings. */
export class FindingPlaces {
  private readonly texts = new Map<string, JsonText>();

  constructor(private readonly files: RuleFiles) {}

  of(rule: Rule, spot: Spot): FilePlace {
    const json = this.textOf(rule.file);
    const node = json?.root && ruleIn(json.root, rule.name);
    if (!json || !node) return { file: rule.file, line: rule.line, column: 1 };
    const found = within(node, spot);
    if (found) return placeOf(rule.file, json, found);
    const named = spot.kind === 'value' ? this.inNamedConditions(spot) : null;
    // Of a named condition that is written elsewhere, the place is where the rule uses it.
    return named ?? placeOf(rule.file, json, keyAt(node, spot.path));
  }

  private inNamedConditions(spot: Spot & { kind: 'value' }): FilePlace | null {
    for (const file of this.files.keys()) {
      if (kindOf(file) !== 'conditions') continue;
      const json = this.textOf(file);
      const found = json?.root && comparedIn(json.root, spot);
      if (json && found) return placeOf(file, json, found);
    }
    return null;
  }

  private textOf(file: string): JsonText | null {
    const known = this.texts.get(file);
    if (known) return known;
    const text = this.files.get(file);
    if (text === undefined) return null;
    const json = JsonText.parse(text);
    this.texts.set(file, json);
    return json;
  }
}

function ruleIn(root: JsonNode, name: string): JsonNode | null {
  const nodes = root.type === 'array' ? elementsOf(root) : [root];
  return nodes.find((one) => textOf(membersOf(one).get('name')?.value) === name) ?? null;
}

function within(rule: JsonNode, spot: Spot): JsonNode | null {
  if (spot.kind === 'key') return keyAt(rule, spot.path);
  const below = nodeAt(rule, ownShape(rule, spot.path)).node;
  if (spot.kind === 'value') return comparedIn(below, spot);
  const reads = spot.reads.join('\u0000');
  const found = textsUnder(below).find(({ text }) =>
    placeholdersIn(text).some(({ path }) => path.join('\u0000') === reads),
  );
  return found?.node ?? null;
}

function keyAt(rule: JsonNode, path: readonly PropertyKey[]): JsonNode {
  const { key, node } = nodeAt(rule, ownShape(rule, path));
  return key ?? node;
}

/** json-rules-engine's own shape has its one action under `event.params`. */
function ownShape(rule: JsonNode, path: readonly PropertyKey[]): readonly PropertyKey[] {
  return path[0] === 'actions' && !membersOf(rule).has('actions')
    ? ['event', 'params', ...path.slice(2)]
    : path;
}

function comparedIn(node: JsonNode, spot: Spot & { kind: 'value' }): JsonNode | null {
  if (node.type === 'array') return firstOf(elementsOf(node), spot);
  if (node.type !== 'object') return null;
  const members = membersOf(node);
  const value = members.get('value')?.value;
  if (textOf(members.get('fact')?.value) === spot.fact && value) {
    const wanted = JSON.stringify(spot.value);
    const literals = value.type === 'array' ? [...elementsOf(value), value] : [value];
    return literals.find((one) => JSON.stringify(valueOf(one)) === wanted) ?? null;
  }
  return firstOf(
    [...members.values()].map((member) => member.value),
    spot,
  );
}

function firstOf(nodes: readonly JsonNode[], spot: Spot & { kind: 'value' }): JsonNode | null {
  for (const node of nodes) {
    const found = comparedIn(node, spot);
    if (found) return found;
  }
  return null;
}

function placeOf(file: string, json: JsonText, node: JsonNode): FilePlace {
  const length = node.type === 'object' || node.type === 'array' ? 1 : node.length;
  return { file, ...json.positionOf(node.offset), length };
}
