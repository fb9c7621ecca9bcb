import type { DataSource, EntityManager } from 'typeorm';
import { binaryArray } from '../database/array-parameters.js';
import { prepared } from '../database/prepared.js';
import type { DecisionInputs, Verdict } from './decide.js';
import type { SuppressionCause } from './firing.js';

/** Why a "matched" led to no delivery of one action. */
export interface Suppression {
  readonly rule: string;
  readonly action: string;
  /** Of a ladder. */
  readonly step?: string;
  readonly cause: SuppressionCause;
  /** What it was: what the conditions of the action lack or do, the id of the silence, the key of the throttle or digest, the entity of once-per, the end of quiet hours. */
  readonly by?: string;
  /** How often, of a turn of a schedule; absent: once. */
  readonly times?: number;
}

/** How many actions the matches of a rule asked for, by its name: each became a delivery or has a suppression. */
export type Asked = Readonly<Record<string, number>>;

/** One evaluation as the ledger keeps it: what cannot be recomputed, and what is needed to recompute the rest. */
export interface Evaluation {
  /** Id of the stored event. */
  readonly eventId: string;
  readonly occasion: string;
  readonly ruleSet: string;
  /** Matched, unknown, error and skipped; "not matched" can be recomputed and is left out. */
  readonly verdicts: readonly (Verdict | Suppression)[];
  readonly inputs: DecisionInputs;
  /** Null or absent: nothing was asked for. */
  readonly asked?: Asked | null;
}

/** The ledger: evaluations, unique by event and occasion. */
export class EvaluationStore {
  constructor(private readonly dataSource: DataSource) {}

  async record(tx: EntityManager, evaluations: readonly Evaluation[], now: number): Promise<void> {
    if (evaluations.length === 0) return;
    await prepared(
      tx,
      'record-evaluations',
      `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched, unknown, errors, asked)
       select event_id, occasion, $6, rule_set, verdicts::json, inputs::json, matched, unknown, errors, asked::json
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $7::int[], $8::int[], $9::int[], $10::text[])
              as u (event_id, occasion, rule_set, verdicts, inputs, matched, unknown, errors, asked)`,
      [
        evaluations.map((one) => one.eventId),
        evaluations.map((one) => one.occasion),
        evaluations.map((one) => one.ruleSet),
        // The driver would quote every quotation mark of the JSON.
        binaryArray(
          'text',
          evaluations.map((one) => JSON.stringify(one.verdicts)),
        ),
        binaryArray(
          'text',
          evaluations.map((one) => JSON.stringify(one.inputs)),
        ),
        new Date(now),
        evaluations.map((one) => count(one, 'matched')),
        evaluations.map((one) => count(one, 'unknown')),
        evaluations.map((one) => count(one, 'error')),
        evaluations.map(({ asked }) => (asked ? JSON.stringify(asked) : null)),
      ],
    );
  }

  async find(eventId: string, occasion: string): Promise<Evaluation | null> {
    const [row] = await this.dataSource.query<Evaluation[]>(
      `select event_id as "eventId", occasion, rule_set as "ruleSet", verdicts, inputs
         from evaluations where event_id = $1 and occasion = $2`,
      [eventId, occasion],
    );
    return row ?? null;
  }

  /** Those of some events on some occasions. */
  async findMany(
    tx: EntityManager,
    eventIds: readonly string[],
    occasions: readonly string[],
  ): Promise<Evaluation[]> {
    return await tx.query<Evaluation[]>(
      `select event_id as "eventId", occasion, rule_set as "ruleSet", verdicts, inputs
         from evaluations where event_id = any($1::uuid[]) and occasion = any($2::text[])`,
      [eventIds, occasions],
    );
  }

  /** All evaluations of an event, with their time, the earliest first. */
  async findAll(eventId: string): Promise<(Evaluation & { readonly decidedAt: Date })[]> {
    return await this.findAllOf([eventId]);
  }

  /** Those of several events together. */
  async findAllOf(
    eventIds: readonly string[],
    tx: EntityManager = this.dataSource.manager,
  ): Promise<(Evaluation & { readonly decidedAt: Date })[]> {
    return await tx.query(
      `select event_id as "eventId", occasion, decided_at as "decidedAt", rule_set as "ruleSet", verdicts, inputs
         from evaluations where event_id = any($1::uuid[]) order by decided_at, occasion`,
      [eventIds],
    );
  }
}

/** How many rules had this verdict. Kept beside the verdicts, so that lists need not read them. */
function count({ verdicts }: Evaluation, verdict: Verdict['verdict']): number {
  return verdicts.filter((one) => 'verdict' in one && one.verdict === verdict).length;
}
