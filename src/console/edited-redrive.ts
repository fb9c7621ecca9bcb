import type { DataSource } from 'typeorm';
import type { Replacement } from '../action/delivery-acts.js';
import type { DeliveryState } from '../action/delivery-states.js';
import { NOTICE_RULE } from '../action/notice-store.js';
import type { EventStore } from '../events/event-store.js';
import { editedDelivery, type EditedFrom, type NotEdited } from '../rules/edited-delivery.js';
import type { EvaluationStore } from '../rules/evaluation-store.js';
import type { RuleSet } from '../rules/rule-set.js';
import type { RuleSetStore } from '../rules/rule-set-store.js';
import { SCHEDULE_ORIGIN } from '../rules/schedule-turn.js';
import { subjectOf } from '../rules/subject.js';
import { STEP } from '../rules/timer-store.js';

/** Why no edited delivery can take the place of one. `detail` ends a sentence. */
export interface NotReplaced {
  readonly code: NotEdited['code'] | 'REDRIVE_FACTS_GONE' | 'DELIVERY_STATE';
  readonly detail: string;
  readonly state: DeliveryState;
}

type Row = Omit<EditedFrom, 'step'> & {
  readonly id: string;
  readonly eventId: string;
  readonly occasion: string;
  readonly state: DeliveryState;
  readonly isDigest: boolean;
};

/** Renders dead deliveries again: by today's actions, from what was recorded when they were decided. */
export class EditedRedrive {
  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly ruleSets: RuleSetStore;
    },
  ) {}

  /**
   * What would take the place of some deliveries. Those that are not there are not in the answer.
   *
   * @throws RuleSetError when the live rule set cannot be read
   */
  async prepare(ids: readonly string[]): Promise<ReadonlyMap<string, Replacement | NotReplaced>> {
    const ruleSet = await this.stores.ruleSets.current();
    const rows = await this.dataSource.query<Row[]>(
      `select d.id, d.rule, d.action, d.entity, d.cause, d.generation, d.event_id as "eventId", d.occasion, k.state,
              k.order_key as "orderKey", exists (select from digests g where g.id = d.id) as "isDigest"
         from deliveries d join action_keys k on k.id = d.id where d.id = any($1::uuid[])`,
      [ids],
    );
    const prepared = new Map<string, Replacement | NotReplaced>();
    for (const row of rows) prepared.set(row.id, await this.prepareOne(ruleSet, row));
    return prepared;
  }

  private async prepareOne(ruleSet: RuleSet | null, row: Row): Promise<Replacement | NotReplaced> {
    const { id, eventId, occasion, state, isDigest, ...from } = row;
    const not = (code: NotReplaced['code'], detail: string): NotReplaced => ({ code, detail, state });
    if (state !== 'dead') return not('DELIVERY_STATE', `it is ${state}`);
    if (from.rule === NOTICE_RULE) return not('REDRIVE_FACTS_GONE', 'it is a notice, and no rule made it');
    if (isDigest) return not('REDRIVE_FACTS_GONE', 'what a digest told of is not kept');
    if (!ruleSet) return not('REDRIVE_RULE_GONE', 'no rule set is live');
    const recorded = await this.recorded(eventId, occasion);
    if (typeof recorded === 'string') return not('REDRIVE_FACTS_GONE', recorded);
    const edited = editedDelivery(
      ruleSet,
      { ...from, step: stepIn(occasion, from.rule) },
      recorded.subject,
      recorded.inputs,
    );
    if (!('request' in edited)) return not(edited.code, edited.detail);
    return { id, by: edited, eventId, occasion };
  }

  /** What the decision read; a text: why that is not known any more. */
  private async recorded(eventId: string, occasion: string) {
    const { events, evaluations } = this.stores;
    const evaluation = (await evaluations.findAll(eventId)).find((one) => one.occasion === occasion);
    if (!evaluation) return 'its evaluation is not there any more';
    const event = await events.find(evaluation.inputs.about ?? eventId);
    if (!event || event.erasedAt !== null) return 'what its event held was erased';
    if (event.origin === SCHEDULE_ORIGIN) return 'the facts of a turn of a schedule are not kept';
    const { inputs, decidedAt } = evaluation;
    return {
      subject: subjectOf(event),
      // A step is judged by the time of its event, and rendered by its own.
      inputs: occasion.startsWith(STEP) ? { ...inputs, now: decidedAt.getTime() } : inputs,
    };
  }
}

function stepIn(occasion: string, rule: string): string | null {
  const prefix = `${STEP}${rule}:`;
  return occasion.startsWith(prefix) ? occasion.slice(prefix.length) : null;
}
