import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import type { StoredEvent } from '../../events/event-store.js';
import type { EventReplay } from '../../rules/replays/event-replay.js';
import type { NotRecorded } from '../../rules/replays/recorded-events.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { ReplayAnswer, ReplayBody } from './event-replays.schema.js';
import { refusalOf } from './rule-set-refusal.js';

/** People have stored events evaluated again. */
export class EventReplays {
  constructor(
    private readonly replay: EventReplay,
    private readonly stores: {
      readonly ruleSets: RuleSetStore;
      readonly audit: AuditLog;
    },
  ) {}

  /**
   * One event, once. The act, its reason and what came of it stand in the audit log.
   *
   * @throws Refusal 409 REPLAY_OF_A_TURN, EVENT_UNDECIDED, RULE_SET_UNREADABLE; 410 EVENT_ERASED; 404 RULE_SET_UNKNOWN,
   * RULE_UNKNOWN, EVENT_UNKNOWN
   */
  async run(actor: Actor, event: StoredEvent, { rule, dryRun, reason }: ReplayBody): Promise<ReplayAnswer> {
    const ruleSet = await this.current();
    if (rule !== undefined && !ruleSet.ruleOf(rule))
      throw new Refusal(404, 'RULE_UNKNOWN', `there is no rule "${rule.slice(0, 200)}" in the live rule set`);
    const outcome = await this.replay.run(
      ruleSet,
      { eventId: event.id, only: rule ?? null, dryRun },
      async (tx, occasion) => {
        await this.stores.audit.record(tx, actor, {
          action: 'event.replay',
          subject: `event:${event.id}`,
          detail: {
            occasion,
            ruleSet: ruleSet.hash,
            ...(rule === undefined ? {} : { rule }),
            ...(reason === undefined ? {} : { reason }),
          },
        });
      },
    );
    if (typeof outcome === 'string') throw notRecorded(event.id, outcome);
    return {
      eventId: event.id,
      ruleSet: ruleSet.hash,
      occasion: outcome.occasion,
      verdicts: outcome.verdicts.flatMap((one) => {
        if (one.verdict === 'not matched') return [];
        return 'missing' in one ? { ...one, missing: [...one.missing] } : { ...one, verdict: one.verdict };
      }),
      deliveries: outcome.deliveries.map(({ rule, action, kind, target, state, code, reason }) => ({
        rule,
        action,
        kind,
        target,
        state,
        code,
        reason,
      })),
      suppressions: outcome.suppressions.flatMap((one) => ('action' in one ? [one] : [])),
    };
  }

  private async current() {
    try {
      const ruleSet = await this.stores.ruleSets.current();
      if (ruleSet) return ruleSet;
    } catch (error) {
      throw refusalOf(error);
    }
    throw new Refusal(404, 'RULE_SET_UNKNOWN', 'No rule set is live.');
  }
}

function notRecorded(id: string, why: NotRecorded): Refusal {
  switch (why) {
    case 'turn':
      return new Refusal(
        409,
        'REPLAY_OF_A_TURN',
        'It is the turn of a schedule, about everything that was open then, and what that was is not kept.',
      );
    case 'erased':
      return new Refusal(410, 'EVENT_ERASED', `What the event ${id} held was erased.`);
    case 'undecided':
      return new Refusal(409, 'EVENT_UNDECIDED', `The event ${id} was not evaluated.`);
    case 'gone':
    case 'unreadable':
      return new Refusal(404, 'EVENT_UNKNOWN', `What is stored of the event ${id} cannot be read.`);
  }
}
