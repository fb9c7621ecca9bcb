import type { CatalogueEntry, FieldDefinition, Label } from './catalogue.js';
import { isObject } from './own-member.js';

export const DRIFT_KINDS = [
  'unknown type',
  'unknown field',
  'unknown value',
  'wrong type',
  'missing field',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** One way in which an event does not fit the catalogue. */
export interface Misfit {
  readonly kind: DriftKind;
  /** A path like `guests[].badge`, `*` for a name within something personal; null: the whole type. */
  readonly field: string | null;
  /** What the catalogue calls the field; null: it does not know it. */
  readonly label: Label | null;
  /** The value that an enum does not have, as JSON; null: of another kind, or personal. */
  readonly value: string | null;
}

/** An event, as far as the catalogue speaks of it. */
export interface SeenEvent {
  /** Ours. */
  readonly id: string;
  readonly eventType: string;
  /** `feishu:<app_id>`, or a declared source. */
  readonly origin: string;
  /** The fields of the event itself, by the sender's names. */
  readonly fields: ReadonlyMap<string, unknown>;
}

/** A misfit, and of how many events. */
export interface DriftRow extends Misfit {
  readonly eventType: string;
  readonly count: number;
  /** Of the latest such event. */
  readonly eventId: string;
}

/** Of one event so much is told: a sender may write anything, and as much of it as a body holds. */
export const MOST_MISFITS = 50;
const LONGEST_NAME = 100;
const LONGEST_VALUE = 100;

/**
 * How an event does not fit what the catalogue says of its type; each misfit once, empty: it fits. Pure, never throws, and
 * takes time in proportion to the catalogue's fields and the event's. Values of personal fields are never in it, nor those
 * of fields that the catalogue does not know.
 *
 * `entry`: null of a type that is not in the catalogue. Of the platform all types are known, and another is told;
 * what other systems send may stay unknown.
 */
export function misfitsOf(
  entry: CatalogueEntry | null,
  { origin, fields }: Pick<SeenEvent, 'origin' | 'fields'>,
): readonly Misfit[] {
  if (entry === null)
    return origin.startsWith('feishu:')
      ? [{ kind: 'unknown type', field: null, label: null, value: null }]
      : [];
  const found = new Misfits();
  compareMembers(fields, entry.fields, {
    found,
    path: '',
    personal: false,
    // Names that are not listed are as good within it.
    more: entry.more === true,
  });
  return found.all;
}

/**
 * The misfits of several events together, the most frequent first, at most `limit`. `events`: the latest first.
 */
export function foldDrift(
  events: Iterable<Pick<SeenEvent, 'id' | 'eventType'> & { readonly misfits: readonly Misfit[] }>,
  limit: number,
): DriftRow[] {
  const rows = new Map<string, DriftRow>();
  for (const { id, eventType, misfits } of events) {
    for (const misfit of misfits) {
      const key = JSON.stringify([eventType, keyOf(misfit)]);
      const row = rows.get(key);
      rows.set(key, row ? { ...row, count: row.count + 1 } : { eventType, ...misfit, count: 1, eventId: id });
    }
  }
  return [...rows]
    .sort(([a, one], [b, other]) => other.count - one.count || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([, row]) => row);
}

interface Comparison {
  readonly found: Misfits;
  /** Of what is compared, with its last dot; empty: the event itself. */
  readonly path: string;
  /** Whether it stands within something personal. */
  readonly personal: boolean;
  readonly more: boolean;
}

class Misfits {
  private readonly byKey = new Map<string, Misfit>();

  add(misfit: Misfit): void {
    if (!this.isFull) this.byKey.set(keyOf(misfit), misfit);
  }

  get isFull(): boolean {
    return this.byKey.size >= MOST_MISFITS;
  }

  get all(): readonly Misfit[] {
    return [...this.byKey.values()];
  }
}

function keyOf({ kind, field, value }: Misfit): string {
  return JSON.stringify([kind, field, value]);
}

/** What is known first, so that no crowd of unknown names hides it. */
function compareMembers(
  members: ReadonlyMap<string, unknown>,
  definitions: Readonly<Record<string, FieldDefinition>>,
  at: Comparison,
): void {
  const { found, path, more, personal } = at;
  for (const [name, definition] of Object.entries(definitions)) {
    const field = `${path}${shown(name)}`;
    const value = members.get(name);
    if (value !== undefined) compareValue(value, definition, field, at);
    else if (definition.optional !== true && definition.newer !== true)
      found.add({ kind: 'missing field', field, label: definition.label, value: null });
  }
  if (more) return;
  for (const name of members.keys()) {
    if (found.isFull) return;
    if (Object.hasOwn(definitions, name)) continue;
    // Within something personal a name may be somebody's.
    const field = `${path}${personal ? '*' : shown(name)}`;
    found.add({ kind: 'unknown field', field, label: null, value: null });
  }
}

function compareValue(value: unknown, definition: FieldDefinition, field: string, at: Comparison): void {
  const { label, type, fields, items } = definition;
  // Null is a value, by which senders say that there is none.
  if (value === null && definition.optional === true) return;
  if (!isOf(type, value)) {
    at.found.add({ kind: 'wrong type', field, label, value: null });
    return;
  }
  const personal = at.personal || definition.personal === true;
  if (definition.enum && !definition.enum.some((one) => one.value === value))
    at.found.add({
      kind: 'unknown value',
      field,
      label,
      value: personal ? null : clipped(JSON.stringify(value), LONGEST_VALUE),
    });
  if (fields && isObject(value))
    compareMembers(new Map(Object.entries(value)), fields, { ...at, path: `${field}.`, personal });
  if (items && Array.isArray(value)) {
    for (const one of value as unknown[]) {
      if (at.found.isFull) return;
      compareValue(one, items, `${field}[]`, { ...at, personal });
    }
  }
}

function isOf(type: FieldDefinition['type'], value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value) || isLongInteger(value);
    case 'number':
      return typeof value === 'number' || isLongInteger(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
  }
}

/** An integer that would have lost digits as a number: it is read as a text. */
function isLongInteger(value: unknown): boolean {
  return typeof value === 'string' && /^-?\d{16,1000}$/.test(value);
}

function shown(name: string): string {
  return clipped(name, LONGEST_NAME);
}

function clipped(text: string, length: number): string {
  return (text.length > length ? `${text.slice(0, length - 1)}…` : text).toWellFormed();
}
