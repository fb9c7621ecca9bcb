import { createHash } from 'node:crypto';
import { laneOf } from '../../queue/lanes.js';
import { subjectOf } from '../subject.js';
import type { VirtualEvent } from '../cases/virtual-room.js';
import { PackedStates, RoundStates } from '../cases/virtual-states.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { RuleSet } from '../rule-set.js';
import type { BacktestReport, BacktestUnrecorded } from './backtest-report.js';
import { BacktestSide } from './backtest-side.js';
import { BacktestTally } from './backtest-tally.js';
import { DeliveryDiff, type Difference, SIDES, type SideName } from './delivery-diff.js';
import { roomId, storedIdOf } from './event-ids.js';
import { AnswerRecords } from './recorded-answers.js';
import type { RecordedEvent } from './recorded-event.js';

export interface BacktestOptions {
  /** What is compared against, mostly the live one. */
  readonly before: RuleSet;
  readonly after: RuleSet;
  /** IANA name, and name of the work calendar: of rules that name none. */
  readonly timezone: string;
  readonly calendar: string | null;
  /** What is decided from here on counts (ms since 1970); what comes before is taken in only. */
  readonly from: number;
  /** The clock runs on to here, so that timers have their time; ms since 1970. */
  readonly until: number;
  /** Where the warm-up begins, ms since 1970. */
  readonly warmUpFrom: number;
  /** So many examples of each rule and change; absent: 3. */
  readonly examples?: number;
  /** Is told of every delivery, also of those that are the same. */
  readonly found?: (difference: Difference) => void;
}

const EXAMPLES = 3;
/** After the last event the clock goes on by so much at a time. */
const STRIDE_MS = 6 * 3_600_000;

/**
 * Two rule sets over the same stored events, on a virtual clock and without any effect. Events are taken in the order of
 * their decisions.
 */
export class Backtest {
  private readonly sides: Readonly<Record<SideName, BacktestSide>>;
  private readonly answers = new AnswerRecords();
  private readonly tally: BacktestTally;
  private readonly diff: DeliveryDiff;
  private readonly events = { judged: 0, warmUp: 0, left: 0, undated: 0 };
  private now: number;
  private begun = false;

  constructor(private readonly options: BacktestOptions) {
    const { before, after, timezone, calendar, from, warmUpFrom, examples = EXAMPLES, found } = options;
    const { answers } = this;
    const shared = { answers, timezone, calendar, from };
    const states = new PackedStates();
    // What the state is depends on the catalogue alone.
    const isSame = JSON.stringify(before.catalogue.entries) === JSON.stringify(after.catalogue.entries);
    const others = isSame ? states : new PackedStates();
    this.sides = {
      before: new BacktestSide({
        ...shared,
        ruleSet: before,
        against: null,
        states: new RoundStates(states),
      }),
      after: new BacktestSide({
        ...shared,
        ruleSet: after,
        against: before,
        states: new RoundStates(others),
      }),
    };
    this.tally = new BacktestTally(this.sides, examples);
    this.diff = new DeliveryDiff(this.sides, from, (difference) => {
      this.tally.add(difference);
      found?.(difference);
    });
    this.now = warmUpFrom;
  }

