import type { DataSource, EntityManager } from 'typeorm';
import { utcDay } from '../config/utc-day.js';
import type { Transport } from '../events/event.js';
import { INDEX_LOCK } from '../events/event-indexer.js';
import type { EventState } from '../events/event-store.js';
import { envelopeTerms, standingTerms } from '../events/event-terms.js';
import type { DecisionInputs } from '../rules/decide.js';
import type { Evaluation } from '../rules/evaluation-store.js';
import { eraseBacktests } from './erased-backtests.js';
import { eraseDigestItems, eraseKeys } from './erased-digests.js';
import { eraseShadows, shadowsRelated } from './erased-shadows.js';
import { PersonValues } from './person-values.js';
import { leastIdOf, receivedAtOf } from '../events/received-at.js';

/** Whose data, and of which day. */
export interface ErasureRequest {
  /** 1 to 10 identifiers of one person, each of at least 4 characters. */
  readonly values: readonly string[];
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** What was erased, or would be. */
export interface ErasureAnswer {
  readonly day: string;
  readonly events: number;
  readonly evaluations: number;
  /** With what rules in shadow mode would have sent. */
  readonly deliveries: number;
  readonly attempts: number;
  readonly lookups: number;
  /** Deliveries that were still to be sent. */
  readonly cancelled: number;
  /** Events that are not decided yet and deliveries that are being sent: left as they are, ask again. */
  readonly underWay: number;
}

/** What stands in the place of what was erased. */
const ERASED = '[erased]';
/** How the end of a delivery is called whose event was erased before it was sent. */
const END = { code: 'ERASED' } as const;
const DAY_MS = 86_400_000;

/** A day's part of the tables, and what to look for there. */
interface Search {
  readonly values: PersonValues;
  readonly low: string;
  readonly high: string;
}

interface FoundDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly state: string;
  readonly target: string;
  readonly holdsTarget: boolean;
}

interface FoundEvaluation {
  readonly eventId: string;
  readonly occasion: string;
  readonly inputs: DecisionInputs;
  readonly verdicts: Evaluation['verdicts'];
}

interface FoundAttempt {
  readonly deliveryId: string;
  readonly attempt: number;
}

/**
 * Removes what is stored of a person, a day at a time. Of an event that holds a value all content goes, and all that
 * hangs on it: what was rendered from it, what targets answered. Keys, times and the names of rules and verdicts
 * stay, so that duplicates are still known and the ledger still balances.
 */
export class Erasures {
  constructor(private readonly dataSource: DataSource) {}

  /** The first and the last day of which anything is stored. */
  async days(): Promise<{ readonly first: string | null; readonly last: string | null }> {
    const [row] = await this.dataSource.query<{ first: string | null; last: string | null }[]>(
      `select least((select min(id::text) from (select id from events order by id limit 1) e),
                    (select min(id::text) from (select id from deliveries order by id limit 1) d)) as first,
              greatest((select max(id::text) from (select id from events order by id desc limit 1) e),
                       (select max(id::text) from (select id from deliveries order by id desc limit 1) d)) as last`,
    );
    return { first: dayOf(row?.first ?? null), last: dayOf(row?.last ?? null) };
  }

  /** Within `tx`. `now` in ms. */
  async erase(tx: EntityManager, request: ErasureRequest, now: number): Promise<ErasureAnswer> {
    // A day of a busy installation is read from end to end.
    await tx.query('set local statement_timeout = 600000');
    // Nobody may be indexing what is about to go.
    if (!request.dryRun) await tx.query('select pg_advisory_xact_lock($1)', [INDEX_LOCK]);
    const start = Date.parse(request.day);
    const search: Search = {
      values: new PersonValues(request.values),
      low: leastIdOf(start),
      high: leastIdOf(start + DAY_MS),
    };
    const holding = await eventsHolding(tx, search);
    const related = await deliveriesRelated(tx, search, holding.decided);
    // While one is being sent its event cannot go: its end is still to be written down.
    const busyEvents = new Set(
      related.filter(({ state }) => state === 'delivering').map(({ eventId }) => eventId),
    );
    const events = holding.decided.filter((id) => !busyEvents.has(id));
    const deliveries = related.filter(({ eventId }) => !busyEvents.has(eventId));
    const evaluations = await evaluationsRelated(tx, search, events, busyEvents);
    const attempts = await attemptsRelated(tx, search, deliveries, busyEvents);
    const shadows = await shadowsRelated(tx, search, events, busyEvents);
    const open = deliveries.filter(({ state }) => ['pending', 'deferred', 'held'].includes(state));
    if (!request.dryRun) {
      await eraseEvents(tx, events, now);
      await eraseEvaluations(tx, evaluations);
      await eraseDeliveries(tx, deliveries, open);
      await eraseShadows(tx, shadows, ERASED);
      await eraseDigestItems(tx, events);
      await eraseKeys(tx, search.values, ERASED);
      await eraseAttempts(tx, attempts);
      await eraseBacktests(tx, search.values);
    }
    return {
      day: request.day,
      events: events.length,
      evaluations: evaluations.length,
      deliveries: deliveries.length + shadows.length,
      attempts: attempts.length,
      lookups: 0,
      cancelled: open.length,
      underWay: holding.undecided + busyEvents.size,
    };
  }
}

