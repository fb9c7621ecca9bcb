import type { JsonNode } from '../check/json-text.js';
import type { RuleSource, SourcePart } from './rule-source.js';

/** A change to the text of a file: `length` characters from `offset` on become `text`. A byte order mark is not counted. */
export interface SourceEdit {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** The text of a file with an edit made. */
export function edited(text: string, { offset, length, text: by }: SourceEdit): string {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  return plain.slice(0, offset) + by + plain.slice(offset + length);
}

/** Another text in the place of a part. */
export function replacing({ file, node }: SourcePart, text: string): SourceEdit {
  return { file, offset: node.offset, length: node.length, text };
}

/** A list without one of its elements. */
export function withoutElement(list: SourcePart, element: JsonNode, source: RuleSource): SourceEdit {
  const rest = (list.node.children ?? []).filter((one) => one !== element);
  return replacing(list, `[${rest.map((node) => source.textOf({ file: list.file, node })).join(', ')}]`);
}

/** An object without one of its members. */
export function withoutMember(object: SourcePart, key: string, source: RuleSource): SourceEdit {
  const members = (object.node.children ?? []).filter((one) => one.children?.[0]?.value !== key);
  return replacing(
    object,
    `{${members.map((node) => source.textOf({ file: object.file, node })).join(', ')}}`,
  );
}
