import type { DataSource } from 'typeorm';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { LIVE } from '../../rules/decision-batch.js';
import type { Evaluation, EvaluationStore } from '../../rules/evaluation-store.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { EventSource } from '../../rules/trial/run-order.js';
import type { TriedEvent, WantedEvents } from '../../rules/trial/tried-event.js';
import type { EventList } from '../read/event-list.js';
import { typeTerms } from '../read/event-search.js';
import { idRange } from '../read/id-range.js';
import { newestFirst } from '../read/newest-first.js';

/** So many events are read at once. */
const AT_ONCE = 20;
/** Of the bodies of all events together. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Of a root entity with more events, the state is taken as far as it was recorded. */
const MOST_OTHERS = 200;

/** Stored events with what their live evaluations recorded, for whoever judges them once more. */
export class TrialEvents {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: EventList,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly catalogue: LiveCatalogue;
    },
  ) {}

  /** Ids of the last decided events of some types, the latest first. Patterns as in a trigger. */
  async latest(trigger: readonly string[], limit: number): Promise<string[]> {
    if (trigger.length === 0) return [];
    const all = trigger.includes('*');
    const types = all ? [] : trigger.flatMap((one) => typeTerms(one, this.stores.catalogue.current));
    if (!all && types.length === 0) return [];
    return await newestFirst(this.dataSource, {
      table: 'event_search',
      id: 'id',
      indexed: all ? [] : ['s.terms && $1::text[]'],
      // Terms say it a moment later than the keys.
      rest: [`(select k.state from event_keys k where k.id = s.id) = 'decided'`],
      parameters: all ? [] : [types],
      range: idRange({}, { after: null }),
      limit,
    });
  }

  /**
   * These events, a few at a time, until all or 64 MiB are read. `live`: the live rule set, by which it is told what of the
   * state was recorded.
   */
  async *read(ids: readonly string[], live: RuleSet, { stateReads }: WantedEvents): ReturnType<EventSource> {
    let bytes = 0;
    for (let at = 0; at < ids.length && bytes < MOST_BYTES; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const events = new Map((await this.stores.events.findMany(some)).map((event) => [event.id, event]));
      const evaluations = new Map(
        (await this.stores.evaluations.findMany(this.dataSource.manager, some, [LIVE])).map((one) => [
          one.eventId,
          one,
        ]),
      );
      const tried: TriedEvent[] = [];
      for (const id of some) {
        const [event, evaluation] = [events.get(id), evaluations.get(id)];
        // A turn is about what was open then, and that is not kept.
        if (!event || event.erasedAt !== null || !evaluation || evaluation.inputs.turn) continue;
        const others = lacksState(event, evaluation, live, stateReads) ? await this.othersOf(event) : null;
        for (const one of [event, ...(others ?? []).map((other) => other.event)])
          bytes += one.raw.length + (one.content?.length ?? 0);
        tried.push({ event, inputs: evaluation.inputs, others });
      }
      yield { events: tried, left: some.length - tried.length };
    }
  }

  /** The other events of the same root entity, with when they were decided; null: there are too many. */
  private async othersOf({ id, rootEntity }: StoredEvent): Promise<TriedEvent['others']> {
    if (rootEntity === null) return null;
    const slice = { limit: MOST_OTHERS, after: null };
    const rows = await this.rows.list({ entity: rootEntity }, slice, { personal: true });
    if (rows.length > MOST_OTHERS) return null;
    const ids = rows
      .filter((row) => row.rootEntity === rootEntity && row.id !== id && !row.erased)
      .map((row) => row.id);
    const decided = await this.stores.evaluations.findMany(this.dataSource.manager, ids, [LIVE]);
    const at = new Map(decided.map((one) => [one.eventId, one.inputs.now]));
    const events = await this.stores.events.findMany([...at.keys()]);
    return events.map((event) => ({ event, decidedAt: at.get(event.id) ?? 0 }));
  }
}

/** Whether a fact of the state may have been known then, and is not recorded because nobody read it. */
function lacksState(
  { rootEntity }: StoredEvent,
  { ruleSet, inputs: { state = {} } }: Evaluation,
  live: RuleSet,
  reads: readonly string[],
): boolean {
  if (rootEntity === null) return false;
  return reads.some(
    (name) => !Object.hasOwn(state, name) && !(ruleSet === live.hash && live.stateReads.has(name)),
  );
}
