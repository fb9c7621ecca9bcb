import type { CatalogueEntry, FieldDefinition } from '../../events/catalogue.js';
import { envelopeNamesake } from '../../events/catalogue-schema.js';
import { ENVELOPE_FIELDS } from '../../events/event-facts.js';
import { lookupPlaceOf } from '../lookup-name.js';
import type { RuleSet } from '../rule-set.js';
import { STATUS_FACTS } from '../state/fact-fields.js';
import { isStateFact } from '../state/fact-names.js';
import { levelTold } from '../state/levels.js';
import { type Domain, domainOfField } from './domain.js';
import { typicalValue } from './typical-value.js';

/** What is asked of a rule set to know what its facts may be. */
export type KnownFacts = Pick<RuleSet, 'fieldOf' | 'catalogue' | 'lookups'>;

export interface FactSpaceOptions {
  /** Facts that a later moment shares with the earlier one; absent: none. */
  readonly stable?: (fact: string) => boolean;
  /** Every fact may also be missing: a schedule reads the last event of an entity, and there may be none. */
  readonly optional?: boolean;
}

/** Facts of a task's status that go together: `transition` is the previous status and the present one. */
export interface StatusLink {
  /** The event's own status; null: the event does not tell the status of its task. */
  readonly status: string | null;
  /** The status with which a task begins: only that has no previous one. Undefined: any may be. */
  readonly first: string | number | undefined;
  /** What a status may be; null: it is not known. */
  readonly values: readonly (string | number)[] | null;
}

/** 2026-01-05T09:00:00+08:00, a Monday, like the virtual clock of a rule test: when nothing else is asked for. */
export const USUAL_NOW = Date.UTC(2026, 0, 5, 1);

/** The times that an envelope can write: 13 digits of milliseconds. */
const LATEST = 9_999_999_999_999;

const MINUTES = 24 * 60;

/**
 * What the facts of the events of one type may be. The catalogue is taken at its word: a fact has the values of its
 * enum, its type and its format, and is missing only where it is optional. `null` is a value of the envelope's facts
 * that can be null and of `task.previousStatus`; of any other fact only if a condition names it. Of what nobody has
 * described any value may be there, or none. A fact of the state that is never known with these events is missing.
 */
export class FactSpace {
  readonly now = USUAL_NOW;
  readonly entry: CatalogueEntry | null;
  /** The facts of the event itself: the sample, with what else is always there. */
  readonly sample: ReadonlyMap<string, unknown>;
  /** Which facts of the task's status go together; null: with these events nothing is known of a task. */
  readonly link: StatusLink | null;
  private readonly domains = new Map<string, Domain>();

  /** `eventType` null: of the events nothing is known. */
  constructor(
    private readonly known: KnownFacts,
    readonly eventType: string | null,
    private readonly options: FactSpaceOptions = {},
  ) {
    this.entry = eventType === null ? null : known.catalogue.find(eventType);
    this.sample = sampleFacts(this.entry, eventType ?? 'unknown', this.now);
    this.link = this.linkOf();
  }

  /** Whether a later moment has the same value. */
  isStable(fact: string): boolean {
    return this.options.stable?.(fact) ?? false;
  }

  /** What a fact may be. Of a look-up, its whole answer. */
  domainOf(fact: string): Domain {
    const known = this.domains.get(fact);
    if (known) return known;
    const domain = this.found(fact);
    this.domains.set(fact, domain);
    return domain;
  }

  /** What a fact is when nothing is asked of it; undefined: it is missing. */
  usual(fact: string): unknown {
    if (this.sample.has(fact)) return this.sample.get(fact);
    if (lookupPlaceOf(fact)) return {};
    if (!isStateFact(fact)) return undefined;
    const { link } = this;
    const status = this.sample.get(link?.status ?? '');
    const begins = link?.first !== undefined && status === link.first;
    switch (fact) {
      case 'task.previousStatus':
        return begins ? null : undefined;
      case 'task.transition':
        return begins ? `>${link.first}` : undefined;
      case 'task.firstSeen':
        return this.domainOf(fact).type === 'any' ? undefined : this.now;
      case 'now.date':
        return '2026-01-05';
      case 'now.time':
        return '09:00';
      default: {
        const { type, field, missing } = this.domainOf(fact);
        return type === 'any' || missing || !field ? undefined : typicalValue(fact, field, this.now);
      }
    }
  }

