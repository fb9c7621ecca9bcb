import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { Previews } from '../../rules/replays/replay-preview.js';
import type { ReplayOrders } from '../../rules/replays/replay-orders.js';
import { type ChosenEvent, ReplayStore } from '../../rules/replays/replay-store.js';
import { aloneIn } from '../../rules/replays/replay-worker.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { EventFilter, EventList } from '../read/event-list.js';
import type { ReplayList } from '../read/replay-list.js';
import type { ReplayKind } from '../../rules/replays/replay-store.js';
import type { ActBody } from './deliveries.schema.js';
import { liveRule } from './live-rule.js';
import { liveRules, type Turnstile } from './live-rules.js';
import { isUuid, type Page, pageOf, type PageQuery, readCursor } from './page.js';
import { maskEntity, readsPersonal } from './personal.js';
import { previewed } from './previewed.js';
import { replayDetailOf, replayOf } from './replayed-many.js';
import type {
  NewReplayBody,
  Replay,
  ReplayDetail,
  ReplayPreviewAnswer,
  ReplayPreviewBody,
} from './replays.schema.js';

/** Events are looked through in stretches of so many. */
const STRETCH = 5000;
/** More are not counted. */
const MOST_COUNTED = 100_000;
const LEFT_SHOWN = 50;

interface Found {
  readonly ids: readonly string[];
  readonly found: number;
}

