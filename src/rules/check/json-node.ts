import type { JsonNode } from './json-text.js';

/** A member of an object: its key and its value. */
export interface Member {
  readonly key: JsonNode;
  readonly value: JsonNode;
}

/** The members of an object; of a key that stands twice, the last. */
export function membersOf(node: JsonNode): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key && value) members.set(String(key.value), { key, value });
  }
  return members;
}

export function elementsOf(node: JsonNode): readonly JsonNode[] {
  return node.children ?? [];
}

/** The value of a node. A key `__proto__` is a key like any. */
export function valueOf(node: JsonNode): unknown {
  if (node.type === 'array') return elementsOf(node).map(valueOf);
  if (node.type !== 'object') return node.value as unknown;
  return Object.fromEntries([...membersOf(node)].map(([key, { value }]) => [key, valueOf(value)]));
}

/** The text that a node holds; null when it is none. */
export function textOf(node: JsonNode | undefined): string | null {
  return node?.type === 'string' ? (node.value as string) : null;
}

/** Where a path ends: the node at its end, or the nearest one that is there. */
export function nodeAt(
  root: JsonNode,
  path: readonly PropertyKey[],
): { readonly node: JsonNode; readonly key: JsonNode | null; readonly found: boolean } {
  let node = root;
  let key: JsonNode | null = null;
  for (const step of path) {
    const next: Member | { value: JsonNode; key: null } | undefined =
      node.type === 'object'
        ? membersOf(node).get(String(step))
        : node.type === 'array' && elementsOf(node)[Number(step)]
          ? { value: elementsOf(node)[Number(step)] as JsonNode, key: null }
          : undefined;
    if (!next) return { node, key, found: false };
    ({ value: node, key } = next);
  }
  return { node, key, found: true };
}
