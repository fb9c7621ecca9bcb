/** A condition as it stands in a rule file, once the loader has checked its form. */
export type ConditionDocument =
  | { readonly all: readonly ConditionDocument[]; readonly name?: string | undefined }
  | { readonly any: readonly ConditionDocument[]; readonly name?: string | undefined }
  | { readonly not: ConditionDocument; readonly name?: string | undefined }
  /** A named condition of a `*.conditions.json`. */
  | { readonly condition: string }
  | LeafDocument;

export interface LeafDocument {
  readonly fact: string;
  readonly operator: string;
  /** A literal, another fact as `{"fact": …, "path": …}`, or `{"literal": …}` for an object that has a key `fact`. */
  readonly value: unknown;
  /** A plain path into the fact. */
  readonly path?: string | undefined;
  readonly name?: string | undefined;
}

/** Another fact, and a plain path into it. */
export interface FactReference {
  readonly fact: string;
  readonly path?: string | undefined;
}

/** The fact that a leaf's `value` refers to; null: the value is a literal. */
export function referenceIn(value: unknown): FactReference | null {
  return typeof value === 'object' && value !== null && 'fact' in value && typeof value.fact === 'string'
    ? (value as FactReference)
    : null;
}

/** The literal that a leaf's `value` stands for. */
export function literalIn(value: unknown): unknown {
  const wrapped =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, 'literal');
  return wrapped ? (value as { literal: unknown }).literal : value;
}
