import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { EvaluationStore } from '../../rules/evaluation-store.js';
import type { LookupStore } from '../../rules/lookup-store.js';
import type { DeliveryList } from '../read/delivery-list.js';
import type { EventFilter, EventList, EventRow } from '../read/event-list.js';
import { deliveryOf } from './deliveries.service.js';
import type { EventCases } from './event-cases.js';
import type { EventCaseAnswer, EventCaseQuery } from './event-cases.schema.js';
import { bodyOf, factsIn, tellingFacts } from './event-content.js';
import type { EventReplays } from './event-replays.js';
import type { ReplayAnswer, ReplayBody } from './event-replays.schema.js';
import type { EventExport } from './event-export.js';
import type { EventImport } from './event-import.js';
import type {
  Event,
  EventDetail,
  EventFilterQuery,
  EventQuery,
  ExportQuery,
  Imported,
  ImportQuery,
} from './events.schema.js';
import type { Explanations } from './explanations.js';
import type { ExplainedEvaluations, ExplanationsQuery } from './explanations.schema.js';
import { type Page, pageOf, readCursor } from './page.js';
import { maskEvaluation, maskEvent, maskEventDetail, maskFact, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';

/** Of one event, so many deliveries are told with it. */
const DELIVERIES_SHOWN = 500;
/** Of a list, what is longer (bytes) is not read for what it says. */
const READ_OF_LIST = 16 * 1024;

/** Events: found, shown, explained, evaluated again, taken out and brought in. */
export class EventsService {
  constructor(
    private readonly rows: EventList,
    private readonly deliveries: DeliveryList,
    private readonly explanations: Explanations,
    private readonly cases: EventCases,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly lookups: LookupStore;
      readonly catalogue: LiveCatalogue;
    },
    private readonly files: { readonly export: EventExport; readonly import: EventImport },
    private readonly replays: EventReplays,
  ) {}

  async list(actor: Actor, { limit, cursor, ...filter }: EventQuery): Promise<Page<Event>> {
    const slice = { limit, after: readCursor(cursor) };
    const rows = await this.rows.list(filterOf(filter), slice, { personal: readsPersonal(actor) });
    const { events, catalogue } = this.stores;
    const told = rows.slice(0, limit).filter(({ erased }) => !erased);
    const read = await events.findSmall(
      told.map(({ id }) => id),
      READ_OF_LIST,
    );
    const known = catalogue.current;
    const about = new Map(
      read.map((event) => [event.id, tellingFacts(factsIn(event, known), event.eventType, known)]),
    );
    return pageOf(
      rows.map((row) => this.shown(actor, { ...eventOf(row), about: about.get(row.id) ?? [] })),
      limit,
    );
  }

  /** By our id, or by the sender's. */
  async find(actor: Actor, id: string): Promise<EventDetail> {
    const { row, event } = await this.get(id);
    const { evaluations, lookups, catalogue } = this.stores;
    const [told, deliveries, waitsFor] = await Promise.all([
      evaluations.findAll(row.id),
      this.deliveries.list({ event: row.id }, { limit: DELIVERIES_SHOWN, after: null }),
      row.state === 'waiting' ? lookups.reasonOf(row.id) : null,
    ]);
    const known = catalogue.current;
    const facts = row.erased ? [] : factsIn(event, known);
    const detail: EventDetail = {
      ...eventOf(row),
      reason: waitsFor ?? row.reason,
      about: tellingFacts(facts, row.eventType, known),
      facts,
      body: row.erased ? null : bodyOf(event),
      raw: row.erased ? null : event.raw.toString('base64'),
      verdicts: told.flatMap(({ occasion, verdicts }) =>
        verdicts.flatMap((one) => {
          if ('action' in one) return [];
          return 'missing' in one ? { occasion, ...one, missing: [...one.missing] } : { occasion, ...one };
        }),
      ),
      suppressions: told.flatMap(({ occasion, verdicts }) =>
        verdicts.flatMap((one) => ('action' in one ? [{ occasion, ...one }] : [])),
      ),
      // In the order of the decision.
      deliveries: deliveries.slice(0, DELIVERIES_SHOWN).map(deliveryOf).reverse(),
      masked: false,
    };
    if (readsPersonal(actor)) return detail;
    const masked = facts.map((fact) => maskFact(fact, known.fieldOf(row.eventType, fact.name)));
    const about = tellingFacts(masked, row.eventType, known);
    return maskEventDetail({ ...detail, facts: masked, about }, known);
  }

  /** Why each rule fired or did not, of each evaluation. None: the event is not decided. */
  async evaluations(actor: Actor, id: string, query: ExplanationsQuery): Promise<ExplainedEvaluations> {
    const { event, row } = await this.getWhole(id, 'explained');
    const items = await this.explanations.tell(actor, event, query);
    const { rule } = query;
    if (
      rule !== undefined &&
      items.length > 0 &&
      items.every(({ explanations }) => explanations.length === 0)
    ) {
      const hashes = items.map(({ ruleSet }) => ruleSet.slice(0, 12)).join(', ');
      throw new Refusal(
        404,
        'RULE_UNKNOWN',
        `there was no rule "${rule}" in the rule set that decided (${hashes})`,
      );
    }
    const catalogue = this.stores.catalogue.current;
    return {
      items: readsPersonal(actor)
        ? items
        : items.map((one) => maskEvaluation(one, row.rootEntity, catalogue)),
    };
  }

  /** A rule test of what happened at an event. It holds stand-ins, and where it fails also what was really there. */
  async case(id: string, query: EventCaseQuery): Promise<EventCaseAnswer> {
    const { row, event } = await this.getWhole(id, 'made a case of');
    return await this.cases.make(row, event, query);
  }

  /** Evaluates an event again with the live rules, and sends what was not sent yet. */
  async replay(actor: Actor, id: string, body: ReplayBody): Promise<ReplayAnswer> {
    const { event } = await this.getWhole(id, 'evaluated again');
    return await this.replays.run(actor, event, body);
  }

  /** NDJSON that `import` reads again, the oldest event first; many lines at once, each with its line end. */
  async *export(actor: Actor, { recorded, ...filter }: ExportQuery): AsyncGenerator<Buffer> {
    yield* this.files.export.lines(actor, filterOf(filter), Object.keys(filter), { recorded });
  }

  /** `lines`: NDJSON, each line the body of an event as it was sent. */
  async import(actor: Actor, query: ImportQuery, lines: Buffer): Promise<Imported> {
    return await this.files.import.take(actor, query, lines);
  }

  private shown(actor: Actor, event: Event): Event {
    if (readsPersonal(actor)) return event;
    const known = this.stores.catalogue.current;
    const about = event.about.map((fact) => maskFact(fact, known.fieldOf(event.eventType, fact.name)));
    return maskEvent({ ...event, about }, known);
  }

  private async getWhole(id: string, what: string) {
    const found = await this.get(id);
    if (found.row.erased)
      throw new Refusal(
        410,
        'EVENT_ERASED',
        `What the event ${found.row.id} held was erased: it cannot be ${what}.`,
      );
    return found;
  }

  private async get(id: string): Promise<{ readonly row: EventRow; readonly event: StoredEvent }> {
    // PostgreSQL's text has no NUL: no event has such an id.
    const row = id === '' || id.includes('\u0000') ? null : await this.rows.find(id);
    const event = row && (await this.stores.events.find(row.id));
    if (!row || !event) throw new Refusal(404, 'EVENT_UNKNOWN', `no event has the id "${id.slice(0, 200)}"`);
    return { row, event };
  }
}

function filterOf({ biz_type: bizType, ...rest }: EventFilterQuery): EventFilter {
  return { ...rest, bizType };
}

function eventOf(row: EventRow): Omit<Event, 'about'> {
  const { id, eventId, origin, eventType, source, receivedAt, createTime, rootEntity } = row;
  const { state, reason, duplicates, erased, matched, unknown, errors, deliveries } = row;
  return {
    id,
    eventId,
    origin,
    eventType,
    source,
    receivedAt: isoOf(receivedAt),
    createTime: isoOf(createTime),
    rootEntity,
    state,
    reason,
    duplicates,
    erased,
    matched,
    unknown,
    errors,
    deliveries,
  };
}
