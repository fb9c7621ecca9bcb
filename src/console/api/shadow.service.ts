import { requestWithReferences } from '../../action/request-with-references.js';
import type { RenderedRequest } from '../../action/action.js';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import { sqlState } from '../../database/database.errors.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { fieldChanges } from '../../rules/backtest/field-changes.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type {
  ComparedRow,
  ShadowComparison,
  ShadowDetailRow,
  ShadowWindow,
} from '../read/shadow-comparison.js';
import { isUuid, type Page, pageOf, readCursor } from './page.js';
import { MASK, maskEntity, maskTarget, readsPersonal } from './personal.js';
import { refusalOf } from './rule-set-refusal.js';
import { isoOf } from './schema-parts.js';
import type {
  ComparedDelivery,
  ShadowDelivery,
  ShadowListQuery,
  ShadowQuery,
  ShadowRule,
  ShadowRules,
} from './shadow.schema.js';

const WEEK_MS = 7 * 86_400_000;
/** So long the database compares one rule. */
const WITHIN_MS = 20_000;
const QUERY_CANCELED = '57014';
/** So many rules are counted by one request. */
const MOST_RULES = 200;

/** Rules in shadow mode beside their live twins. */
export class ShadowService {
  constructor(
    private readonly rows: ShadowComparison,
    private readonly parts: {
      readonly ruleSets: RuleSetStore;
      readonly catalogue: LiveCatalogue;
      readonly clock: Clock;
    },
  ) {}

  /** @throws Refusal 400 SHADOW_WINDOW_EMPTY, 503 SHADOW_TOO_LONG */
  async list(query: ShadowQuery): Promise<ShadowRules> {
    const window = this.windowOf(query);
    const rules = ((await this.live())?.rules ?? []).filter(({ mode }) => mode === 'shadow');
    const items: ShadowRules['items'] = [];
    for (const { name, mode, shadowOf } of rules.slice(0, MOST_RULES)) {
      const twins = (await this.rows.twinsOf(name)) ?? [];
      items.push({ rule: name, mode, shadowOf, ...(await this.counted(name, twins, window)) });
    }
    return { ...shown(window), items };
  }

  /** @throws Refusal 404 RULE_UNKNOWN, and as `list` */
  async find(name: string, query: ShadowQuery): Promise<ShadowRule> {
    const window = this.windowOf(query);
    const { twins, ...rule } = await this.ruleOf(name);
    return { ...rule, ...shown(window), ...(await this.counted(name, twins, window)) };
  }

  /** @throws Refusal 400 CURSOR_INVALID, and as `find` */
  async deliveries(
    actor: Actor,
    name: string,
    { limit, cursor, standing, ...query }: ShadowListQuery,
  ): Promise<Page<ComparedDelivery>> {
    const after = readCursor(cursor);
    const window = this.windowOf(query);
    const { twins } = await this.ruleOf(name);
    const rows = await inTime(() =>
      this.rows.list(name, twins, { ...window, standing }, { limit, after }, WITHIN_MS),
    );
    return pageOf(
      rows.map((row) => this.compared(actor, row)),
      limit,
    );
  }

  /** @throws Refusal 404 DELIVERY_UNKNOWN */
  async delivery(actor: Actor, id: string): Promise<ShadowDelivery> {
    const row = isUuid(id) ? await this.rows.find(id) : null;
    if (!row)
      throw new Refusal(404, 'DELIVERY_UNKNOWN', `no shadow delivery has the id "${id.slice(0, 100)}"`);
    const detail = detailOf(row);
    return readsPersonal(actor) ? detail : this.masked(detail);
  }

  private async counted(name: string, twins: readonly string[], window: ShadowWindow) {
    return await inTime(() => this.rows.count(name, twins, window, WITHIN_MS));
  }