/** People order stored events to be evaluated again, and see how far it has come. */
export class ReplaysService {
  private readonly orders: ReplayStore;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: ReplayList,
    private readonly events: EventList,
    private readonly desk: {
      readonly previews: Previews;
      readonly orders: ReplayOrders;
      readonly turnstile: Turnstile;
    },
    private readonly parts: {
      readonly ruleSets: RuleSetStore;
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
    },
  ) {
    this.orders = new ReplayStore(dataSource);
  }

  /**
   * What a replay would do. Writes nothing.
   *
   * @throws Refusal 404 RULE_SET_UNKNOWN, RULE_UNKNOWN; 409 RULE_SET_UNREADABLE; 400 STATUS_UNKNOWN; 429 BUSY
   */
  async preview(body: ReplayPreviewBody): Promise<ReplayPreviewAnswer> {
    return await this.desk.turnstile.through(async () => {
      const ruleSet = await liveRules(this.parts.ruleSets);
      const { own, only } = rulesOf(ruleSet, body.rule);
      const { ids, found } = await this.find(body);
      const events = await this.desk.orders.eventsOf(ids);
      const told = await this.desk.previews.replay(
        own,
        events.map(({ eventId }) => eventId),
        only,
      );
      return { ruleSet: ruleSet.hash, found, looked: events.length, ...previewed(told) };
    });
  }

  /**
   * Orders a replay; workers go through it.
   *
   * @throws Refusal as `preview`; 409 RULE_SET_CHANGED, SELECTION_TOO_LARGE, SELECTION_EMPTY
   */
  async create(actor: Actor, body: NewReplayBody): Promise<ReplayDetail> {
    const ruleSet = await liveRules(this.parts.ruleSets, body.ruleSet);
    const { only } = rulesOf(ruleSet, body.rule);
    const { ids, found } = await this.find(body);
    if (found > body.limit && !body.cut) throw tooLarge(found, body.limit);
    const events: readonly ChosenEvent[] = await this.desk.orders.eventsOf(ids);
    if (events.length === 0) throw new Refusal(409, 'SELECTION_EMPTY', 'No event fits.');
    const { reason = null, limit } = body;
    const filter = this.impersonal(body.filter);
    const id = await this.desk.orders.replay(
      { createdBy: actor.name, purpose: reason, ruleSet: ruleSet.hash, onlyRule: only, filter },
      events,
      async (tx, made) => {
        await this.parts.audit.record(tx, actor, {
          action: 'replay.create',
          subject: `replay:${made}`,
          detail: {
            filter,
            limit,
            events: events.length,
            ruleSet: ruleSet.hash,
            ...(only === null ? {} : { rule: only }),
            ...(reason === null ? {} : { reason }),
          },
        });
      },
    );
    return await this.get(actor, 'replay', id);
  }

  async list(kind: ReplayKind, { limit, cursor }: PageQuery): Promise<Page<Replay>> {
    const rows = await this.rows.list(kind, { limit, after: readCursor(cursor) });
    return pageOf(rows.map(replayOf), limit);
  }

  /** @throws Refusal 404 REPLAY_UNKNOWN */
  async get(actor: Actor, kind: ReplayKind, id: string): Promise<ReplayDetail> {
    const row = isUuid(id) ? await this.rows.find(id) : null;
    if (row?.kind !== kind) throw unknownReplay(id);
    const left = await this.rows.left(id, LEFT_SHOWN);
    return replayDetailOf(row, left, this.parts.catalogue.current, !readsPersonal(actor));
  }

  /**
   * Stops a replay or a recall: what is done stays done.
   *
   * @throws Refusal 404 REPLAY_UNKNOWN; 409 REPLAY_ENDED
   */
  async cancel(actor: Actor, kind: ReplayKind, id: string, { reason }: ActBody): Promise<ReplayDetail> {
    const { state } = await this.get(actor, kind, id);
    const { audit, clock } = this.parts;
    await this.dataSource.transaction(async (tx) => {
      if (!(await this.orders.cancel(tx, id, clock.now())))
        throw new Refusal(409, 'REPLAY_ENDED', `It has ended already: it is ${state}.`);
      await audit.record(tx, actor, {
        action: `${kind}.cancel`,
        subject: `${kind}:${id}`,
        detail: reason === undefined ? {} : { reason },
      });
    });
    return await this.get(actor, kind, id);
  }

  /** The oldest events that fit, up to the limit, and how many there are. */
  private async find({ filter, limit }: Pick<ReplayPreviewBody, 'filter' | 'limit'>): Promise<Found> {
    const { biz_type: bizType, ...rest } = filter;
    const wanted: EventFilter = { ...rest, bizType };
    const ids: string[] = [];
    let found = 0;
    let after: string | null = null;
    do {
      const stretch = await this.events.stretch(wanted, after, STRETCH);
      ids.push(...stretch.found.slice(0, limit - ids.length));
      found += stretch.found.length;
      after = stretch.end;
    } while (after !== null && found < MOST_COUNTED);
    return { ids, found: Math.min(found, MOST_COUNTED) };
  }

  /** What is kept of a filter: nothing of a person. */
  private impersonal({
    text,
    entity,
    since,
    until,
    ...filter
  }: ReplayPreviewBody['filter']): Readonly<Record<string, unknown>> {
    return {
      ...filter,
      ...(entity === undefined ? {} : { entity: maskEntity(entity, this.parts.catalogue.current) }),
      ...(text === undefined ? {} : { text: '•••' }),
      ...(since === undefined ? {} : { since: since.toISOString() }),
      ...(until === undefined ? {} : { until: until.toISOString() }),
    };
  }
}

function rulesOf(ruleSet: RuleSet, rule: string | undefined) {
  if (rule === undefined) return { own: ruleSet, only: null };
  liveRule(ruleSet, rule);
  return { own: aloneIn(ruleSet, rule) ?? ruleSet, only: rule };
}

export function tooLarge(found: number, limit: number): Refusal {
  const many = found >= MOST_COUNTED ? `${MOST_COUNTED} or more` : String(found);
  return new Refusal(
    409,
    'SELECTION_TOO_LARGE',
    `There are ${many}, and ${limit} are the most: ask for less, for a shorter time, or for the oldest only.`,
  );
}

export function unknownReplay(id: string): Refusal {
  return new Refusal(404, 'REPLAY_UNKNOWN', `There is no replay or recall "${id.slice(0, 100)}".`);
}
