import { Refusal } from '../../config/problem.js';
import type { DeliveryStore } from '../../action/delivery-store.js';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { caseFromEvent, NoCaseError, onlyCase } from '../../rules/cases/case-from-event.js';
import { CaseRunner } from '../../rules/cases/case-runner.js';
import type { EventHistory } from '../../rules/cases/event-history.js';
import { liveOf, type RecordedEvent } from '../../rules/cases/recorded-event.js';
import type { EvaluationStore } from '../../rules/evaluation-store.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { SCHEDULE_TYPE } from '../../rules/rule-timing.js';
import { RuleSetError } from '../../rules/rules.errors.js';
import type { EventList, EventRow } from '../read/event-list.js';
import type { EventCaseAnswer, EventCaseQuery } from './event-cases.schema.js';
import { refusalOf } from './rule-set-refusal.js';

/** Cases that are made at once in one process: each runs a process of many events several times. */
const AT_ONCE = 2;
/** A case that tells of more events is none that anybody reads. */
const MOST_EVENTS = 500;

/** Makes rule tests of stored events. */
export class EventCases {
  private underWay = 0;

  constructor(
    private readonly rows: EventList,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly ruleSets: RuleSetStore;
      readonly catalogue: LiveCatalogue;
    },
  ) {}

  /**
   * A case of what happened at an event, run on the rule set that decided it and on the live one.
   *
   * @throws Refusal 429 BUSY; 409 CASE_OF_A_TURN, EVENT_UNDECIDED, CASE_OF_NO_RULE, CASE_TOO_LONG; 404 RULE_UNKNOWN,
   * RULE_SET_UNKNOWN; 409 RULE_SET_UNREADABLE
   */
  async make(row: EventRow, event: StoredEvent, query: EventCaseQuery): Promise<EventCaseAnswer> {
    if (this.underWay >= AT_ONCE)
      throw new Refusal(429, 'BUSY', 'Other cases are being made: ask again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    this.underWay += 1;
    try {
      return await this.makeOne(row, event, query);
    } catch (error) {
      if (error instanceof NoCaseError)
        throw new Refusal(error.code === 'RULE_UNKNOWN' ? 404 : 409, error.code, `${error.message}.`);
      throw refusalOf(error);
    } finally {
      this.underWay -= 1;
    }
  }

  private async makeOne(
    row: EventRow,
    event: StoredEvent,
    { rule }: EventCaseQuery,
  ): Promise<EventCaseAnswer> {
    if (event.eventType === SCHEDULE_TYPE)
      throw new Refusal(
        409,
        'CASE_OF_A_TURN',
        'It is the turn of a schedule, about everything that was open then, and what that was is not kept: make a case of one of its events.',
      );
    const [about] = await this.recordedOf([event]);
    const live = about && liveOf(about);
    if (!live) throw new NoCaseError('EVENT_UNDECIDED', `the event ${event.id} was not evaluated`);
    const ruleSet = await this.stores.ruleSets.find(live.ruleSet);
    const history = await this.historyOf(row, about);
    const today = this.stores.catalogue.current;
    const run = runnerOf(ruleSet, about);
    const { document, failures, notes } = await caseFromEvent(history, ruleSet, { rule, today, run });
    const current = await this.current();
    const other = current && current.hash !== ruleSet.hash ? current : null;
    const again = other && (await runnerOf(other, about)(onlyCase(document)));
    return {
      eventId: event.eventId,
      document,
      ruleSet: ruleSet.hash,
      passed: failures.length === 0,
      failures,
      notes,
      today: other && again && { ruleSet: other.hash, passed: again.ok, failures: again.failures },
    };
  }

  /** The live rule set; null: there is none, or it cannot be read. */
  private async current(): Promise<RuleSet | null> {
    try {
      return await this.stores.ruleSets.current();
    } catch (error) {
      if (error instanceof RuleSetError) return null;
      throw error;
    }
  }

  private async historyOf({ rootEntity }: EventRow, about: RecordedEvent): Promise<EventHistory> {
    const { id } = about.event;
    if (rootEntity === null) return { about: id, events: [about], gone: 0 };
    const rows = await this.rows.list(
      { entity: rootEntity },
      { limit: MOST_EVENTS, after: null },
      { personal: true },
    );
    if (rows.length > MOST_EVENTS)
      throw new Refusal(
        409,
        'CASE_TOO_LONG',
        `There are more than ${MOST_EVENTS} events of ${rootEntity}: too many for one case.`,
      );
    const others = rows.filter((row) => row.id !== id && row.rootEntity === rootEntity);
    const told = others.filter(({ erased }) => !erased).map((row) => row.id);
    const found = await this.recordedOf(await this.stores.events.findMany(told));
    return { about: id, events: [about, ...found], gone: others.length - found.length };
  }

  private async recordedOf(events: readonly StoredEvent[]): Promise<RecordedEvent[]> {
    const ids = events.map(({ id }) => id);
    const evaluations = Map.groupBy(await this.stores.evaluations.findAllOf(ids), (one) => one.eventId);
    const deliveries = Map.groupBy(await this.stores.deliveries.findOfEvents(ids), (one) => one.eventId);
    return events.map((event) => ({
      event,
      evaluations: evaluations.get(event.id) ?? [],
      deliveries: deliveries.get(event.id) ?? [],
    }));
  }
}

/** Runs cases by the time zone and calendar that the event was decided with. */
function runnerOf(ruleSet: RuleSet, about: RecordedEvent) {
  const { timezone = 'UTC', calendar = null } = liveOf(about)?.inputs ?? {};
  const runner = new CaseRunner(ruleSet, { timezone, calendar });
  return runner.run.bind(runner);
}
