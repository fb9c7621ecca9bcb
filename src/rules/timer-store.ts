import type { EntityManager } from 'typeorm';
import { prepared, preparedLookup } from '../database/prepared.js';
import { type CancelCause, type Ladder, subjectAt } from './ladder.js';
import { LadderBook } from './ladder-book.js';
import type { LookupAnswers } from './lookup-document.js';
import type { RuleSet } from './rule-set.js';
import { type EventPlace, LEVELS } from './state/root-state.js';

/** The queue of ladders that may be due. */
export const TIMER_QUEUE = 'timers';
/** The queue of due steps for which somebody has to be asked first. */
export const QUESTION_QUEUE = 'timer-questions';

/** How the occasions of steps begin. */
export const STEP = 'step:';

/** The occasion that the ledger has a step under, beside the event that armed its ladder. */
export function stepOccasion(rule: string, step: string): string {
  return `${STEP}${rule}:${step}`;
}

/** Whose ladders an event may change: its own; an event of a node or process says something of all in it. */
export function laddersTouchedBy(place: EventPlace): readonly string[] | 'all' {
  if (place.task === null) return 'all';
  return LEVELS.flatMap((level) => subjectAt(level, place) ?? []);
}

/** What was answered before a step. */
export interface StepAnswers {
  /** Stored id of the event of the holder that the step is for, and that the questions are about. */
  readonly about?: string;
  /** Whether the task, node or process is still pending; null: the platform could not be asked, and `detail` says why. */
  readonly confirm?: { readonly pending: boolean | null; readonly at: number; readonly detail?: string };
  readonly lookups?: LookupAnswers;
  /** Since when somebody is asked, ms since 1970. */
  readonly askedSince?: number;
}

/** A ladder that is due, as its row says. */
export interface DueLadder extends Ladder {
  readonly lane: number;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly step: string;
  readonly plan: string;
  readonly answers: StepAnswers | null;
}

/** What becomes of a ladder that was due. */
export interface LadderOutcome {
  readonly id: string;
  readonly state: 'armed' | 'asking' | 'finished' | 'cancelled';
  readonly sent: readonly string[];
  /** The next step and when it is due (ms); of others than `armed`, what they were. */
  readonly step: string;
  readonly dueAt: number;
  readonly plan: string;
  readonly answers: StepAnswers | null;
  readonly code: CancelCause | null;
}

/** States of ladders that stand. */
export const STANDING = `('armed', 'asking', 'fetching', 'finished')`;

/** Of a `Ladder`. */
export const LADDER_COLUMNS = `id, rule, per, subject, entity, state, event_id as "eventId", cause,
  (extract(epoch from base_time) * 1000)::float8 as "baseTime", holders, sent`;

/** Ladders: armed and cancelled by the decisions about events, and sent step by step when they are due. */
export class TimerStore {
  /** Writes what a book has noted. `now` in ms. */
  async write(tx: EntityManager, { inserts, updates }: LadderBook, now: number): Promise<void> {
    const at = new Date(now);
    if (inserts.length > 0) {
      await prepared(
        tx,
        'arm-ladders',
        `insert into timers (id, rule, per, subject, entity, lane, state, event_id, cause, base_time, holders, step, due_at,
                             plan, code, created_at, updated_at)
         select id, rule, per, subject, entity, lane, case when code is null then 'armed' else 'cancelled' end, event_id, cause,
                base_time, holders::json, step, due_at, plan, code, $15, $15
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::uuid[], $8::text[],
                       $9::timestamptz[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[])
                as u (id, rule, per, subject, entity, lane, event_id, cause, base_time, holders, step, due_at, plan, code)`,
        [
          inserts.map((row) => row.id),
          inserts.map((row) => row.rule),
          inserts.map((row) => row.per),
          inserts.map((row) => row.subject),
          inserts.map((row) => row.entity),
          inserts.map((row) => row.lane),
          inserts.map((row) => row.eventId),
          inserts.map((row) => row.cause),
          inserts.map((row) => new Date(row.baseTime)),
          inserts.map((row) => JSON.stringify(row.holders)),
          inserts.map((row) => row.step),
          inserts.map((row) => new Date(row.dueAt)),
          inserts.map((row) => row.plan),
          inserts.map((row) => row.code),
          at,
        ],
      );
    }
    if (updates.length === 0) return;
    await preparedLookup(
      tx,
      'change-ladders',
      `update timers t set holders = u.holders::json, code = coalesce(u.code, t.code), updated_at = $4,
              state = case when u.code is null then t.state else 'cancelled' end
         from unnest($1::uuid[], $2::text[], $3::text[]) as u (id, holders, code)
        where t.id = u.id and t.state in ${STANDING}`,
      [
        updates.map((row) => row.id),
        updates.map((row) => JSON.stringify(row.holders)),
        updates.map((row) => row.code),
        at,
      ],
    );
  }

  /** A condition on rows of this table: a ladder is due. `now` in ms. */
  dueBy(now: number): string {
    return `state = 'armed' and due_at <= '${new Date(now).toISOString()}'::timestamptz`;
  }

