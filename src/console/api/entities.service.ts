import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { StateStore } from '../../rules/state-store.js';
import { NO_STATE } from '../../rules/state/root-state.js';
import type { DeliveryList } from '../read/delivery-list.js';
import type { EventList } from '../read/event-list.js';
import type { TimerList } from '../read/timer-list.js';
import type { UnsettledList } from '../read/unsettled-list.js';
import type { Entity } from './entities.schema.js';
import { StateView } from './state-view.js';
import { maskEntity, maskTimer, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import { timerOf } from './timers.service.js';
import { unsettledOf } from './unsettled.service.js';

/** Of timers, unsettled verdicts, events and deliveries, so many are told. */
const SHOWN = 50;
const SLICE = { limit: SHOWN, after: null };
const LONGEST = 300;

/** Root entities: what is known of an approval, and what is still to come of it. */
export class EntitiesService {
  constructor(
    private readonly states: StateStore,
    private readonly lists: {
      readonly events: EventList;
      readonly deliveries: DeliveryList;
      readonly timers: TimerList;
      readonly unsettled: UnsettledList;
    },
    private readonly parts: { readonly catalogue: LiveCatalogue; readonly clock: Clock },
  ) {}

  /** @throws Refusal 404 ENTITY_UNKNOWN when nothing is known of it, or the actor may not know whose it is */
  async find(actor: Actor, entity: string): Promise<Entity> {
    const { clock } = this.parts;
    const catalogue = this.parts.catalogue.current;
    const reads = readsPersonal(actor);
    const isAskable = entity.length <= LONGEST && !entity.includes('\0');
    if (!isAskable || (!reads && maskEntity(entity, catalogue) !== entity)) throw unknown(entity);
    const now = clock.now();
    const [stored, events, deliveries, timers, unsettled] = await Promise.all([
      this.states.find(entity),
      this.lists.events.list({ entity }, SLICE, { personal: true }),
      this.lists.deliveries.list({ entity }, SLICE),
      this.lists.timers.ofEntity(entity, SHOWN),
      this.lists.unsettled.list({ entity }, SLICE, now),
    ]);
    // By its bare id other entities would be found.
    const own = events.filter(({ rootEntity }) => rootEntity === entity);
    if (!stored && own.length + deliveries.length + timers.length + unsettled.length === 0)
      throw unknown(entity);
    const view = new StateView(entity, stored?.state ?? NO_STATE, catalogue, !reads);
    return {
      entity,
      status: view.status,
      endedAt: isoOf(stored?.endedAt ?? null),
      updatedAt: isoOf(stored?.updatedAt ?? null),
      nodes: view.nodes(now),
      tasks: view.tasks(),
      history: view.history(),
      timers: timers.map(timerOf).map((one) => (reads ? one : maskTimer(one, catalogue))),
      unsettled: unsettled.slice(0, SHOWN).map(unsettledOf),
      events: own.slice(0, SHOWN).map(({ id, eventId, eventType, createTime, receivedAt, state }) => ({
        id,
        eventId,
        eventType,
        createTime: isoOf(createTime),
        receivedAt: isoOf(receivedAt),
        state,
      })),
      deliveries: deliveries.slice(0, SHOWN).map(({ id, rule, action, state, createdAt, dueAt }) => ({
        id,
        rule,
        action,
        state,
        createdAt: isoOf(createdAt),
        dueAt: isoOf(dueAt),
      })),
      masked: !reads,
    };
  }
}

function unknown(entity: string): Refusal {
  return new Refusal(404, 'ENTITY_UNKNOWN', `Nothing is known of "${entity.slice(0, 100)}".`);
}
