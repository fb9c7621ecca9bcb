import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { runOrder } from '../../rules/trial/run-order.js';
import type { WantedEvents } from '../../rules/trial/tried-event.js';
import type { EventList } from '../read/event-list.js';
import { noneLive } from './live-rule.js';
import { filesByRule, storedRuleFiles } from '../../rules/trial/read-rule-files.js';
import type { TrialEvents } from './trial-events.js';
import type { TrialTurns } from './trial-turns.js';
import type { Trial, TrialBody } from './trials.schema.js';

/** Tries edited rule files on stored events. Nothing is stored, nothing is sent. */
export class TrialsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: EventList,
    private readonly events: TrialEvents,
    private readonly turns: TrialTurns,
    private readonly stores: { readonly ruleSets: RuleSetStore; readonly builtIn: Catalogue },
  ) {}

  /**
   * `signal`: whoever asked has hung up.
   *
   * @throws Refusal 429 BUSY; 404 RULE_SET_UNKNOWN, EVENT_UNKNOWN; 409 EVENT_AMBIGUOUS, TRIAL_TOO_LONG, TRIAL_TOO_LARGE
   */
  async run(actor: Actor, body: TrialBody, signal: AbortSignal): Promise<Trial> {
    return await this.turns.trial(actor, async () => {
      const live = await this.stores.ruleSets.current();
      if (!live) throw noneLive();
      const { path, text, event } = body;
      const only = event === undefined ? null : await this.idOf(event);
      const stored = await storedRuleFiles(this.dataSource, live.hash, this.stores.builtIn);
      const order = { kind: 'trial', stored, path, text, files: filesByRule(live) } as const;
      const source = async function* (this: TrialsService, wants: WantedEvents) {
        const { type, events } = body;
        const trigger = type === undefined ? wants.trigger : [type];
        const ids = only === null ? await this.events.latest(trigger, events) : [only];
        yield* this.events.read(ids, live, wants);
      };
      const answer = await runOrder(order, source.bind(this), { signal });
      // Its lists are this answer's own.
      return { live: live.hash, ...answer } as Trial;
    });
  }

  private async idOf(event: string): Promise<string> {
    const row = await this.rows.find(event);
    if (!row) throw new Refusal(404, 'EVENT_UNKNOWN', `no event has the id "${event.slice(0, 200)}"`);
    return row.id;
  }
}
