import type { FieldDefinition } from '../events/catalogue.js';

/** What is known of a place in a fact, and whether that or what it stands in is personal. */
export interface KnownField {
  readonly definition: FieldDefinition | null;
  readonly personal: boolean;
}

/** What stands at the end of a path into a field. The elements of a list are all alike. */
export function fieldWithin(start: FieldDefinition | null, path: readonly string[]): KnownField {
  let definition = start;
  let personal = definition?.personal ?? false;
  for (const key of path) {
    const fields = definition?.fields;
    definition = definition?.items ?? (fields && Object.hasOwn(fields, key) ? (fields[key] ?? null) : null);
    personal ||= definition?.personal ?? false;
  }
  return { definition, personal };
}
