import { type CatalogueEntry, entityFields, type FieldDefinition } from './catalogue.js';
import { ENVELOPE_FACTS, factsOf } from './event-facts.js';
import type { EventState, StoredEvent } from './event-store.js';
import { isObject } from './own-member.js';
import { wordsOf } from './words.js';

/** What an event is found by is cut off here: what comes first is what filters need. */
export const MOST_TERMS = 128;
/** Before the value of a personal field: such terms are looked for only by those who may see personal values. */
export const PERSONAL = '~';

const LONGEST = 200;
const LONGEST_VALUE = 64;
/** Of one text, and of one event: a body may be a megabyte. */
const READ_OF_TEXT = 512;
const READ_OF_EVENT = 5000;
/** Terms that say something else than a field of that name. */
const RESERVED = new Set(['type', 'source', 'origin', 'status', 'entity', 'state', 'verdict']);

/** The term of one value: in lower case, and of characters that PostgreSQL takes. */
export function termOf(kind: string, value: string): string {
  return storable(`${kind}=${value}`.toLowerCase());
}

/** How an event stands, as terms: whether it is decided, and what the live evaluation came to. */
export function standingTerms(
  state: EventState,
  evaluation: { readonly matched: number; readonly unknown: number; readonly errors: number } | null,
): string[] {
  if (state === 'undecided' || state === 'waiting') return [OPEN];
  const terms = [termOf('state', state)];
  if (evaluation === null) return terms;
  terms.push(termOf('verdict', evaluation.matched > 0 ? 'matched' : 'not matched'));
  if (evaluation.unknown > 0) terms.push(termOf('verdict', 'unknown'));
  if (evaluation.errors > 0) terms.push(termOf('verdict', 'error'));
  return terms;
}

/** Of an event that is not decided yet, whatever it waits for. */
export const OPEN = termOf('state', 'open');