/** Events whose bytes hold a value. Those that are not decided yet are needed as they are. */
async function eventsHolding(
  tx: EntityManager,
  { values, low, high }: Search,
): Promise<{ readonly decided: readonly string[]; readonly undecided: number }> {
  const rows = await tx.query<
    { id: string; body: Buffer; transport: Transport | null; state: string; answers: string | null }[]
  >(
    `select e.id, coalesce(e.content, e.raw) as body, e.transport, k.state, l.answers::text as answers
       from events e join event_keys k on k.id = e.id left join lookups l on l.id = e.id
      where e.id >= $1 and e.id < $2 and e.erased_at is null
        and (exists (select 1 from unnest($3::bytea[]) as form where position(form in coalesce(e.content, e.raw)) > 0)
          or exists (select 1 from unnest($4::text[]) as form
                      where strpos(e.transport::text, form) > 0 or strpos(l.answers::text, form) > 0))`,
    [low, high, values.forms.map((form) => Buffer.from(form)), values.forms],
  );
  const found = rows.filter(
    ({ body, transport, answers }) =>
      values.isIn(body.toString('utf8')) || values.isIn(JSON.stringify(transport)) || values.isIn(answers),
  );
  const decided = found.filter(({ state }) => state === 'decided' || state === 'quarantined');
  return { decided: decided.map(({ id }) => id), undecided: found.length - decided.length };
}

/** Deliveries of the events, whenever they were made, and those of the day that hold a value; locked. */
async function deliveriesRelated(
  tx: EntityManager,
  { values, low, high }: Search,
  events: readonly string[],
): Promise<FoundDelivery[]> {
  const rows = await tx.query<
    {
      id: string;
      eventId: string;
      target: string;
      request: string | null;
      reason: string | null;
      state: string;
    }[]
  >(
    `select d.id, d.event_id as "eventId", d.target, d.request::text as request, k.reason, k.state
       from deliveries d join action_keys k on k.id = d.id
      where d.id in (
        select id from deliveries where event_id = any($1::uuid[])
        union all
        select digest_id from digest_items where event_id = any($1::uuid[])
        union all
        select o.id from deliveries o join action_keys ok on ok.id = o.id
         where o.id >= $2 and o.id < $3
           and exists (select 1 from unnest($4::text[]) as form
                        where strpos(o.request::text, form) > 0 or strpos(o.target, form) > 0
                           or strpos(ok.reason, form) > 0))
        -- What still gathers holds nothing of its own: the items of these events go, and the others are told of.
        and not (k.state = 'deferred' and k.deferred_for is not distinct from 'digest')
      order by d.id for update of k`,
    [events, low, high, values.forms],
  );
  const ofEvents = new Set(events);
  return rows
    .filter(
      ({ eventId, request, target, reason }) =>
        ofEvents.has(eventId) || [request, target, reason].some((text) => values.isIn(text)),
    )
    .map(({ id, eventId, state, target }) => ({
      id,
      eventId,
      state,
      target,
      holdsTarget: values.isIn(target),
    }));
}

async function evaluationsRelated(
  tx: EntityManager,
  { values, low, high }: Search,
  events: readonly string[],
  without: ReadonlySet<string>,
): Promise<FoundEvaluation[]> {
  const rows = await tx.query<FoundEvaluation[]>(
    `select event_id as "eventId", occasion, inputs, verdicts from evaluations
      where event_id >= $2 and event_id < $3
        and (event_id = any($1::uuid[])
          or exists (select 1 from unnest($4::text[]) as form
                      where strpos(inputs::text, form) > 0 or strpos(verdicts::text, form) > 0))`,
    [events, low, high, values.forms],
  );
  const ofEvents = new Set(events);
  return rows.filter(
    ({ eventId, inputs, verdicts }) =>
      !without.has(eventId) &&
      (ofEvents.has(eventId) || values.isIn(JSON.stringify(inputs)) || values.isIn(JSON.stringify(verdicts))),
  );
}

async function attemptsRelated(
  tx: EntityManager,
  { values, low, high }: Search,
  deliveries: readonly FoundDelivery[],
  without: ReadonlySet<string>,
): Promise<FoundAttempt[]> {
  const ids = deliveries.map(({ id }) => id);
  const rows = await tx.query<
    { deliveryId: string; attempt: number; eventId: string; answer: string; detail: string }[]
  >(
    `select a.delivery_id as "deliveryId", a.attempt, d.event_id as "eventId", a.answer, a.detail
       from (select * from attempts where delivery_id = any($1::uuid[])
             union
             select * from attempts
              where delivery_id >= $2 and delivery_id < $3
                and exists (select 1 from unnest($4::text[]) as form
                             where strpos(answer, form) > 0 or strpos(detail, form) > 0)) as a
       join deliveries d on d.id = a.delivery_id`,
    [ids, low, high, values.forms],
  );
  const ofDeliveries = new Set(ids);
  return rows.filter(
    ({ deliveryId, eventId, answer, detail }) =>
      !without.has(eventId) && (ofDeliveries.has(deliveryId) || values.isIn(answer) || values.isIn(detail)),
  );
}

