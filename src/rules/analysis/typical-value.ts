import type { FieldDefinition } from '../../events/catalogue.js';

/** A value that a field may have where nothing else is known or asked for. */
export function typicalValue(name: string, field: FieldDefinition, now: number): unknown {
  const [first] = field.enum ?? [];
  if (first) return first.value;
  if (field.format) {
    if (field.format === 'date-time') return new Date(now).toISOString().replace('.000Z', 'Z');
    const count = field.format === 'epoch-seconds' ? Math.floor(now / 1000) : now;
    return field.type === 'string' ? String(count) : count;
  }
  switch (field.type) {
    case 'string':
      return `${name}-1`;
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return Object.fromEntries(
        Object.entries(field.fields ?? {})
          .filter(([, member]) => member.optional !== true)
          .map(([key, member]) => [key, typicalValue(key, member, now)]),
      );
  }
}