  private async ruleOf(
    name: string,
  ): Promise<Pick<ShadowRule, 'rule' | 'mode' | 'shadowOf'> & { readonly twins: readonly string[] }> {
    const rule = (await this.live())?.ruleOf(name);
    const twins = name.includes('\0') ? null : await this.rows.twinsOf(name);
    if (rule?.mode !== 'shadow' && twins === null)
      throw new Refusal(404, 'RULE_UNKNOWN', `no rule "${name.slice(0, 200)}" is or was in shadow mode`);
    const shadowOf = rule?.mode === 'shadow' ? rule.shadowOf : (twins?.[0] ?? null);
    return { rule: name, mode: rule?.mode ?? null, shadowOf, twins: twins ?? [] };
  }

  private async live(): Promise<RuleSet | null> {
    try {
      return await this.parts.ruleSets.current();
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private windowOf({ since, until }: ShadowQuery): ShadowWindow {
    const end = until ?? new Date(this.parts.clock.now() + 1);
    const begin = since ?? new Date(end.getTime() - WEEK_MS);
    if (begin >= end)
      throw new Refusal(400, 'SHADOW_WINDOW_EMPTY', 'The time of the comparison ends before it begins.');
    return { since: begin, until: end };
  }

  private compared(actor: Actor, row: ComparedRow): ComparedDelivery {
    const { id, standing, action, eventId, occasion, entity, decidedAt, shadow, live } = row;
    const open = readsPersonal(actor);
    const target = (one: { readonly target: string }): string => (open ? one.target : maskTarget(one.target));
    return {
      id,
      standing,
      action,
      eventId,
      occasion,
      entity: open ? entity : maskEntity(entity, this.parts.catalogue.current),
      decidedAt: isoOf(decidedAt),
      shadow: shadow && { ...shadow, target: target(shadow), dueAt: isoOf(shadow.dueAt) },
      live: live && { ...live, target: target(live), dueAt: isoOf(live.dueAt) },
    };
  }

  private masked(detail: ShadowDelivery): ShadowDelivery {
    const { target, entity, reason, twin } = detail;
    return {
      ...detail,
      target: maskTarget(target),
      entity: maskEntity(entity, this.parts.catalogue.current),
      reason: reason === null ? null : MASK,
      request: null,
      twin: twin && { ...twin, target: maskTarget(twin.target), request: null },
      changes: [],
      masked: true,
    };
  }
}

function detailOf(row: ShadowDetailRow): ShadowDelivery {
  const { id, actionKey, shadowOf, eventId, occasion, rule, action, kind, target, entity } = row;
  const { decidedAt, dueAt, state, code, reason } = row;
  const request = shownRequest(row.request);
  const { liveId, liveTarget, liveState, liveCode, liveDueAt } = row;
  const twin =
    liveId !== null && liveTarget !== null && liveState !== null && liveDueAt !== null
      ? {
          id: liveId,
          target: liveTarget,
          state: liveState,
          code: liveCode,
          dueAt: isoOf(liveDueAt),
          request: shownRequest(row.liveRequest),
        }
      : null;
  const isCompared = state === 'pending' || state === 'held' || state === 'dead';
  const changes = twin ? fieldChanges({ target: twin.target, ...twin.request }, { target, ...request }) : [];
  const same = changes.length === 0 && (twin?.request === null) === (request === null);
  return {
    id,
    standing: !isCompared ? null : !twin ? 'shadow' : same ? 'same' : 'different',
    rule,
    shadowOf,
    actionKey,
    action,
    kind,
    eventId,
    occasion,
    target,
    entity,
    decidedAt: isoOf(decidedAt),
    dueAt: isoOf(dueAt),
    state,
    code,
    reason,
    request,
    twin,
    changes: [...changes],
    masked: false,
  };
}

function shownRequest(request: RenderedRequest | null): Record<string, unknown> | null {
  return request && requestWithReferences(request);
}

function shown({ since, until }: ShadowWindow): { readonly since: string; readonly until: string } {
  return { since: isoOf(since), until: isoOf(until) };
}

/** @throws Refusal 503 SHADOW_TOO_LONG */
async function inTime<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) === QUERY_CANCELED)
      throw new Refusal(
        503,
        'SHADOW_TOO_LONG',
        `The comparison took longer than ${WITHIN_MS / 1000} s: ask for less time.`,
      );
    throw error;
  }
}
