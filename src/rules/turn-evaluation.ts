import type { EntityManager } from 'typeorm';
import { messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { EventStore } from '../events/event-store.js';
import { admit } from './admission.js';
import {
  type DecisionInputs,
  factsFor,
  factsOfRule,
  judgeFacts,
  type Subject,
  timeDefaults,
} from './decide.js';
import { LIVE } from './decision-batch.js';
import type { Firing } from './firing.js';
import type { GateStore } from './gate-store.js';
import { subjectAt } from './ladder.js';
import { matchOf } from './match.js';
import type { Rule, RuleSet } from './rule-set.js';
import { type OpenEntity, openEntities } from './schedule-turn.js';
import type { StateStore } from './state-store.js';
import type { Level, RootState } from './state/root-state.js';
import { stateFacts } from './state/state-facts.js';
import { subjectOf } from './subject.js';
import { TurnFindings } from './turn-findings.js';

/** Root entities that are read at once. */
const PAGE = 500;
/** Events that are read at once: the body of one may be a megabyte. */
const READ_EVENTS = 100;

/** One turn of a rule with a schedule. */
export interface Turn {
  readonly rule: Rule;
  readonly over: Level;
  readonly ruleSet: RuleSet;
  /** The turn's own event: its stored id and its key. */
  readonly eventId: string;
  readonly key: string;
  readonly inputs: DecisionInputs;
}

export interface TurnStores {
  readonly states: Pick<StateStore, 'openAfter'>;
  readonly events: EventStore;
  readonly gates: Pick<GateStore, 'read' | 'write'>;
}

type OpenOne = OpenEntity & { readonly entity: string; readonly state: RootState };

/**
 * Evaluates a rule over every open entity, and writes what comes of it, within the transaction that holds the
 * schedule. An entity is read as it is at this moment: the fields of its last event, and the state after it.
 */
export async function evaluateTurn(tx: EntityManager, stores: TurnStores, turn: Turn): Promise<TurnFindings> {
  const evaluation = new TurnEvaluation(tx, stores, turn);
  await evaluation.run();
  return evaluation.findings;
}

class TurnEvaluation {
  readonly findings: TurnFindings;

  constructor(
    private readonly tx: EntityManager,
    private readonly stores: TurnStores,
    private readonly turn: Turn,
  ) {
    this.findings = new TurnFindings(turn.rule.name);
  }

  async run(): Promise<void> {
    let after = '';
    for (;;) {
      const page = await this.stores.states.openAfter(this.tx, after, PAGE);
      const open = page.flatMap((one) =>
        openEntities(one.entity, one.state, this.turn.over).map((entity) => ({ ...one, ...entity })),
      );
      for (let at = 0; at < open.length; at += READ_EVENTS)
        await this.evaluate(open.slice(at, at + READ_EVENTS));
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      after = last.entity;
    }
  }

  private async evaluate(open: readonly OpenOne[]): Promise<void> {
    const { rule, ruleSet, inputs: shared, eventId } = this.turn;
    const firings: Firing[] = [];
    for (const { subject, place, state } of await this.withSubjects(open)) {
      const inputs = { ...shared, state: stateFacts(state, place, null, shared.now, false) };
      const facts = factsFor(ruleSet, subject.facts, inputs);
      const verdict = await judgeFacts(ruleSet, rule, facts, inputs);
      this.findings.judged(verdict);
      if (verdict.verdict !== 'matched') continue;
      try {
        const known = factsOfRule(ruleSet, rule, facts, inputs);
        const match = await matchOf(ruleSet, rule, subject, inputs, place, known);
        firings.push({ ...match, eventId, occasion: LIVE });
      } catch (error) {
        // Whatever one entity does, the others have their turn.
        this.findings.spoilt(messageOf(error));
      }
    }
    if (firings.length > 0) await this.send(firings);
  }

  /** What each is to a decision: with the fields of its last event, as far as that is there still. */
  private async withSubjects(
    open: readonly OpenOne[],
  ): Promise<readonly (OpenOne & { readonly subject: Subject })[]> {
    const { over, key } = this.turn;
    const ids = [...new Set(open.flatMap(({ latest }) => latest?.id ?? []))];
    const events = new Map(
      (await this.stores.events.findMany(ids, this.tx)).map((event) => [event.id, event]),
    );
    return open.map((one) => {
      const { entity, place, latest } = one;
      const event = latest && events.get(latest.id);
      // Of an event whose content was erased, nothing is known; what the state says stays.
      const known = event && event.erasedAt === null ? subjectOf(event) : null;
      const subject: Subject = {
        key: `${key}#${subjectAt(over, place) ?? ''}`,
        eventType: latest?.eventType ?? '',
        entity,
        appId: known?.appId ?? null,
        facts: known?.facts ?? new Map(),
      };
      return { ...one, subject };
    });
  }

  /**
   * Through the gates and into the database. No lanes are locked for it: a rule with a schedule fires in its turns
   * alone, and whoever holds the schedule is the only one who gives them. What the database refuses is found by
   * halving, and the others are sent.
   */
  private async send(firings: readonly Firing[]): Promise<void> {
    await this.tx.query('savepoint turn');
    try {
      await this.admit(firings);
      await this.tx.query('release savepoint turn');
    } catch (error) {
      if (!isDataError(error)) throw error;
      await this.tx.query('rollback to savepoint turn');
      if (firings.length === 1) this.findings.spoilt(messageOf(error));
      else {
        const middle = firings.length >> 1;
        await this.send(firings.slice(0, middle));
        await this.send(firings.slice(middle));
      }
    }
  }

  private async admit(firings: readonly Firing[]): Promise<void> {
    const { findings } = this;
    const { inputs, ruleSet } = this.turn;
    const { now } = inputs;
    const gates = await this.stores.gates.read(this.tx, firings, now);
    const context = { now, ...timeDefaults(inputs), calendars: ruleSet.calendars };
    const admission = admit(firings, gates, context);
    const again = await this.stores.gates.write(this.tx, admission, now);
    for (const { count } of admission.asked) findings.asked(count);
    for (const { suppression } of admission.suppressions) findings.suppressed(suppression);
    for (const { delivery } of again)
      findings.suppressed({ rule: delivery.rule, action: delivery.action, cause: 'already-sent' });
    findings.deliveries += admission.deliveries.length - again.length;
    for (const { count } of admission.holds) findings.held += count;
    findings.items += admission.items.length;
  }
}
