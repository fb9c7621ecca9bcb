import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { RecallSelection } from '../../rules/replays/recall-selection.js';
import type { RecallChoice } from '../../rules/replays/recall-store.js';
import type { ReplayOrders } from '../../rules/replays/replay-orders.js';
import type { Previews } from '../../rules/replays/replay-preview.js';
import { MOST_REPLAYED } from '../../rules/replays/replay-store.js';
import { aloneIn, RECALL } from '../../rules/replays/replay-worker.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { RecalledRow, ReplayList } from '../read/replay-list.js';
import type { ActBody } from './deliveries.schema.js';
import { deliveryOf } from './deliveries.service.js';
import { liveRules, type Turnstile } from './live-rules.js';
import { type Page, pageOf, type PageQuery, readCursor } from './page.js';
import { maskDelivery, readsPersonal } from './personal.js';
import { counted, previewed } from './previewed.js';
import type {
  NewRecallBody,
  RecallPreviewAnswer,
  RecallPreviewBody,
  RecallSelectionQuery,
  RecalledDelivery,
  RecalledQuery,
} from './recalls.schema.js';
import type { Replay, ReplayDetail } from './replays.schema.js';
import type { ReplaysService } from './replays.service.js';
import { refusalOf } from './rule-set-refusal.js';

const DAY_MS = 86_400_000;

/** People take back what a rule has sent, and have the mended rule send what it asks for. */
export class RecallsService {
  constructor(
    private readonly rows: ReplayList,
    private readonly replays: ReplaysService,
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
  ) {}

  /**
   * What a recall would do. Writes nothing.
   *
   * @throws Refusal 404 RULE_SET_UNKNOWN, RULE_UNKNOWN; 409 RULE_SET_UNREADABLE, SELECTION_TOO_LARGE; 429 BUSY
   */
  async preview(body: RecallPreviewBody): Promise<RecallPreviewAnswer> {
    return await this.desk.turnstile.through(async () => {
      const ruleSet = await liveRules(this.parts.ruleSets);
      const { selection } = await this.choose(ruleSet, body);
      const mended = aloneIn(ruleSet, body.rule);
      const order = { occasion: `${RECALL}preview`, rule: body.rule, ruleSet, mended };
      const byEntity = Map.groupBy(selection.deliveries, ({ entity }) => entity);
      const selected = new Map(
        [...byEntity].map(([entity, all]) => [entity, new Set(all.map(({ id }) => id))]),
      );
      const told = await this.desk.previews.recall(order, selection.events, selected);
      return {
        ...previewed(told),
        ruleSet: ruleSet.hash,
        rule: body.rule,
        mended: mended?.ruleOf(body.rule)?.mode === 'live',
        events: selection.events.length,
        deliveries: counted(
          told.deliveries.map(({ action, target, state, outcome, code }) => ({
            action,
            target,
            state,
            outcome,
            code,
          })),
        ),
      };
    });
  }

  /**
   * Orders a recall; workers go through it.
   *
   * @throws Refusal as `preview`; 409 RULE_SET_CHANGED, SELECTION_EMPTY
   */
  async create(actor: Actor, body: NewRecallBody): Promise<ReplayDetail> {
    const ruleSet = await liveRules(this.parts.ruleSets, body.ruleSet);
    const { selection, choice } = await this.choose(ruleSet, body);
    if (selection.events.length === 0)
      throw new Refusal(409, 'SELECTION_EMPTY', 'The rule sent nothing then, and listened to no event.');
    const { rule, replay, reason = null } = body;
    const filter = {
      since: choice.since.toISOString(),
      until: choice.until.toISOString(),
      replay,
      ...(choice.ruleSets === null ? {} : { ruleSets: choice.ruleSets }),
    };
    const id = await this.desk.orders.recall(
      { createdBy: actor.name, purpose: reason, ruleSet: ruleSet.hash, onlyRule: rule, filter },
      selection,
      async (tx, made) => {
        await this.parts.audit.record(tx, actor, {
          action: 'recall.create',
          subject: `recall:${made}`,
          detail: {
            rule,
            ...filter,
            deliveries: selection.deliveries.length,
            events: selection.events.length,
            ruleSet: ruleSet.hash,
            ...(reason === null ? {} : { reason }),
          },
        });
      },
    );
    return await this.find(actor, id);
  }

