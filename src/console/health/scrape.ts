import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import type { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { Metrics } from '../../config/metrics.js';
import { within } from '../../config/within.js';
import { EventStore } from '../../events/event-store.js';
import { CalendarWatch } from '../../rules/calendar-watch.js';
import { RADAR_KINDS } from '../../rules/radar/finding.js';
import { RuleLoader } from '../../rules/rule-loader.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { RuleSetStore } from '../../rules/rule-set-store.js';
import { BREAKER_STATES } from '../read/target-list.js';
import { UNSETTLED_STATES } from '../read/unsettled-list.js';
import { DepthGauge, type Depths, OPEN_STATES, TIMER_STANDINGS } from './depths.js';
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
    const [depths, ruleSet] = await Promise.all([
      this.depths.now(),
      within(this.ruleSet(), DATABASE_WITHIN_MS, undefined),
    ]);
    if (!depths) metrics.scrapeErrors.inc();
    this.showDepths(depths);
    this.showProcess();
    show(metrics.ruleSetRules, ruleSet === undefined ? undefined : (ruleSet?.rules.length ?? 0));
    this.showCalendars(ruleSet ?? null);
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
    show(metrics.timersOverdueAge, seconds(depths?.overdueAge));
    show(metrics.indexLag, seconds(depths?.indexLag));
    show(metrics.ruleSetActivated, seconds(depths?.ruleSet?.activatedAt.getTime()));
    metrics.ruleSetInfo.reset();
    if (depths?.ruleSet) metrics.ruleSetInfo.set({ hash: depths.ruleSet.hash }, 1);
    metrics.deliveries.reset();
    metrics.timers.reset();
    metrics.unsettled.reset();
    metrics.targets.reset();
    metrics.radarFindings.reset();
    if (!depths) return;
    for (const state of OPEN_STATES) metrics.deliveries.set({ state }, depths.deliveries[state]);
    for (const state of TIMER_STANDINGS) metrics.timers.set({ state }, depths.timers[state]);
    for (const kind of RADAR_KINDS) metrics.radarFindings.set({ kind }, depths.radar[kind]);
    for (const breaker of BREAKER_STATES) metrics.targets.set({ breaker }, depths.targets[breaker]);
    for (const state of UNSETTLED_STATES) metrics.unsettled.set({ state }, depths.unsettled[state]);
  }

  private showProcess(): void {
    const { metrics } = this;
    show(metrics.commitBacklog, this.rooms.find(EventStore)?.backlog);
    const { master } = this.dataSource.driver as unknown as { readonly master: pg.Pool };
    metrics.poolConnections.set({ state: 'in_use' }, master.totalCount - master.idleCount);
    metrics.poolConnections.set({ state: 'idle' }, master.idleCount);
    metrics.poolWaiting.set(master.waitingCount);
  }

  /** Null: none is live. Undefined: this role evaluates none, or the database does not say. */
  private async ruleSet(): Promise<RuleSet | null | undefined> {
    if (!this.rooms.find(RuleLoader)) return undefined;
    return await this.rooms
      .find(RuleSetStore)
      ?.current()
      .catch(() => undefined);
  }

  private showCalendars(ruleSet: RuleSet | null): void {
    const { calendarDaysLeft } = this.metrics;
    calendarDaysLeft.reset();
    const known = ruleSet && this.rooms.find(CalendarWatch)?.known(ruleSet);
    for (const { name, daysLeft } of known?.ends ?? []) calendarDaysLeft.set({ calendar: name }, daysLeft);
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