  /**
   * Due ladders of lanes that are locked, the earliest due first. Not those whose root entity has events that are still
   * to be decided: one of them may cancel the ladder.
   */
  async due(
    tx: EntityManager,
    lanes: readonly number[],
    now: number,
    limit: number,
    only: readonly string[] | null = null,
  ): Promise<DueLadder[]> {
    return await tx.query<DueLadder[]>(
      `with undecided as materialized (
         select distinct e.root_entity as entity from event_keys k join events e on e.id = k.id
          where k.state = 'undecided' and k.lane = any($1::smallint[]) and e.root_entity is not null
         union select distinct entity from lookups where entity is not null)
       select ${LADDER_COLUMNS}, lane, (extract(epoch from due_at) * 1000)::float8 as "dueAt", step, plan, answers
         from timers t
        where lane = any($1::smallint[]) and state = 'armed' and due_at <= $2 and ($4::uuid[] is null or id = any($4::uuid[]))
          and not exists (select 1 from undecided u where u.entity = t.entity)
        order by due_at, id limit $3`,
      [lanes, new Date(now), limit, only],
    );
  }

  /** Ends a ladder that cannot be decided, so that it holds up no other. `now` in ms. */
  async fail(tx: EntityManager, id: string, reason: string, now: number): Promise<void> {
    await tx.query(
      `update timers set state = 'cancelled', code = 'FAILED', reason = $2, updated_at = $3 where id = $1 and state = 'armed'`,
      [id, reason.replaceAll('\u0000', ''), new Date(now)],
    );
  }

  /** Writes what became of due ladders. `now` in ms. */
  async settle(tx: EntityManager, outcomes: readonly LadderOutcome[], now: number): Promise<void> {
    if (outcomes.length === 0) return;
    await tx.query(
      `update timers t set state = u.state, sent = array(select json_array_elements_text(u.sent::json)), step = u.step,
              due_at = u.due_at, plan = u.plan, answers = u.answers::json, code = u.code, reason = null, updated_at = $9
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
              as u (id, state, sent, step, due_at, plan, answers, code)
        where t.id = u.id`,
      [
        outcomes.map((row) => row.id),
        outcomes.map((row) => row.state),
        outcomes.map((row) => JSON.stringify(row.sent)),
        outcomes.map((row) => row.step),
        outcomes.map((row) => new Date(row.dueAt)),
        outcomes.map((row) => row.plan),
        outcomes.map((row) => row.answers && JSON.stringify(row.answers)),
        outcomes.map((row) => row.code),
        new Date(now),
      ],
    );
  }

  /** Ladders for whose next step somebody is to be asked, as a worker has claimed them. */
  async asked(tx: EntityManager, ids: readonly string[]): Promise<DueLadder[]> {
    return await tx.query<DueLadder[]>(
      `select ${LADDER_COLUMNS}, lane, (extract(epoch from due_at) * 1000)::float8 as "dueAt", step, plan, answers
         from timers where id = any($1::uuid[])`,
      [ids],
    );
  }

  async recordAnswers(
    tx: EntityManager,
    rows: readonly { readonly id: string; readonly answers: StepAnswers }[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `update timers t set answers = u.answers::json from unnest($1::uuid[], $2::text[]) as u (id, answers) where t.id = u.id`,
      [rows.map(({ id }) => id), rows.map(({ answers }) => JSON.stringify(answers))],
    );
  }

  /**
   * Fits the ladders to the rule set that becomes the live one, in the transaction that activates it: those of rules
   * that are gone, or off, are cancelled; those whose steps or calendar have changed are looked at again now. Answers
   * how many of each rule were cancelled. `now` in ms.
   */
  async adopt(tx: EntityManager, ruleSet: RuleSet, now: number): Promise<ReadonlyMap<string, number>> {
    const kept = ruleSet.rules.filter(({ enabled, escalation }) => enabled && escalation !== null);
    const off = ruleSet.rules.filter(({ enabled, escalation }) => !enabled && escalation !== null);
    const [cancelled] = await tx.query<[{ rule: string }[], number]>(
      `update timers set state = 'cancelled', updated_at = $3,
              code = case when rule = any($2::text[]) then 'RULE_OFF' else 'RULE_GONE' end
        where state in ${STANDING} and rule <> all($1::text[]) returning rule`,
      [kept.map(({ name }) => name), off.map(({ name }) => name), new Date(now)],
    );
    await tx.query(
      `update timers t set due_at = least(t.due_at, $3), updated_at = $3,
              state = case when t.state = 'finished' then 'armed' else t.state end
         from unnest($1::text[], $2::text[]) as u (rule, plan)
        where t.state in ('armed', 'finished') and t.rule = u.rule and t.plan <> u.plan`,
      [kept.map(({ name }) => name), kept.map(({ escalation }) => escalation?.plan ?? ''), new Date(now)],
    );
    const counts = new Map<string, number>();
    for (const { rule } of cancelled) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    return counts;
  }
}
