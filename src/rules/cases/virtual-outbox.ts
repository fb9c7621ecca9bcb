import type { NewDelivery } from '../../action/delivery-store.js';

/** A delivery in memory. */
export interface VirtualDelivery {
  readonly delivery: NewDelivery;
  /** Of an escalation; null: the rule's own action. */
  readonly step: string | null;
  /** Id of the event that it is of; null: it gathers what came of several. */
  readonly eventId: string | null;
  /** Ids of the events whose items it gathers; null: it is of one alone. */
  readonly gathered: readonly string[] | null;
  /** When it was decided, ms since 1970. */
  readonly decidedAt: number;
  /** When it goes out, ms; of one that is held or dead, when that was decided. Null: it waits. */
  readonly at: number | null;
}

interface Waiting extends VirtualDelivery {
  at: number | null;
  /** Until quiet hours are over; false: for its turn alone. */
  deferred: boolean;
}

/**
 * Deliveries in memory: what goes out at once, what waits for the end of quiet hours or for its turn, and what a brake
 * holds. Whatever goes out arrives at once: no target fails.
 */
export class VirtualOutbox {
  /** By order key, those that have not gone out, in the order of their decisions. */
  private readonly queues = new Map<string, Waiting[]>();
  private readonly waits = new Set<Waiting>();

  /** `made` is told of every delivery when it is decided, `out` of everything that goes out, or is held. */
  constructor(
    private readonly made: (delivery: VirtualDelivery) => void,
    private readonly out: (delivery: VirtualDelivery) => void = () => undefined,
  ) {}

  /** What has not gone out, in the order of the decisions. */
  get waiting(): Iterable<VirtualDelivery> {
    return this.waits;
  }

  /** `until`: deferred by quiet hours until then (ms); null: not. Answers it when somebody has to `release` it then. */
  accept(
    delivery: NewDelivery,
    of: Pick<VirtualDelivery, 'step' | 'eventId' | 'gathered'>,
    now: number,
    until: number | null,
  ): VirtualDelivery | null {
    const deferred = until !== null;
    const { step, eventId, gathered } = of;
    const made: Waiting = { delivery, step, eventId, gathered, decidedAt: now, at: null, deferred };
    if (delivery.state === 'dead') made.at = now;
    this.made(made);
    if (delivery.state === 'dead') return null;
    const key = delivery.orderKey ?? null;
    const queue = key === null ? null : this.queueOf(key);
    const isFirst = queue === null || queue.length === 0;
    queue?.push(made);
    if (delivery.state === 'held') {
      // What comes behind it waits for a person.
      made.at = now;
      this.out(made);
    } else if (deferred || !isFirst) {
      this.waits.add(made);
      return deferred ? made : null;
    } else this.send(made, now);
    return null;
  }

  /** Quiet hours are over for a delivery. */
  release(delivery: VirtualDelivery, now: number): void {
    const waiting = delivery as Waiting;
    waiting.deferred = false;
    const queue = this.queues.get(delivery.delivery.orderKey ?? '');
    if (!queue || queue[0] === waiting) this.send(waiting, now);
  }

  private send(waiting: Waiting, now: number): void {
    waiting.at = now;
    this.waits.delete(waiting);
    this.out(waiting);
    const key = waiting.delivery.orderKey ?? null;
    if (key === null) return;
    const queue = this.queueOf(key);
    queue.shift();
    const [next] = queue;
    if (!next) this.queues.delete(key);
    else if (!next.deferred && next.delivery.state === 'pending') this.send(next, now);
  }

  private queueOf(key: string): Waiting[] {
    let queue = this.queues.get(key);
    if (!queue) this.queues.set(key, (queue = []));
    return queue;
  }
}