  /** Takes events in; those of one time of decision must come together. */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    this.begin();
    for (let at = 0; at < events.length;) {
      const time = Math.max(this.now, decidedAt(events[at] as RecordedEvent));
      const group: RecordedEvent[] = [];
      for (; at < events.length; at += 1) {
        const one = events[at] as RecordedEvent;
        if (Math.max(this.now, decidedAt(one)) !== time) break;
        group.push(one);
      }
      if (time > this.options.until) return;
      await this.takeGroup(time, group);
    }
  }

  /** Lets time pass until the end of the window, and says what differs. */
  async finish(): Promise<BacktestReport> {
    this.begin();
    const { until } = this.options;
    while (this.now < until) {
      const next = Math.min(until, this.now + STRIDE_MS);
      await this.pass(next);
      this.now = next;
    }
    for (const name of SIDES) this.diff.add(name, this.sides[name].takeWaiting());
    this.diff.endRound();
    this.diff.end();
    return await this.report();
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    for (const name of SIDES) this.sides[name].room.begin(this.now);
  }

  private async takeGroup(now: number, group: readonly RecordedEvent[]): Promise<void> {
    const read = group.flatMap((one) => this.read(one));
    if (now > this.now) await this.pass(now);
    this.now = now;
    if (read.length === 0) return;
    this.answers.begin(
      new Map(
        read.map(({ id, recorded: { lookups = {}, steps = [] } }) => [id, { lookups, steps }] as const),
      ),
    );
    const counted = now >= this.options.from;
    this.events[counted ? 'judged' : 'warmUp'] += read.length;
    if (counted) this.events.undated += group.filter((one) => one.decidedAt === null).length;
    await this.round(async (side) => {
      const { catalogue } = side.ruleSet;
      await side.receive(now, read.map((one) => virtualEvent(one, catalogue)).sort(inLanes));
    });
  }

  private read(recorded: RecordedEvent): ReadRecorded | [] {
    const { event } = recorded;
    // The turns of schedules come of the rules themselves.
    if (event.source === 'schedule') return [];
    try {
      if (event.erasedAt === null)
        return { id: roomId(event.receivedAt.getTime(), event.id), recorded, subject: subjectOf(event) };
    } catch {
      // Its bytes are no event, or not any more: it is counted as left.
    }
    this.events.left += 1;
    return [];
  }

  private async pass(until: number): Promise<void> {
    const from = this.now;
    await this.round((side) => side.pass(from, until));
  }

  private async round(work: (side: BacktestSide) => Promise<void>): Promise<void> {
    for (const name of SIDES) await work(this.sides[name]);
    for (const name of SIDES) this.diff.add(name, this.sides[name].take());
    this.diff.endRound();
    for (const name of SIDES) this.sides[name].forget();
  }

  private async report(): Promise<BacktestReport> {
    const { from, until, warmUpFrom } = this.options;
    const { before, after } = this.sides;
    const iso = (at: number): string => new Date(at).toISOString();
    const report = {
      before: before.report,
      after: after.report,
      window: { from: iso(from), until: iso(until), warmUpFrom: iso(warmUpFrom) },
      events: { ...this.events },
      totals: { ...this.tally.totals },
      rules: await this.tally.byRule(),
      targets: this.tally.byTarget,
      unrecorded: SIDES.flatMap((set) => unrecordedOf(set, this.sides[set])),
    };
    return { ...report, hash: hashOf(report) };
  }
}

interface ReadRecorded {
  readonly id: string;
  readonly recorded: RecordedEvent;
  readonly subject: VirtualEvent['subject'];
}

function decidedAt({ decidedAt: at, event }: RecordedEvent): number {
  return at ?? event.receivedAt.getTime();
}

function virtualEvent({ id, recorded, subject }: ReadRecorded, catalogue: Catalogue): VirtualEvent {
  const { rootEntity: entity, createTime, receivedAt, eventType, eventId } = recorded.event;
  const orderTime = (createTime ?? receivedAt).getTime();
  const statusRank = catalogue.statusRankOf(eventType, subject.facts);
  const { cause } = recorded;
  return {
    id,
    entity,
    subject,
    order: { orderTime, statusRank, eventId },
    ...(cause === undefined ? {} : { cause }),
  };
}

/** As the service takes up what waits: lane by lane, each in its order. */
function inLanes(a: VirtualEvent, b: VirtualEvent): number {
  return (
    laneOf(a.subject.entity) - laneOf(b.subject.entity) ||
    a.order.orderTime - b.order.orderTime ||
    a.order.statusRank - b.order.statusRank ||
    (a.order.eventId < b.order.eventId ? -1 : a.order.eventId > b.order.eventId ? 1 : 0)
  );
}

function unrecordedOf(set: SideName, { unrecorded }: BacktestSide): BacktestUnrecorded[] {
  return [...unrecorded]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([lookup, { count, events }]) => ({ set, lookup, count, events: events.map(storedIdOf) }));
}

/** Stored ids are those of one database: the same events have others elsewhere. */
function hashOf(report: Omit<BacktestReport, 'hash'>): string {
  const text = JSON.stringify(report, (key, value: unknown) => {
    if (key === 'event' && typeof value === 'object' && value !== null) return { ...value, id: '' };
    return key === 'unrecorded' && Array.isArray(value)
      ? value.map((one: object) => ({ ...one, events: [] }))
      : value;
  });
  return createHash('sha256').update(text).digest('hex');
}

export { warmUpOf } from './warm-up.js';