/** Of the event the envelope is left, and what it is found by. */
async function eraseEvents(tx: EntityManager, ids: readonly string[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `update events set raw = '', content = null, transport = null, erased_at = $2 where id = any($1::uuid[])`,
    [ids, new Date(now)],
  );
  await tx.query('update event_keys set reason = $2 where id = any($1::uuid[]) and reason is not null', [
    ids,
    ERASED,
  ]);
  const rows = await tx.query<Standing[]>(
    `select e.id, e.event_type as "eventType", e.source, e.origin, k.state, v.matched, v.unknown, v.errors
       from events e join event_keys k on k.id = e.id
       left join evaluations v on v.event_id = e.id and v.occasion = 'live'
      where e.id = any($1::uuid[])`,
    [ids],
  );
  const terms = rows.map((row) => JSON.stringify([...envelopeTerms(row), ...standingOf(row)]));
  await tx.query(
    `update event_search s set terms = array(select json_array_elements_text(t.terms::json))
       from unnest($1::uuid[], $2::text[]) as t (id, terms) where s.id = t.id`,
    [rows.map(({ id }) => id), terms],
  );
}

interface Standing {
  readonly id: string;
  readonly eventType: string;
  readonly source: string;
  readonly origin: string;
  readonly state: EventState;
  readonly matched: number | null;
  readonly unknown: number;
  readonly errors: number;
}

function standingOf({ state, matched, unknown, errors }: Standing): string[] {
  return standingTerms(state, matched === null ? null : { matched, unknown, errors });
}

/** What a verdict says of its event: an error repeats values, and the key of a throttle or digest is one. */
function withoutValues(one: Evaluation['verdicts'][number]): Evaluation['verdicts'][number] {
  if ('error' in one) return { ...one, error: ERASED };
  return 'by' in one && (one.cause === 'throttle' || one.cause === 'digest') ? { ...one, by: ERASED } : one;
}

/** The answers of look-ups go, and what a verdict or a failed look-up says beside its name. */
async function eraseEvaluations(tx: EntityManager, evaluations: readonly FoundEvaluation[]): Promise<void> {
  if (evaluations.length === 0) return;
  await tx.query(
    `update evaluations v set inputs = f.inputs::json, verdicts = f.verdicts::json
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as f (event_id, occasion, inputs, verdicts)
      where v.event_id = f.event_id and v.occasion = f.occasion`,
    [
      evaluations.map(({ eventId }) => eventId),
      evaluations.map(({ occasion }) => occasion),
      evaluations.map(({ inputs }) => JSON.stringify({ ...inputs, lookups: undefined })),
      evaluations.map(({ verdicts }) => JSON.stringify(verdicts.map(withoutValues))),
    ],
  );
}

async function eraseDeliveries(
  tx: EntityManager,
  deliveries: readonly FoundDelivery[],
  open: readonly FoundDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const ids = deliveries.map(({ id }) => id);
  const withTarget = deliveries.filter(({ holdsTarget }) => holdsTarget);
  await tx.query(
    `update deliveries set request = 'null', target = case when id = any($2::uuid[]) then split_part(target, ':', 1) || ':' || $3::text else target end
      where id = any($1::uuid[])`,
    [ids, withTarget.map(({ id }) => id), ERASED],
  );
  await tx.query(
    `update action_keys set reason = case when reason is null then null else $4 end,
            target = case when id = any($2::uuid[]) then split_part(target, ':', 1) || ':' || $4::text else target end,
            state = case when id = any($3::uuid[]) then 'cancelled' else state end,
            code = case when id = any($3::uuid[]) then $5 else code end, updated_at = now()
      where id = any($1::uuid[])`,
    [ids, withTarget.map(({ id }) => id), open.map(({ id }) => id), ERASED, END.code],
  );
  await tx.query('delete from targets where target = any($1::text[])', [
    withTarget.map(({ target }) => target),
  ]);
}

async function eraseAttempts(tx: EntityManager, attempts: readonly FoundAttempt[]): Promise<void> {
  if (attempts.length === 0) return;
  await tx.query(
    `update attempts a set answer = case when a.answer = '' then '' else $3 end,
            detail = case when a.detail = '' then '' else $3 end
       from unnest($1::uuid[], $2::int[]) as f (delivery_id, attempt)
      where a.delivery_id = f.delivery_id and a.attempt = f.attempt`,
    [attempts.map(({ deliveryId }) => deliveryId), attempts.map(({ attempt }) => attempt), ERASED],
  );
}

function dayOf(id: string | null): string | null {
  return id === null ? null : utcDay(receivedAtOf(id));
}
