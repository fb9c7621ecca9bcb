import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { HistoryAnswer } from '../../rules/trial/rule-history.js';
import { runOrder } from '../../rules/trial/run-order.js';
import { type DayOfDeliveries, DeliveryDays } from '../read/delivery-days.js';
import { liveRule } from './live-rule.js';
import { maskLeaf, readsPersonal } from './personal.js';
import type { HistoryQuery, RuleHistory } from './rule-pages.schema.js';
import { refusalOf } from './rule-set-refusal.js';
import { SharedAnswers } from './shared-answers.js';
import { storedRuleFiles } from '../../rules/trial/read-rule-files.js';
import type { TrialEvents } from './trial-events.js';
import type { TrialTurns } from './trial-turns.js';

const KEPT_MS = 15_000;

interface Found {
  readonly history: HistoryAnswer;
  readonly days: readonly DayOfDeliveries[];
  readonly since: string;
}

/** How live rules stand to the last events that they listen to. */
export class RuleHistoryService {
  private readonly recent = new SharedAnswers<Found>(KEPT_MS);
  private readonly days: DeliveryDays;

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: TrialEvents,
    private readonly turns: TrialTurns,
    private readonly stores: {
      readonly ruleSets: RuleSetStore;
      readonly builtIn: Catalogue;
      readonly catalogue: LiveCatalogue;
      readonly clock: Clock;
    },
  ) {
    this.days = new DeliveryDays(dataSource, stores.clock);
  }

  /** @throws Refusal 404 RULE_SET_UNKNOWN, RULE_UNKNOWN; 429 BUSY; 409 TRIAL_TOO_LONG, TRIAL_TOO_LARGE */
  async tell(actor: Actor, name: string, { events }: HistoryQuery): Promise<RuleHistory> {
    const { live, rule } = liveRule(await this.live(), name);
    // Of a schedule nothing is recorded that its turns could be judged by again.
    const ids = await this.events.latest(rule.schedule ? [] : rule.trigger, events);
    const key = JSON.stringify([live.hash, name, events, ids[0] ?? '']);
    const { history, days, since } = await this.recent.of(key, () =>
      this.turns.run(() => this.find(live, name, rule.file, ids)),
    );
    const sees = readsPersonal(actor);
    const catalogue = this.stores.catalogue.current;
    return {
      rule: name,
      ruleSet: live.hash,
      ...history,
      slices: [...history.slices],
      nearMisses: history.nearMisses.map(({ leaf, eventType, count, eventIds }) => ({
        leaf: sees ? leaf : maskLeaf(leaf, eventType, catalogue),
        count,
        eventIds: [...eventIds],
      })),
      days: [...days],
      daysSince: since,
      masked: !sees,
    };
  }

  private async live(): Promise<RuleSet | null> {
    try {
      return await this.stores.ruleSets.current();
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private async find(live: RuleSet, rule: string, file: string, ids: readonly string[]): Promise<Found> {
    const stored = await storedRuleFiles(this.dataSource, live.hash, this.stores.builtIn);
    const history = await runOrder({ kind: 'history', stored, rule, file }, (wants) =>
      this.events.read(ids, live, wants),
    );
    return { history, ...(await this.days.of(rule)) };
  }
}
