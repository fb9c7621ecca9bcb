import type { EntityManager } from 'typeorm';
import { messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { EventStore } from '../events/event-store.js';
import { timeDefaults } from './decide.js';
import type { Firing } from './firing.js';
import type { GateStore } from './gate-store.js';
import { openEntities } from './schedule-turn.js';
import type { StateStore } from './state-store.js';
import { subjectOf } from './subject.js';
import { TurnFindings } from './turn-findings.js';
import { type OpenOne, type OpenSubject, type Turn, turnFirings, turnSubject } from './turn-judgement.js';

/** Root entities that are read at once. */
const PAGE = 500;
/** Events that are read at once: the body of one may be a megabyte. */
const READ_EVENTS = 100;

export interface TurnStores {
  readonly states: Pick<StateStore, 'openAfter'>;
  readonly events: EventStore;
  readonly gates: Pick<GateStore, 'pass'>;
}

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
    const firings = await turnFirings(this.turn, await this.withSubjects(open), this.findings);
    if (firings.length > 0) await this.send(firings);
  }

  /** What each is to a decision: with the fields of its last event, as far as that is there still. */
  private async withSubjects(open: readonly OpenOne[]): Promise<readonly OpenSubject[]> {
    const ids = [...new Set(open.flatMap(({ latest }) => latest?.id ?? []))];
    const events = new Map(
      (await this.stores.events.findMany(ids, this.tx)).map((event) => [event.id, event]),
    );
    return open.map((one) => {
      const event = one.latest && events.get(one.latest.id);
      // Of an event whose content was erased, nothing is known; what the state says stays.
      const known = event && event.erasedAt === null ? subjectOf(event) : null;
      return { ...one, subject: turnSubject(this.turn, one, known) };
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
    const context = { now, ...timeDefaults(inputs), calendars: ruleSet.calendars };
    const { admission, again } = await this.stores.gates.pass(this.tx, firings, context);
    findings.admitted(admission, again);
  }
}