  private found(fact: string): Domain {
    if (fact === 'event_type' && this.eventType !== null) return this.only([this.eventType]);
    if (fact === 'type' && this.isFirstVersion()) return this.only([this.eventType]);
    const field = this.fieldOf(fact);
    if (!field) {
      const never = this.entry !== null && isStateFact(fact);
      return { ...this.only(never ? [] : null), missing: true, nullable: !never, type: 'any' };
    }
    const optional = field.optional === true || this.options.optional === true;
    const domain = domainOfField(field, optional || lookupPlaceOf(fact) !== null);
    if (fact === 'now.time')
      return { ...domain, values: Array.from({ length: MINUTES }, (_, at) => clockOf(at)) };
    const nullable = fact === 'task.previousStatus' || NULLABLE.has(fact);
    const counts = isStateFact(fact) && field.type === 'integer' && !STATUS_FACTS.includes(fact);
    const least = counts || fact === 'create_time' ? 0 : null;
    return { ...domain, nullable, least, most: fact === 'create_time' ? LATEST : null };
  }

  private fieldOf(fact: string): FieldDefinition | null {
    if (Object.hasOwn(ENVELOPE_FIELDS, fact)) return ENVELOPE_FIELDS[fact] ?? null;
    // Of events that nobody knows the state may hold anything; look-ups and the clock are the same for all.
    const open =
      this.entry === null && isStateFact(fact) && fact !== 'event.late' && !fact.startsWith('now.');
    return open ? null : this.known.fieldOf(this.eventType ?? '', fact);
  }

  private only(values: readonly unknown[] | null): Domain {
    return {
      type: 'any',
      values,
      format: null,
      field: null,
      least: null,
      most: null,
      missing: this.options.optional === true,
      nullable: false,
    };
  }

  /** Feishu's older events name their type within themselves once more. */
  private isFirstVersion(): boolean {
    return this.entry !== null && isFirstVersion(this.entry);
  }

  private linkOf(): StatusLink | null {
    const { entry } = this;
    if (!entry) return null;
    const previous = this.domainOf('task.previousStatus');
    if (previous.type === 'any') return null;
    const values = previous.values as readonly (string | number)[] | null;
    if (levelTold(entry) !== 'task' || !entry.status) return { status: null, first: undefined, values };
    const { field, order } = entry.status;
    const definition = Object.hasOwn(entry.fields, field) ? entry.fields[field] : undefined;
    return { status: definition?.fact ?? field, first: order[0], values };
  }
}

const NULLABLE: ReadonlySet<string> = new Set(['create_time', 'app_id', 'tenant_key', 'cloudevent']);

/** Whether the events of a type come in Feishu's older envelope, which has no header. */
export function isFirstVersion({ fields }: Pick<CatalogueEntry, 'fields'>): boolean {
  return fields['app_id']?.fact === 'event.app_id' && Object.hasOwn(fields, 'type');
}

function sampleFacts(
  entry: CatalogueEntry | null,
  eventType: string,
  now: number,
): ReadonlyMap<string, unknown> {
  const fields: Readonly<Record<string, unknown>> = entry?.sample ?? {};
  const facts = new Map<string, unknown>();
  for (const [name, value] of Object.entries(fields)) facts.set(factOfField(entry, name), value);
  for (const [name, field] of Object.entries(entry?.fields ?? {})) {
    const fact = field.fact ?? name;
    if (field.optional !== true && !facts.has(fact)) facts.set(fact, typicalValue(name, field, now));
  }
  const first = entry !== null && isFirstVersion(entry);
  if (first) facts.set('type', eventType);
  const envelope: Readonly<Record<string, unknown>> = {
    event_type: eventType,
    event_id: 'case-1',
    create_time: now,
    app_id: first ? facts.get('event.app_id') : 'cli_case',
    tenant_key: first ? facts.get('event.tenant_key') : 'case',
    source: 'feishu-webhook',
    cloudevent: null,
  };
  for (const [name, value] of Object.entries(envelope)) facts.set(name, value);
  return facts;
}

/** Of a sample's field; a field that has the name of a part of the envelope is another fact. */
function factOfField(entry: CatalogueEntry | null, name: string): string {
  const field = entry && Object.hasOwn(entry.fields, name) ? entry.fields[name] : undefined;
  return field?.fact ?? (envelopeNamesake(`event.${name}`) === null ? name : `event.${name}`);
}

function clockOf(minute: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
