import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE_ENTRY, envelopeNamesake, isEnvelopeFact } from './catalogue-schema.js';
import { ENVELOPE_FIELDS } from './event-facts.js';

export { CATALOGUE_ENTRY, ENVELOPE_FIELDS };

export interface Label {
  readonly zh: string;
  readonly en: string;
}

export interface EnumValue {
  readonly value: string | number;
  readonly label: Label;
  /** In the platform's newer documents only. */
  readonly newer?: boolean;
}

/** What is known of one field of an event. */
export interface FieldDefinition {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
  readonly label: Label;
  /** The field is a time, and this is how it is written. */
  readonly format?: 'epoch-milliseconds' | 'epoch-seconds' | 'date-time';
  /** The known values. Others may come and are kept. */
  readonly enum?: readonly EnumValue[];
  /** The field may be missing from a genuine event. */
  readonly optional?: boolean;
  /** In the platform's newer documents only. */
  readonly newer?: boolean;
  readonly deprecated?: boolean;
  /** Masked for viewers and in logs. */
  readonly personal?: boolean;
  /** The name of the fact when the field's own name is an envelope fact's: always `event.<field>`. */
  readonly fact?: string;
  /** The members of an object. */
  readonly fields?: Readonly<Record<string, FieldDefinition>>;
  /** The elements of an array. */
  readonly items?: FieldDefinition;
}

/** What is known of one event type: its fields, their types, the labels of their values, and whose ids they are. */
export interface CatalogueEntry {
  readonly eventType: string;
  readonly label: Label;
  /** Which field holds the id of each entity kind; of several, the first in which there is one. */
  readonly entities: Readonly<Record<string, string | readonly string[]>>;
  /** The entity kind whose events are decided in order; absent: each event stands for itself. */
  readonly rootEntity?: string;
  /** The field that says what kind of business an event is about, by which rules are written. */
  readonly topic?: string;
  readonly status?: {
    readonly field: string;
    /** The entity kind whose status it is; absent: `task`, else `node`, else the root entity, whichever the type has. */
    readonly entity?: string;
    /** The values in the order in which they normally follow each other. */
    readonly order: readonly (string | number)[];
    /** The values of which an entity always has one first; absent: it may begin with any. */
    readonly begins?: readonly (string | number)[];
    /** The values after which nobody is waited for. */
    readonly terminal?: readonly (string | number)[];
    /** What the terminal values mean; one that is in none of the lists has ended in some other way. */
    readonly outcomes?: {
      readonly done?: readonly (string | number)[];
      readonly rejected?: readonly (string | number)[];
      readonly cancelled?: readonly (string | number)[];
    };
  };
  /** The fields of a typical event. */
  readonly sample?: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, FieldDefinition>>;
  /** Genuine events have fields that are not listed: facts of other names are not mistakes. */
  readonly more?: boolean;
}

/** The known event types. A type that is not here is received, stored and evaluated all the same. */
export class Catalogue {
  /** Sorted by event type. */
  readonly entries: readonly CatalogueEntry[];
  /** Content hash; a part of the rule set's version. */
  readonly version: string;
  private readonly byType: ReadonlyMap<string, CatalogueEntry>;

  /** Of two entries of one type the later holds. */
  constructor(entries: readonly CatalogueEntry[]) {
    this.byType = new Map(entries.map((entry) => [entry.eventType, entry]));
    this.entries = [...this.byType.values()].sort((a, b) => (a.eventType < b.eventType ? -1 : 1));
    this.version = createHash('sha256').update(JSON.stringify(this.entries)).digest('hex');
  }

  /** This catalogue and more event types; one of the same type is replaced. */
  with(entries: readonly CatalogueEntry[]): Catalogue {
    return entries.length === 0 ? this : new Catalogue([...this.entries, ...entries]);
  }

  find(eventType: string): CatalogueEntry | null {
    return this.byType.get(eventType) ?? null;
  }

  /** The event types that a trigger means: one, or those of a pattern like `corehr.process.*`. */
  matching(pattern: string): readonly CatalogueEntry[] {
    return this.entries.filter(({ eventType }) => matchesPattern(pattern, eventType));
  }

  /** The field that a fact reads, by the fact's name; also the envelope's facts, which every event type has. */
  fieldOf(eventType: string, fact: string): FieldDefinition | null {
    if (isEnvelopeFact(fact)) return ENVELOPE_FIELDS[fact] ?? null;
    const fields = this.find(eventType)?.fields;
    const name = envelopeNamesake(fact) ?? fact;
    return fields && Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
  }

  /** The label of an enum value, or null when the catalogue has none. `field` is the fact's name. */
  labelOf(eventType: string, field: string, value: unknown, language: 'zh' | 'en'): string | null {
    const values = this.fieldOf(eventType, field)?.enum;
    return values?.find((one) => one.value === value)?.label[language] ?? null;
  }

  /** The place of the event's status in its type's status order, from 1; 0 when it has none. */
  statusRankOf(eventType: string, fields: ReadonlyMap<string, unknown>): number {
    const status = this.find(eventType)?.status;
    return status ? status.order.indexOf(fields.get(status.field) as string | number) + 1 : 0;
  }

  /** `process:<id>` of the entity whose events are decided in order; null when the type or its id is not known. */
  rootEntityOf(eventType: string, fields: ReadonlyMap<string, unknown>): string | null {
    const entry = this.find(eventType);
    if (entry?.rootEntity === undefined) return null;
    const id = entityIdOf(entry, entry.rootEntity, (field) => fields.get(field));
    return id === null ? null : `${entry.rootEntity}:${id}`;
  }
}

/** The fields that may hold the id of an entity kind, in order of preference; none when the type has no such kind. */
export function entityFields(
  { entities }: Pick<CatalogueEntry, 'entities'>,
  kind: string,
): readonly string[] {
  const fields = Object.hasOwn(entities, kind) ? entities[kind] : undefined;
  if (fields === undefined) return [];
  return typeof fields === 'string' ? [fields] : fields;
}

/** The id of an entity of an event: a text of 1 to 200 characters, or a number as text; null when there is none. */
export function entityIdOf(
  entry: Pick<CatalogueEntry, 'entities'>,
  kind: string,
  valueOf: (field: string) => unknown,
): string | null {
  for (const field of entityFields(entry, kind)) {
    const value = valueOf(field);
    const id = typeof value === 'number' ? String(value) : value;
    // As the database keeps it: a lone surrogate is no character.
    if (typeof id === 'string' && isId(id)) return id.toWellFormed();
  }
  return null;
}

/** What the database can keep as it is, and an index can hold. */
function isId(text: string): boolean {
  return text !== '' && text.length <= 200 && !text.includes('\u0000');
}

/**
 * Whether an event type is the one, or one of the pattern's: a `*` stands for any text, also none. Takes time in
 * proportion to the lengths, however many `*` there are: senders choose event types.
 */
export function matchesPattern(pattern: string, eventType: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === eventType;
  if (!eventType.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = eventType.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return eventType.length - last.length >= at && eventType.endsWith(last);
}

/** The catalogue that ships with the product. */
export function loadBuiltInCatalogue(): Catalogue {
  const folder = join(import.meta.dirname, 'catalogue');
  const files = readdirSync(folder).filter((name) => name.endsWith('.event.json'));
  return new Catalogue(
    files.map((name) => CATALOGUE_ENTRY.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))),
  );
}
