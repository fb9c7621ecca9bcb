import type { Catalogue, CatalogueEntry, FieldDefinition } from '../../events/catalogue.js';
import { ENVELOPE_FIELDS } from '../../events/catalogue.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { fieldOfFact, STATUS_FACTS, stateFieldOf } from '../state/fact-fields.js';
import { isStateFact } from '../state/fact-names.js';
import { mayBeLast, rootOf } from '../state/levels.js';
import type { Level } from '../state/root-state.js';
import type { FileReport } from './file-report.js';
import type { KnownLookups } from './lookup-files.js';
import { elementsOf, textOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { editDistance, nearestName } from './nearest-name.js';

/** The catalogue as rules ask it. Most rules listen to the same few event types: what was found is kept. */
export class KnownEvents {
  private readonly byTriggers = new Map<string, RuleEvents>();

  constructor(
    readonly catalogue: Catalogue,
    private readonly lookups: KnownLookups,
    /** The names of the work calendars. */
    readonly calendars: ReadonlySet<string>,
  ) {}

  of(triggers: readonly string[]): RuleEvents {
    return this.found(triggers.join(), () => new RuleEvents(triggers, this.catalogue, this.lookups));
  }

  /** The events that an entity may have had last: what some of them have is no mistake to read. */
  ofLevel(level: Level): RuleEvents {
    const types = this.catalogue.entries.filter((entry) => mayBeLast(entry, level));
    return this.ofAny(types.map(({ eventType }) => eventType));
  }

  /** The events that may come of the root entities to which some events belong; nothing is known of open ones. */
  around(events: RuleEvents): RuleEvents {
    if (events.open || events.entries.length === 0) return this.of([]);
    const roots = new Set(events.entries.map(rootOf));
    const types = this.catalogue.entries.filter((entry) => roots.has(rootOf(entry)));
    return this.ofAny(types.map(({ eventType }) => eventType));
  }

  private ofAny(types: readonly string[]): RuleEvents {
    return this.found(`any ${types.join()}`, () => new RuleEvents(types, this.catalogue, this.lookups, true));
  }

  private found(key: string, find: () => RuleEvents): RuleEvents {
    const known = this.byTriggers.get(key);
    if (known) return known;
    const events = find();
    this.byTriggers.set(key, events);
    return events;
  }
}

/** What a rule listens to, as far as the catalogue knows it. */
export class RuleEvents {
  /** The known event types, of patterns too. */
  readonly entries: readonly CatalogueEntry[];
  /** An event type is listened to of which nothing is known: then nothing is known of any field. */
  readonly open: boolean;
  /**
   * There is a pattern, or a type with fields that are not listed: more may come than is known. Or an event is any of
   * these, and what only some of them have may be read.
   */
  readonly more: boolean;
  /** The same for all rules that listen to the same. */
  readonly key: string;

  constructor(
    triggers: readonly string[],
    private readonly catalogue: Catalogue,
    readonly lookups: KnownLookups,
    anyOfThem = false,
  ) {
    const entries = new Set(triggers.flatMap((one) => catalogue.matching(one)));
    // Whatever a pattern means, it does not mean the turns of schedules.
    this.entries = [...entries].filter(({ eventType }) => eventType !== SCHEDULE_TYPE);
    this.open = triggers.length === 0 || triggers.some((one) => !one.includes('*') && !catalogue.find(one));
    this.more =
      anyOfThem || triggers.some((one) => one.includes('*')) || this.entries.some((one) => one.more === true);
    this.key = `${this.open} ${this.more} ${this.entries.map(({ eventType }) => eventType).join()}`;
  }

  /** What a fact may be: the field of each known event type that has it. Empty: nothing is known of it. */
  fieldsOf(fact: string): readonly FieldDefinition[] {
    if (isEnvelopeFact(fact)) return ENVELOPE_FIELDS[fact] ? [ENVELOPE_FIELDS[fact]] : [];
    // Of event types that nobody knows, a status may be a number or a text.
    if (this.entries.length === 0 && STATUS_FACTS.includes(fact) && fact !== 'task.transition') return [];
    const entries = isStateFact(fact) && this.entries.length === 0 ? [null] : this.entries;
    return entries.flatMap((entry) => this.fieldIn(entry, fact) ?? []);
  }

  /** The known event types that have not got the fact, or with which it is never known. */
  without(fact: string): readonly string[] {
    return this.entries.filter((entry) => !this.fieldIn(entry, fact)).map(({ eventType }) => eventType);
  }

  private fieldIn(entry: CatalogueEntry | null, fact: string): FieldDefinition | null {
    return entry
      ? fieldOfFact(this.catalogue, entry.eventType, fact)
      : stateFieldOf(this.catalogue, null, fact);
  }

  /** The names of all facts that the events themselves have. */
  factNames(): string[] {
    const names = new Set<string>();
    for (const { fields } of this.entries) {
      for (const [name, { fact }] of Object.entries(fields)) names.add(fact ?? name);
    }
    for (const name of Object.keys(ENVELOPE_FIELDS)) names.add(name);
    return [...names];
  }
}

export function isEnvelopeFact(fact: string): boolean {
  return Object.hasOwn(ENVELOPE_FIELDS, fact);
}

const EVENT_TYPE = /^[\w.:*-]{1,128}$/;

/** The event types and patterns of a `trigger`, checked against the catalogue. */
export function readTrigger(node: JsonNode, known: KnownEvents, report: FileReport): string[] {
  const isList = node.type === 'array';
  if ((!isList && node.type !== 'string') || (isList && elementsOf(node).length === 0)) {
    report.error(
      node,
      'RULE_VALUE_INVALID',
      '"trigger" must be an event type, a list of them, or a pattern',
      'Write "corehr.process.approver.updated_v2", or a pattern like "corehr.process.*".',
    );
    return [];
  }
  const found = new Set<string>();
  for (const one of isList ? elementsOf(node) : [node]) {
    const text = textOf(one);
    if (text === null || !EVENT_TYPE.test(text)) {
      report.error(
        one,
        'RULE_VALUE_INVALID',
        '"trigger" must hold event types',
        'Write one like "corehr.process.approver.updated_v2", or a pattern like "corehr.process.*".',
      );
    } else if (text === SCHEDULE_TYPE) {
      report.error(
        one,
        'RULE_VALUE_INVALID',
        `"${text}" is no event that comes from outside`,
        'Write a schedule, like {"schedule": "0 9 * * *", "over": "task"}.',
      );
    } else if (found.has(text)) {
      report.warning(
        one,
        'EVENT_TYPE_TWICE',
        `"${text}" stands twice in "trigger"`,
        'Remove one of the two.',
      );
    } else {
      found.add(text);
      checkKnown(text, one, known, report);
    }
  }
  return [...found];
}

function checkKnown(text: string, at: JsonNode, known: KnownEvents, report: FileReport): void {
  if (known.of([text]).entries.length > 0) return;
  const types = known.of(['*']).entries.map(({ eventType }) => eventType);
  const pattern = text.includes('*');
  const meant = report.isFull ? null : pattern ? nearestPattern(text, types) : nearestName(text, types);
  if (meant !== null) {
    report.warning(
      at,
      'EVENT_TYPE_NEAR_MISS',
      pattern ? `no known event type fits "${text}"` : `"${text}" is not in the catalogue`,
      `Did you mean "${meant}"?`,
    );
  } else {
    report.info(
      at,
      'EVENT_TYPE_UNKNOWN',
      pattern
        ? `no known event type fits "${text}"`
        : `"${text}" is not in the catalogue: its fields are not checked`,
      'Describe it in catalogue/<name>.event.json to have its facts checked.',
    );
  }
}

/** A known event type that begins almost as the pattern does. */
function nearestPattern(pattern: string, types: readonly string[]): string | null {
  const [start = ''] = pattern.split('*');
  if (start.length < 6) return null;
  return (
    types.find((type) =>
      [-1, 0, 1].some((more) => editDistance(start, type.slice(0, start.length + more), 3) < 3),
    ) ?? null
  );
}
