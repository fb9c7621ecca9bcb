import type { NewDelivery } from '../../src/action/delivery-store.js';
import type { StoredEvent } from '../../src/events/event-store.js';
import { admit } from '../../src/rules/admission.js';
import type { Subject } from '../../src/rules/decide.js';
import { DecisionBatch } from '../../src/rules/decision-batch.js';
import { decideDue, type HolderEvent } from '../../src/rules/due-step.js';
import type { Firing } from '../../src/rules/firing.js';
import { LadderBook } from '../../src/rules/ladder-book.js';
import type { OrderKey } from '../../src/rules/lookup-store.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { placeOf } from '../../src/rules/state/observe.js';
import type { RootState } from '../../src/rules/state/root-state.js';
import { stateOf } from '../../src/rules/state-store.js';
import type { DueLadder } from '../../src/rules/timer-store.js';

/** An event as it arrives in the virtual room. */
export interface VirtualEvent {
  readonly id: string;
  readonly entity: string;
  readonly subject: Subject;
  readonly order: OrderKey;
}

/** A delivery and when it was decided. */
export interface VirtualDelivery {
  readonly at: number;
  readonly delivery: NewDelivery;
}

type Row = Omit<DueLadder, 'state'> & { state: 'armed' | 'asking' | 'fetching' | 'finished' | 'cancelled' };

/** The pure core on a virtual clock, in memory: what the workers do around it on the database, without one. */
export class VirtualRoom {
  readonly deliveries: VirtualDelivery[] = [];
  private readonly states = new Map<string, RootState>();
  private readonly standing = new Map<string, Row[]>();
  private readonly holders = new Map<string, HolderEvent>();
  private readonly sent = new Set<string>();
  private readonly due = new DueQueue<Row>();

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly defaults: { readonly timezone: string; readonly calendar?: string },
  ) {}

  /** Events that arrive at one time, in the order of their entities. */
  async receive(now: number, events: readonly VirtualEvent[]): Promise<void> {
    const entities = [...new Set(events.map(({ entity }) => entity))];
    const book = new LadderBook(
      entities.flatMap((entity) =>
        this.rowsOf(entity).flatMap(({ state, ...row }) => (state === 'cancelled' ? [] : { ...row, state })),
      ),
    );
    const batch = new DecisionBatch(
      this.ruleSet,
      { now, ...this.defaults },
      { states: this.states, book, unsettled: [], recall: () => Promise.resolve(new Map()) },
    );
    for (const { id, entity, subject, order } of events) {
      const event = { id, eventType: subject.eventType, rootEntity: entity } as StoredEvent;
      const place = placeOf(this.ruleSet.catalogue, subject.eventType, subject.facts);
      const observed = batch.observe(event, subject, place, order);
      if (observed.observed)
        this.holders.set(id, { id, subject, place: observed.observed.place, at: order, receivedAt: now });
      await batch.decide(event, order, observed, observed.inputs);
    }
    for (const made of book.inserts) {
      if (made.code !== null) continue;
      const row: Row = { ...made, answers: null };
      this.rowsOf(row.entity).push(row);
      this.due.add(row.dueAt, row);
    }
    for (const { id, holders, code } of book.updates) {
      for (const entity of entities) {
        const rows = this.rowsOf(entity);
        const at = rows.findIndex((row) => row.id === id);
        const row = rows[at];
        if (!row) continue;
        if (code === null) Object.assign(row, { holders });
        else {
          row.state = 'cancelled';
          rows.splice(at, 1);
        }
      }
    }
    this.send(now, batch.firings);
  }

  /** Sends everything that is due until a time, each at its due time or now, whichever is later. */
  async advance(from: number, until: number): Promise<void> {
    for (;;) {
      const next = this.due.take(until);
      if (!next) return;
      const row = next.item;
      if (row.state !== 'armed' || row.dueAt !== next.at) continue;
      const now = Math.max(from, next.at);
      const decision = await decideDue(
        this.ruleSet,
        {
          ladder: { ...row, state: row.state },
          state: stateOf(this.states, row.entity),
          holders: Object.values(row.holders).flatMap((id) => this.holders.get(id) ?? []),
        },
        { now, ...this.defaults },
      );
      const { outcome, match } = decision;
      Object.assign(row, outcome);
      if (outcome.state === 'armed') this.due.add(outcome.dueAt, row);
      if (outcome.state === 'cancelled') {
        const rows = this.rowsOf(row.entity);
        rows.splice(rows.indexOf(row), 1);
      }
      if (match) this.send(now, [{ ...match, eventId: row.eventId, occasion: 'step' }]);
    }
  }

  private send(now: number, firings: readonly Firing[]): void {
    const { calendars } = this.ruleSet;
    const brakes = { budgets: new Map<string, number>(), storm: null };
    const gates = { sent: this.sent, once: new Set<string>(), silences: [], throttles: new Map(), brakes };
    const context = { now, calendars, timezone: this.defaults.timezone, calendar: null };
    for (const { delivery } of admit(firings, gates, context).deliveries)
      this.deliveries.push({ at: now, delivery });
  }

  private rowsOf(entity: string): Row[] {
    let rows = this.standing.get(entity);
    if (!rows) this.standing.set(entity, (rows = []));
    return rows;
  }
}

/** A binary heap by time; of equal times in the order of adding. */
class DueQueue<Item> {
  private readonly heap: { readonly at: number; readonly seq: number; readonly item: Item }[] = [];
  private seq = 0;

  add(at: number, item: Item): void {
    const { heap } = this;
    heap.push({ at, seq: (this.seq += 1), item });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  take(until: number): { readonly at: number; readonly item: Item } | null {
    const { heap } = this;
    const [first] = heap;
    if (!first || first.at > until) return null;
    const last = heap.pop();
    if (heap.length > 0 && last) {
      heap[0] = last;
      for (let parent = 0; ;) {
        let least = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2])
          if (child < heap.length && this.isBefore(child, least)) least = child;
        if (least === parent) break;
        this.swap(parent, least);
        parent = least;
      }
    }
    return first;
  }

  private isBefore(a: number, b: number): boolean {
    const [one, other] = [this.heap[a], this.heap[b]];
    return one !== undefined && other !== undefined && (one.at - other.at || one.seq - other.seq) < 0;
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const [one, other] = [heap[a], heap[b]];
    if (!one || !other) return;
    heap[a] = other;
    heap[b] = one;
  }
}