/** What is known of an event beside its content; all that is left of an erased one. */
export function envelopeTerms({
  eventType,
  source,
  origin,
}: Pick<StoredEvent, 'eventType' | 'source' | 'origin'>): string[] {
  const parts = eventType.split('.');
  const patterns = parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('.')}.*`);
  return [
    termOf('type', eventType),
    ...patterns.slice(0, 8).map((pattern) => termOf('type', pattern)),
    termOf('source', source),
    termOf('origin', origin),
  ].filter((term) => term.length <= LONGEST);
}

/**
 * What an event is found by: its envelope, the entities it is about, the values of its fields, and every word in it.
 * Pure, and never more than `MOST_TERMS` less those of its standing. An event that cannot be read has its envelope.
 */
export function termsOf(event: StoredEvent, entry: CatalogueEntry | null): string[] {
  const terms = new Set(envelopeTerms(event));
  if (event.erasedAt !== null) return [...terms];
  for (const word of wordsOf(event.eventId)) terms.add(storable(word));
  let fields: ReadonlyMap<string, unknown>;
  try {
    fields = fieldsOf(event);
  } catch {
    return [...terms];
  }
  for (const term of entityTerms(event, entry, fields)) terms.add(term);
  for (const term of fieldTerms(entry, fields)) terms.add(term);
  for (const term of wordTerms(entry, fields)) {
    if (terms.size >= MOST_TERMS - STANDING_TERMS) break;
    terms.add(term);
  }
  return [...terms].slice(0, MOST_TERMS - STANDING_TERMS);
}

/** A state and up to three verdicts. */
const STANDING_TERMS = 4;

/** The fields of the event itself by the names of the catalogue, without the envelope's. */
function fieldsOf(event: StoredEvent): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  const envelope: readonly string[] = ENVELOPE_FACTS;
  for (const [name, value] of factsOf(event)) {
    if (name === 'cloudevent') fields.set(name, value);
    else if (!envelope.includes(name)) fields.set(ownName(name), value);
  }
  return fields;
}

/** `app_id` of the fact `event.app_id`, which the event's own field is called beside the envelope's. */
function ownName(fact: string): string {
  const name = fact.startsWith('event.') ? fact.slice('event.'.length) : '';
  return (ENVELOPE_FACTS as readonly string[]).includes(name) ? name : fact;
}

function* entityTerms(
  { rootEntity }: StoredEvent,
  entry: CatalogueEntry | null,
  fields: ReadonlyMap<string, unknown>,
): Generator<string> {
  const names = new Set(Object.values(entry?.entities ?? {}).flat());
  const root = entry?.rootEntity === undefined ? undefined : entityFields(entry, entry.rootEntity)[0];
  const prefix = (name: string | undefined): string =>
    name !== undefined && definitionOf(entry, name)?.personal === true ? PERSONAL : '';
  if (rootEntity !== null) {
    yield prefix(root) + termOf('entity', rootEntity);
    yield prefix(root) + termOf('entity', rootEntity.slice(rootEntity.indexOf(':') + 1));
  }
  for (const name of names) {
    const value = scalarText(fields.get(name));
    if (value !== null && value !== '' && value.length <= LONGEST)
      yield prefix(name) + termOf('entity', value);
  }
}

function* fieldTerms(entry: CatalogueEntry | null, fields: ReadonlyMap<string, unknown>): Generator<string> {
  const status = entry?.status?.field ?? 'status';
  const entities = new Set(Object.values(entry?.entities ?? {}).flat());
  for (const [name, raw] of fields) {
    const definition = definitionOf(entry, name);
    const value = scalarText(raw);
    if (value === null || value === '' || value.length > LONGEST_VALUE || definition?.personal) continue;
    if (name === status) {
      yield termOf('status', value);
      if (entry) yield termOf(`status=${entry.eventType}`, value);
    }
    // Found as entities; nobody looks for a time by its digits; and no sender's name may pass for another term.
    if (entities.has(name) || definition?.format !== undefined || /[=~]/.test(name)) continue;
    const term = termOf(RESERVED.has(name.toLowerCase()) ? `event.${name}` : name, value);
    if (term.length <= LONGEST) yield term;
  }
}

/** Every word of every value. Walks without recursion: an event may be nested 100 000 levels deep. */
function* wordTerms(entry: CatalogueEntry | null, fields: ReadonlyMap<string, unknown>): Generator<string> {
  const entities = new Set(Object.values(entry?.entities ?? {}).flat());
  interface Place {
    readonly value: unknown;
    readonly definition: FieldDefinition | null;
    readonly personal: boolean;
  }
  const left: Place[] = [];
  const add = (value: unknown, definition: FieldDefinition | null, personal: boolean): void => {
    left.push({ value, definition, personal: personal || definition?.personal === true });
  };
  // An entity's id stands among the terms already, and whoever looks for a word looks for it there too.
  for (const [name, value] of [...fields].reverse())
    if (!entities.has(name) || !isOneWord(scalarText(value))) add(value, definitionOf(entry, name), false);
  let read = 0;
  for (let place = left.pop(); place !== undefined && read < READ_OF_EVENT; place = left.pop()) {
    read += 1;
    const { value, definition, personal } = place;
    const text = scalarText(value);
    if (text !== null) {
      for (const word of wordsOf(text.slice(0, READ_OF_TEXT)))
        yield (personal ? PERSONAL : '') + storable(word);
    } else if (Array.isArray(value)) {
      for (const one of value.slice(0, READ_OF_EVENT).reverse())
        add(one, definition?.items ?? null, personal);
    } else if (isObject(value)) {
      for (const [name, one] of Object.entries(value).slice(0, READ_OF_EVENT).reverse())
        add(one, memberOf(definition?.fields, name), personal);
    }
  }
}

function definitionOf(entry: CatalogueEntry | null, name: string): FieldDefinition | null {
  return memberOf(entry?.fields, name);
}

function memberOf(
  fields: Readonly<Record<string, FieldDefinition>> | undefined,
  name: string,
): FieldDefinition | null {
  return fields && Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
}

function isOneWord(text: string | null): boolean {
  if (text === null) return false;
  const [word, ...others] = wordsOf(text);
  return others.length === 0 && word === text.toLowerCase();
}

function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** PostgreSQL's text takes neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}
