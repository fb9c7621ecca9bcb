import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import type { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { Metrics } from '../../config/metrics.js';
import { within } from '../../config/within.js';
import { EventStore } from '../../events/event-store.js';
import { RuleLoader } from '../../rules/rule-loader.js';
import { RuleSetStore } from '../../rules/rule-set-store.js';
import { DepthGauge, type Depths, OPEN_STATES } from './depths.js';
import { OpenRooms } from './open-rooms.js';

const DATABASE_WITHIN_MS = 2000;
const SEVERITIES = ['error', 'warning', 'info'] as const;

/** Reads what is only read when somebody looks, and writes all metrics in Prometheus' text format. */
@Injectable()
export class Scrape {
  constructor(
    private readonly metrics: Metrics,
    private readonly dataSource: DataSource,
    private readonly depths: DepthGauge,
    private readonly rooms: OpenRooms,
  ) {}

  /** Takes 2 s at most, whatever the database does. */
  async text(): Promise<{ readonly type: string; readonly text: string }> {
    const { metrics } = this;
    const [depths, rules] = await Promise.all([
      this.depths.now(),
      within(this.rules(), DATABASE_WITHIN_MS, undefined),
    ]);
    if (!depths) metrics.scrapeErrors.inc();
    this.showDepths(depths);
    this.showProcess();
    show(metrics.ruleSetRules, rules);
    this.showFindings();
    return { type: metrics.registry.contentType, text: await metrics.registry.metrics() };
  }

  private showDepths(depths: Depths | null): void {
    const { metrics } = this;
    show(metrics.undecided, depths?.undecided);
    show(metrics.undecidedAge, seconds(depths?.undecidedAge));
    show(metrics.lookupsWaiting, depths?.waiting);
    show(metrics.lookupsWaitingAge, seconds(depths?.waitingAge));
    show(metrics.quarantined, depths?.quarantined);
    show(metrics.deliveriesDue, depths?.due);
    show(metrics.deliveriesDueAge, seconds(depths?.dueAge));
    show(metrics.indexLag, seconds(depths?.indexLag));
    show(metrics.ruleSetActivated, seconds(depths?.ruleSet?.activatedAt.getTime()));
    metrics.ruleSetInfo.reset();
    if (depths?.ruleSet) metrics.ruleSetInfo.set({ hash: depths.ruleSet.hash }, 1);
    metrics.deliveries.reset();
    if (depths) for (const state of OPEN_STATES) metrics.deliveries.set({ state }, depths.deliveries[state]);
  }

  private showProcess(): void {
    const { metrics } = this;
    show(metrics.commitBacklog, this.rooms.find(EventStore)?.backlog);
    const { master } = this.dataSource.driver as unknown as { readonly master: pg.Pool };
    metrics.poolConnections.set({ state: 'in_use' }, master.totalCount - master.idleCount);
    metrics.poolConnections.set({ state: 'idle' }, master.idleCount);
    metrics.poolWaiting.set(master.waitingCount);
  }

  /** Undefined: this role evaluates none, or the database does not say. */
  private async rules(): Promise<number | undefined> {
    if (!this.rooms.find(RuleLoader)) return undefined;
    const current = this.rooms.find(RuleSetStore)?.current();
    return await current?.then(
      (ruleSet) => ruleSet?.rules.length ?? 0,
      () => undefined,
    );
  }

  private showFindings(): void {
    const findings = this.rooms.find(RuleLoader)?.findings;
    if (!findings) return;
    for (const severity of SEVERITIES)
      this.metrics.ruleFindings.set(
        { severity },
        findings.filter((finding) => finding.severity === severity).length,
      );
  }
}

/** A gauge that nothing is known of is left out: 0 would say that all is well. */
function show(gauge: Gauge<never>, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
