import { createHash } from 'node:crypto';
import { readableRequest, shownRequest } from '../../action/readable-request.js';
import type { VirtualDelivery } from '../cases/virtual-outbox.js';
import type { SuppressionCause } from '../firing.js';
import type { BacktestChange } from './backtest-report.js';
import type { BacktestSide, RoundInputs } from './backtest-side.js';

export const SIDES = ['before', 'after'] as const;
export type SideName = (typeof SIDES)[number];

/** A delivery of one of the two sets, or of both. Of an example, with all that is needed to show it. */
export interface Difference {
  readonly change: BacktestChange;
  /** Rule, action, entity and cause, with U+0000 between. */
  readonly key: string;
  readonly rule: string;
  readonly target: string;
  /** When it goes out, ms; null: it waits, or it is not there. */
  readonly at: Readonly<Record<SideName, number | null>>;
  /** Null: it is no example, or there is none on this side. */
  readonly before: VirtualDelivery | null;
  readonly after: VirtualDelivery | null;
  /** Null: it is no example. */
  readonly about: About | null;
}

/** What is known of the event of a delivery. */
export interface About {
  readonly eventId: string;
  readonly before: RoundInputs;
  readonly after: RoundInputs;
  readonly causes: Readonly<Record<SideName, SuppressionCause | null>>;
}

/** What has gone out on one side only, so far. */
interface Single {
  readonly side: SideName;
  readonly rule: string;
  readonly action: string;
  readonly step: string | null;
  readonly entity: string;
  readonly target: string;
  readonly eventId: string | null;
  readonly gathered: readonly string[] | null;
  readonly decidedAt: number;
  readonly at: number | null;
  /** Null: it is told by `print` alone what it was, for want of room. */
  readonly delivery: VirtualDelivery | null;
  readonly print: string | null;
  readonly about: About | null;
}

/** So many of a rule and side are kept whole, for the examples. */
const MOST_WHOLE = 12;

type Sides = Readonly<Record<SideName, BacktestSide>>;

/**
 * Finds for each delivery of one set the same one of the other, by what makes its action key: rule, action, entity, cause.
 * `from`: what was decided earlier (ms) on both sides does not count.
 */
export class DeliveryDiff {
  private readonly singles = new Map<string, Single>();
  /** Of this round. */
  private fresh: string[] = [];
  /** By rule and side, how many singles are kept whole. */
  private readonly whole = new Map<string, number>();

  constructor(
    private readonly sides: Sides,
    private readonly from: number,
    private readonly found: (difference: Difference) => void,
  ) {}

  add(side: SideName, deliveries: readonly VirtualDelivery[]): void {
    for (const one of deliveries) {
      const key = keyOf(one);
      const other = this.singles.get(key);
      if (!other || other.side === side) {
        this.singles.set(key, this.single(side, one));
        this.fresh.push(key);
        continue;
      }
      this.singles.delete(key);
      if (other.delivery && this.isOld(other)) this.release(other);
      this.pair(side, one, other);
    }
  }

  /** The round is over: of what was not found on the other side only the first few are kept whole. */
  endRound(): void {
    for (const key of this.fresh) {
      const single = this.singles.get(key);
      if (single?.delivery) this.singles.set(key, this.settled(single));
    }
    this.fresh = [];
  }

  /** What is left is on one side only. */
  end(): void {
    for (const [key, single] of this.singles) {
      if (single.decidedAt < this.from) continue;
      const { side, rule, step, eventId, target, delivery, about } = single;
      const at = { before: null, after: null, [side]: single.at };
      const isOpen = this.isUndecidable(single, rule) || this.sides[side].isUnconfirmed(eventId, rule, step);
      const change = isOpen ? 'undecidable' : side === 'after' ? 'added' : 'removed';
      const before = side === 'before' ? delivery : null;
      const after = side === 'after' ? delivery : null;
      this.found({ change, key, rule, target, at, before, after, about });
    }
    this.singles.clear();
  }

