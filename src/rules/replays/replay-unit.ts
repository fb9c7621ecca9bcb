import type { EntityManager } from 'typeorm';
import { admit, type AdmissionContext, withSuppressions } from '../admission.js';
import { type DecisionInputs, timeDefaults } from '../decide.js';
import type { BatchEvaluation } from '../decision-batch.js';
import type { EvaluationStore } from '../evaluation-store.js';
import type { Firing } from '../firing.js';
import { type GateStore, tellsSomebody } from '../gate-store.js';
import { replayed } from '../replay.js';
import type { RuleSet } from '../rule-set.js';
import { apart } from '../shadow.js';
import { countsOf, outcomesOf } from './outcome-counts.js';
import { type NotRecorded, RecordedEvents } from './recorded-events.js';
import type { DoneEvent } from './replay-store.js';

/** Events evaluated again, before the gates. */
export interface Evaluated {
  readonly firings: readonly Firing[];
  readonly evaluations: readonly BatchEvaluation[];
  /** By event: why it cannot be evaluated again. */
  readonly skipped: ReadonlyMap<string, NotRecorded>;
}

/** What has been written of some events. */
export interface Written {
  readonly done: readonly (Omit<DoneEvent, 'place'> & { readonly eventId: string })[];
  readonly tells: boolean;
}

/** Replays events: what today's rules ask for goes through the gates of now, and nothing else changes. */
export class ReplayUnits {
  constructor(
    private readonly recorded: RecordedEvents,
    private readonly stores: { readonly gates: GateStore; readonly evaluations: EvaluationStore },
  ) {}

  /** `ruleSet`: with `only` it may hold that rule alone. Writes nothing. */
  async evaluate(
    tx: EntityManager,
    ruleSet: RuleSet,
    eventIds: readonly string[],
    only: string | null,
    occasion: string,
  ): Promise<Evaluated> {
    const found = await this.recorded.read(tx, ruleSet, eventIds, only);
    const firings: Firing[] = [];
    const evaluations: BatchEvaluation[] = [];
    const skipped = new Map<string, NotRecorded>();
    for (const eventId of eventIds) {
      const recorded = found.get(eventId) ?? 'gone';
      if (typeof recorded === 'string') {
        skipped.set(eventId, recorded);
        continue;
      }
      const { subject, live, then } = recorded;
      const { verdicts, matches, inputs } = await replayed(ruleSet, subject, live.inputs, then, only);
      evaluations.push({ eventId, occasion, verdicts, inputs });
      // What a rule in shadow mode would send is recorded of live events, and is no matter here.
      for (const match of apart(matches).live) firings.push({ ...match, eventId, occasion });
    }
    return { firings, evaluations, skipped };
  }

  /** Takes it through the gates and writes what comes of it. The lanes of the events are locked. `now` in ms. */
  async write(
    tx: EntityManager,
    ruleSet: RuleSet,
    { firings, evaluations, skipped }: Evaluated,
    now: number,
  ): Promise<Written> {
    const { gates, evaluations: ledger } = this.stores;
    const admission = admit(
      firings,
      await gates.read(tx, firings, now),
      contextOf(ruleSet, evaluations, now),
    );
    const again = await gates.write(tx, admission, now);
    await ledger.record(tx, withSuppressions(ruleSet, evaluations, admission, again), now);
    return {
      tells: tellsSomebody(admission),
      done: doneOf(
        evaluations,
        skipped,
        outcomesOf(admission, again, () => null),
      ),
    };
  }
}

/** What is noted of the events of an order: what came of those that were evaluated, and why others were not. */
export function doneOf(
  evaluated: readonly Pick<BatchEvaluation, 'eventId' | 'verdicts'>[],
  skipped: ReadonlyMap<string, NotRecorded>,
  outcomes: ReturnType<typeof outcomesOf>,
): Written['done'] {
  const byEvent = Map.groupBy(outcomes, ({ eventId }) => eventId);
  return [
    ...evaluated.map(({ eventId, verdicts }) => ({
      eventId,
      state: 'done' as const,
      code: null,
      reason: null,
      counts: countsOf(byEvent.get(eventId) ?? [], verdicts),
    })),
    ...[...skipped].map(([eventId, why]) => ({
      eventId,
      state: 'skipped' as const,
      code: codeOf(why),
      reason: null,
      counts: null,
    })),
  ];
}

/** By the time zone and calendar that the events were decided with. */
export function contextOf(
  { calendars }: Pick<RuleSet, 'calendars'>,
  evaluations: readonly { readonly inputs: DecisionInputs }[],
  now: number,
): AdmissionContext {
  const [first] = evaluations;
  const defaults = first ? timeDefaults(first.inputs) : { timezone: 'UTC', calendar: null };
  return { now, ...defaults, calendars };
}

const CODES: Readonly<Record<NotRecorded, string>> = {
  gone: 'EVENT_UNKNOWN',
  unreadable: 'EVENT_NOT_READ',
  erased: 'EVENT_ERASED',
  undecided: 'EVENT_UNDECIDED',
  turn: 'REPLAY_OF_A_TURN',
};

/** The stable code of why an event was not evaluated again. */
export function codeOf(why: NotRecorded): string {
  return CODES[why];
}
