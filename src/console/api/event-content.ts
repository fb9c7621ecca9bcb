import type { Catalogue } from '../../events/catalogue.js';
import { readCloudEvent } from '../../events/cloud-event.js';
import { factsOf } from '../../events/event-facts.js';
import type { StoredEvent } from '../../events/event-store.js';
import { parseLossless } from '../../events/lossless-json.js';
import { labelOf } from '../../rules/explained-tree.js';
import type { Fact } from './events.schema.js';
import { isPersonal } from './personal.js';

/** The facts of a stored event in the words of the catalogue. None: its bytes are no event. */
export function factsIn(event: StoredEvent, catalogue: Catalogue): Fact[] {
  let facts: ReadonlyMap<string, unknown>;
  try {
    facts = factsOf(event);
  } catch {
    return [];
  }
  return [...facts]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const field = catalogue.fieldOf(event.eventType, name);
      const label = labelOf(field, value);
      return {
        name,
        value: writable(value),
        label: field?.label ?? null,
        valueLabel: label !== null && 'zh' in label ? label : null,
        personal: isPersonal(field),
      };
    });
}

const BIZ_TYPE = 'biz_type';

/** Of the facts those by which people tell events of a type apart: the status, and the business type. */
export function tellingFacts(facts: readonly Fact[], eventType: string, catalogue: Catalogue): Fact[] {
  const entry = catalogue.find(eventType);
  const field = entry?.status?.field;
  const status = field === undefined ? undefined : (entry?.fields[field]?.fact ?? field);
  return [status, BIZ_TYPE].flatMap((name) => facts.find((fact) => fact.name === name) ?? []);
}

/** The body as JSON, decrypted; of a CloudEvent whose attributes came as headers, its data. Null: it is no JSON. */
export function bodyOf({ transport, raw, content }: StoredEvent): unknown {
  const bytes = content ?? raw;
  if (transport?.format === 'cloudevents' && transport.attributes !== null) {
    const read = readCloudEvent(transport, bytes);
    return typeof read === 'string' ? null : writable(read.data ?? null);
  }
  try {
    return writable(parseLossless(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

/** Null for what cannot be written as JSON. */
function writable(value: unknown): unknown {
  return isWritable(value) ? value : null;
}

/** Events of a hundred thousand levels are read, and cannot be written. */
export function isWritable(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}
