import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { parseDuration } from '../../config/duration.js';
import { Refusal } from '../../config/problem.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { findingSentence } from '../../rules/radar/finding-sentence.js';
import type { StoredFinding } from '../../rules/radar/finding-store.js';
import type { Suspect } from '../../rules/radar/lost-scan.js';
import type { RadarRoom } from '../../rules/radar/radar-room.js';
import type { Reconciled, Reconciler } from '../../rules/radar/reconciler.js';
import { RunLimitError } from '../../rules/trial/run-order.js';
import type { AuditLog } from '../access/audit-log.js';
import { isUuid } from './page.js';
import type {
  DismissBody,
  RadarAnswerBody,
  RadarFindingAnswer,
  RadarQuery,
  ReconcileBody,
  ReconciledAnswer,
  RefreshBody,
} from './radar.schema.js';
import { refusalOf } from './rule-set-refusal.js';
import { isoOf } from './schema-parts.js';

/** More questions by one request than this take longer than anybody waits. */
const MOST_ASKED = 50;
const RECENT_MS = 30 * 86_400_000;

/** What the radar has found, and what people do about it. */
export class RadarService {
  private computing = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly room: Pick<RadarRoom, 'findings' | 'scan' | 'radar'>,
    /** Of this process; null: it asks nobody. */
    private readonly reconciler: () => Reconciler | null,
    private readonly parts: {
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
      /** Whether the settings let the platform be asked. */
      readonly asks: boolean;
    },
  ) {}

  async list({ state, kind }: RadarQuery): Promise<RadarAnswerBody> {
    const { findings } = this.room;
    const [{ computedAt, looked }, rows, [made]] = await Promise.all([
      findings.progress(),
      findings.list([state ?? 'open'], kind ?? null),
      this.dataSource.query<[{ count: number }]>(
        'select count(*)::int as count from reconciled_events where created_at >= $1',
        [new Date(this.parts.clock.now() - RECENT_MS)],
      ),
    ]);
    return {
      computedAt: isoOf(computedAt),
      looked,
      asks: this.parts.asks,
      reconciled: made.count,
      items: rows.map(shown),
    };
  }

  /**
   * Looks now.
   *
   * @throws Refusal 409 RULES_NONE, RULE_SET_UNREADABLE; 429 BUSY; 503 TRIAL_TOO_LONG, TRIAL_TOO_LARGE
   */
  async refresh(
    actor: Actor,
    { since, grace }: RefreshBody,
    query: RadarQuery = {},
  ): Promise<RadarAnswerBody> {
    if (this.computing)
      throw new Refusal(429, 'BUSY', 'The radar is looking already: ask again in a moment.', {
        headers: { 'retry-after': '5' },
      });
    this.computing = true;
    try {
      await this.parts.catalogue.refresh();
      const windowMs = since === undefined ? null : parseDuration(since);
      const graceMs = grace === undefined ? null : parseDuration(grace);
      const computed = await this.room.radar.compute({
        ...(windowMs === null ? {} : { windowMs }),
        ...(graceMs === null ? {} : { graceMs }),
      });
      if (!computed)
        throw new Refusal(409, 'RULES_NONE', 'No rule set is live: there is nothing to look for.');
      await this.audit(actor, 'radar.refresh', 'radar', { findings: computed.findings.length });
    } catch (error) {
      if (error instanceof RunLimitError)
        throw new Refusal(
          503,
          error.code,
          'It took more than there is room for: look at less, with "since".',
        );
      throw refusalOf(error);
    } finally {
      this.computing = false;
    }
    return await this.list(query);
  }

  /** @throws Refusal 404 FINDING_UNKNOWN, 409 FINDING_STATE */
  async dismiss(actor: Actor, id: string, { reason }: DismissBody): Promise<RadarFindingAnswer> {
    const { findings } = this.room;
    const found = isUuid(id) ? await findings.find(id) : null;
    if (!found) throw new Refusal(404, 'FINDING_UNKNOWN', `There is no finding "${id.slice(0, 100)}".`);
    return await this.dataSource.transaction(async (tx) => {
      if (!(await findings.dismiss(tx, id, actor.name, reason, this.parts.clock.now())))
        throw new Refusal(409, 'FINDING_STATE', `The finding ${id} is ${found.state} and not open.`);
      await this.parts.audit.record(tx, actor, {
        action: 'radar.dismiss',
        subject: `finding:${id}`,
        detail: { kind: found.kind, about: found.subject, reason },
      });
      return shown((await findings.find(id, tx)) ?? found);
    });
  }

  /**
   * Asks the platform about a process, or about all that events were lost of.
   *
   * @throws Refusal 404 ENTITY_UNKNOWN; 409 RECONCILE_OFF, RECONCILE_NOT_HERE, RECONCILE_UNFIT
   */
  async reconcile(
    actor: Actor,
    { entity, dryRun = false, reason }: ReconcileBody,
  ): Promise<ReconciledAnswer> {
    const reconciler = this.known();
    await this.parts.catalogue.refresh();
    const catalogue = this.parts.catalogue.current;
    const suspects = entity === undefined ? await this.lost() : [await this.one(entity)];
    const fit = suspects.filter((one) => reconciler.canAsk(one));
    if (entity !== undefined && fit.length === 0)
      throw new Refusal(
        409,
        'RECONCILE_UNFIT',
        `Of "${entity.slice(0, 100)}" the platform has no detail that could be read: only processes of Feishu People are.`,
      );
    if (!dryRun)
      await this.audit(actor, 'radar.reconcile', entity ?? 'radar', {
        processes: Math.min(fit.length, MOST_ASKED),
        ...(reason === undefined ? {} : { reason }),
      });
    const items: Reconciled[] = [];
    for (const suspect of fit.slice(0, MOST_ASKED)) {
      const result = await reconciler.run(suspect, catalogue, { dryRun });
      if (result.pauseMs !== null && items.length > 0) break;
      items.push(result);
      if (result.pauseMs !== null) break;
    }
    return {
      dryRun,
      items: items.map(({ entity: about, outcome, detail, made }) => ({
        entity: about,
        outcome,
        detail,
        made: [...made],
      })),
      left: fit.length - items.length,
    };
  }

  private known(): Reconciler {
    if (!this.parts.asks)
      throw new Refusal(
        409,
        'RECONCILE_OFF',
        'The platform is not asked: set FEISHU_APP_SECRET, and RECONCILE to on.',
      );
    const reconciler = this.reconciler();
    if (reconciler) return reconciler;
    throw new Refusal(
      409,
      'RECONCILE_NOT_HERE',
      'This instance asks nobody: ask one whose ROLE has "rules", or run the command on its machine.',
    );
  }

  private async one(entity: string): Promise<Suspect> {
    const suspect = await this.room.scan.find(entity, this.parts.catalogue.current);
    if (suspect) return suspect;
    throw new Refusal(404, 'ENTITY_UNKNOWN', `Nothing is known of "${entity.slice(0, 100)}".`);
  }

  private async lost(): Promise<Suspect[]> {
    const rows = await this.room.findings.list(['open'], 'lost-events');
    const found: Suspect[] = [];
    for (const { subject } of rows) {
      const suspect = await this.room.scan.find(subject, this.parts.catalogue.current);
      if (suspect) found.push(suspect);
    }
    return found;
  }

  private async audit(
    actor: Actor,
    action: string,
    subject: string,
    detail: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      await this.parts.audit.record(tx, actor, { action, subject, detail });
    });
  }
}

function shown(finding: StoredFinding): RadarFindingAnswer {
  const { id, kind, subject, rules, count, detail, state } = finding;
  const { firstSeen, lastSeen, toldAt, endedAt, endedBy, reason } = finding;
  return {
    id,
    kind,
    subject,
    rules: [...rules],
    count,
    sentence: findingSentence(finding),
    detail: { ...detail },
    state,
    firstSeen: isoOf(firstSeen),
    lastSeen: isoOf(lastSeen),
    toldAt: isoOf(toldAt),
    endedAt: isoOf(endedAt),
    endedBy,
    reason,
  };
}