  async list(query: PageQuery): Promise<Page<Replay>> {
    return await this.replays.list('recall', query);
  }

  /** @throws Refusal 404 REPLAY_UNKNOWN */
  async find(actor: Actor, id: string): Promise<ReplayDetail> {
    return await this.replays.get(actor, 'recall', id);
  }

  /** @throws Refusal 404 REPLAY_UNKNOWN; 409 REPLAY_ENDED */
  async cancel(actor: Actor, id: string, body: ActBody): Promise<ReplayDetail> {
    return await this.replays.cancel(actor, 'recall', id, body);
  }

  /**
   * The deliveries that a recall is about, and what became of each.
   *
   * @throws Refusal 404 REPLAY_UNKNOWN
   */
  async deliveries(
    actor: Actor,
    id: string,
    { limit, cursor, outcome }: RecalledQuery,
  ): Promise<Page<RecalledDelivery>> {
    await this.find(actor, id);
    const rows = await this.rows.recalled(id, outcome, { limit, after: readCursor(cursor) });
    return this.pageOf(actor, rows, limit);
  }

  /** The deliveries that a recall would be about. Nothing is evaluated. */
  async selection(actor: Actor, rule: string, query: RecallSelectionQuery): Promise<Page<RecalledDelivery>> {
    const { ruleSet, limit, cursor } = query;
    const now = this.parts.clock.now();
    const choice = {
      rule,
      ruleSets: await this.hashesOf(ruleSet === undefined ? undefined : [ruleSet]),
      since: query.since ?? new Date(now - DAY_MS),
      until: query.until ?? new Date(now + 1),
    };
    return this.pageOf(actor, await this.rows.chosen(choice, { limit, after: readCursor(cursor) }), limit);
  }

  private pageOf(actor: Actor, rows: readonly RecalledRow[], limit: number): Page<RecalledDelivery> {
    const catalogue = this.parts.catalogue.current;
    const items = rows.map((row): RecalledDelivery => {
      const { decidedBy, outcome, outcomeCode, undoId, nextId } = row;
      const delivery = { ...deliveryOf(row), decidedBy, outcome, outcomeCode, undoId, nextId };
      return readsPersonal(actor) ? delivery : maskDelivery(delivery, catalogue);
    });
    return pageOf(items, limit);
  }

  private async choose(
    ruleSet: RuleSet,
    { rule, ruleSets, since, until, replay }: RecallPreviewBody,
  ): Promise<{ readonly choice: RecallChoice; readonly selection: RecallSelection }> {
    const choice = {
      rule,
      ruleSets: await this.hashesOf(ruleSets),
      since,
      until: until ?? new Date(this.parts.clock.now() + 1),
    };
    const selection = await this.desk.orders.choose(ruleSet, choice, replay);
    if (typeof selection.deliveries === 'number')
      throw tooLarge(selection.deliveries, Number(selection.events));
    // A rule that is gone has left deliveries, or was never there.
    if (selection.deliveries.length === 0 && !ruleSet.ruleOf(rule))
      throw new Refusal(
        404,
        'RULE_UNKNOWN',
        `no rule "${rule.slice(0, 200)}" is live, and none of that name sent anything then`,
      );
    return { choice, selection: selection as RecallSelection };
  }

  private async hashesOf(ruleSets: readonly string[] | undefined): Promise<readonly string[] | null> {
    if (ruleSets === undefined) return null;
    try {
      return await Promise.all(
        ruleSets.map(async (one) =>
          one === 'live'
            ? (await liveRules(this.parts.ruleSets)).hash
            : await this.parts.ruleSets.hashOf(one),
        ),
      );
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

function tooLarge(deliveries: number, events: number): Refusal {
  const many = (count: number): string =>
    count > MOST_REPLAYED ? `more than ${MOST_REPLAYED}` : String(count);
  return new Refusal(
    409,
    'SELECTION_TOO_LARGE',
    `It is about ${many(deliveries)} deliveries and ${many(events)} events, and ${MOST_REPLAYED} are the most: recall a shorter time, one after the other, or only what was sent.`,
  );
}