  private pair(side: SideName, one: VirtualDelivery, other: Single): void {
    if (Math.max(one.decidedAt, other.decidedAt) < this.from) return;
    const isSame = other.delivery
      ? contentOf(one) === contentOf(other.delivery)
      : printOf(one) === other.print;
    const moved = one.at !== other.at;
    let change: BacktestChange = isSame ? (moved ? 'moved' : 'same') : 'changed';
    if (this.isOpen([one, other], other.rule, change === 'same')) change = 'undecidable';
    const own = side === 'after';
    const about = change === 'same' ? null : (other.about ?? this.aboutOf(other));
    this.found({
      change,
      key: keyOf(one),
      rule: other.rule,
      target: own ? one.delivery.target : other.target,
      at: own ? { before: other.at, after: one.at } : { before: one.at, after: other.at },
      before: own ? other.delivery : one,
      after: own ? one : other.delivery,
      about,
    });
  }

  private single(side: SideName, delivery: VirtualDelivery): Single {
    const { rule, action, entity, target } = delivery.delivery;
    const { step, eventId, gathered, decidedAt, at } = delivery;
    const about = { side, rule, action, step, entity, target, eventId, gathered, decidedAt, at };
    return { ...about, delivery, print: null, about: null };
  }

  private settled(single: Single): Single {
    const key = wholeKey(single);
    const whole = this.whole.get(key) ?? 0;
    if (single.delivery && (whole >= MOST_WHOLE || single.decidedAt < this.from))
      return { ...single, delivery: null, print: this.isAlone(single) ? '' : printOf(single.delivery) };
    this.whole.set(key, whole + 1);
    return { ...single, about: this.aboutOf(single) };
  }

  /** The other set sends nothing: nobody will ask what it was. */
  private isAlone({ side }: Single): boolean {
    return SIDES.every((other) => other === side || this.sides[other].isEmpty);
  }

  private isOld(single: Single): boolean {
    return single.about !== null;
  }

  private release(single: Single): void {
    const key = wholeKey(single);
    this.whole.set(key, (this.whole.get(key) ?? 1) - 1);
  }

  private aboutOf({ eventId, entity, rule, action }: Single): About | null {
    if (eventId === null) return null;
    const { before, after } = this.sides;
    return {
      eventId,
      before: before.readOf(eventId, entity),
      after: after.readOf(eventId, entity),
      causes: {
        before: before.causeOf(eventId, rule, action),
        after: after.causeOf(eventId, rule, action),
      },
    };
  }

  /** Whether it cannot be told what differs. What neither set could tell of the same message is the same for both. */
  private isOpen(both: readonly [VirtualDelivery, Single], rule: string, isSame: boolean): boolean {
    const [{ eventId, step }] = both;
    const [one, other] = SIDES.map((side) => this.sides[side].isUnconfirmed(eventId, rule, step));
    if (isSame || one || other) return !isSame || one !== other;
    return both.some((of) => this.isUndecidable(of, rule));
  }

  private isUndecidable(
    { eventId, gathered }: Pick<VirtualDelivery, 'eventId' | 'gathered'>,
    rule: string,
  ): boolean {
    const ids = gathered ?? [eventId];
    return SIDES.some((side) => ids.some((id) => this.sides[side].isUndecidable(id, rule)));
  }
}

/** As people see it: where a secret will stand, its name does. */
export function requestOf({ delivery }: VirtualDelivery): unknown {
  return readableRequest(shownRequest(delivery.request));
}

export function stateOf({ delivery, at }: VirtualDelivery): 'sent' | 'held' | 'dead' | 'waiting' {
  if (delivery.state !== 'pending') return delivery.state;
  return at === null ? 'waiting' : 'sent';
}

function keyOf({ delivery: { rule, action, entity, cause } }: VirtualDelivery): string {
  return `${rule}\u0000${action}\u0000${entity}\u0000${cause}`;
}

/** Where it is sent, and what. */
function contentOf(one: VirtualDelivery): string {
  const { target, code, request } = one.delivery;
  return JSON.stringify([target, stateOf(one), code, request]);
}

function printOf(one: VirtualDelivery): string {
  return createHash('sha256').update(contentOf(one)).digest('base64').slice(0, 24);
}

function wholeKey({ rule, side }: Single): string {
  return `${side} ${rule}`;
}
