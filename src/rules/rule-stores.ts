import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { replaceTargetLimits } from '../action/target-limits.js';
import type { Clock } from '../config/clock.js';
import type { RateBudget } from '../config/config.js';
import type { Catalogue } from '../events/catalogue.js';
import type { LiveCatalogue } from '../events/live-catalogue.js';
import { BrakeStore } from './brake-store.js';
import { DigestStore } from './digest-store.js';
import { EvaluationStore } from './evaluation-store.js';
import { GateStore } from './gate-store.js';
import { LookupStore } from './lookup-store.js';
import { ReconciledEvents } from './radar/reconciled-events.js';
import { RuleSetStore } from './rule-set-store.js';
import { ScheduleStore } from './schedule-store.js';
import type { ShadowWatch } from './shadow-gates.js';
import { noteShadowRules } from './shadow-store.js';
import { SilenceStore } from './silence-store.js';
import { StateStore } from './state-store.js';
import { TimerStore } from './timer-store.js';
import { UnsettledStore } from './unsettled-store.js';

/** The stores of the rules room, put together once: a rule set that becomes live takes timers and schedules along. */
export class RuleStores {
  readonly ruleSets: RuleSetStore;
  readonly evaluations: EvaluationStore;
  readonly lookups: LookupStore;
  readonly states: StateStore;
  readonly timers = new TimerStore();
  readonly schedules: ScheduleStore;
  readonly unsettled = new UnsettledStore();
  readonly silences: SilenceStore;
  readonly digests = new DigestStore();
  readonly brakes: BrakeStore;
  readonly gates: GateStore;
  readonly reconciled = new ReconciledEvents();

  constructor(
    dataSource: DataSource,
    {
      builtIn,
      live,
      clock,
      deliveries,
      timezone,
      stormBrake = null,
      shadows,
    }: {
      /** The product's own event types. */
      readonly builtIn: Catalogue;
      readonly live: LiveCatalogue;
      readonly clock: Clock;
      readonly deliveries: DeliveryStore;
      /** Of rules that name none. */
      readonly timezone: string;
      /** Of all rules together; null or absent: off. */
      readonly stormBrake?: RateBudget | null;
      /** Absent: nobody is told what became of rules in shadow mode. */
      readonly shadows?: ShadowWatch;
    },
  ) {
    this.evaluations = new EvaluationStore(dataSource);
    this.lookups = new LookupStore(dataSource);
    this.states = new StateStore(dataSource);
    this.schedules = new ScheduleStore(dataSource);
    this.silences = new SilenceStore(dataSource, live);
    this.brakes = new BrakeStore(dataSource, stormBrake);
    const { digests, silences, brakes } = this;
    this.gates = new GateStore({ deliveries, digests, silences, brakes }, shadows);
    this.ruleSets = new RuleSetStore(dataSource, builtIn, live, clock, async (tx, ruleSet, now) => {
      await this.schedules.adopt(tx, ruleSet, { timezone }, now);
      await replaceTargetLimits(tx, ruleSet.targetLimits);
      await noteShadowRules(tx, ruleSet);
      return { cancelledTimers: await this.timers.adopt(tx, ruleSet, now) };
    });
  }
}

/** The stores as an object that can be spread among others. */
export function storesOf(stores: RuleStores): Pick<RuleStores, keyof RuleStores> {
  const { ruleSets, evaluations, lookups, states, timers, schedules, unsettled } = stores;
  const { silences, digests, brakes, gates, reconciled } = stores;
  return {
    ruleSets,
    evaluations,
    lookups,
    states,
    timers,
    schedules,
    unsettled,
    silences,
    digests,
    brakes,
    gates,
    reconciled,
  };
}
