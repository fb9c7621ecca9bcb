import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import type { Log } from '../../config/log.js';
import type { Metrics } from '../../config/metrics.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { EventStore } from '../../events/event-store.js';
import type { LookupFetcher } from '../lookup-fetcher.js';
import type { RuleStores } from '../rule-stores.js';
import { FindingStore } from './finding-store.js';
import { LostScan } from './lost-scan.js';
import { Radar } from './radar.js';
import { Reconciler } from './reconciler.js';

/** The parts of the radar, put together once. */
export class RadarRoom {
  readonly findings: FindingStore;
  readonly scan: LostScan;
  readonly radar: Radar;
  /** Null: nobody asks the platform. */
  readonly reconciler: Reconciler | null;

  constructor(
    dataSource: DataSource,
    stores: Pick<RuleStores, 'evaluations' | 'ruleSets' | 'reconciled'> & { readonly events: EventStore },
    builtIn: Catalogue,
    options: {
      readonly clock: Clock;
      readonly timezone: string;
      /** Whether suspects are asked about, here or elsewhere. */
      readonly asks: boolean;
      /** How, here; null: this process asks nobody. */
      readonly way: { readonly fetcher: LookupFetcher; readonly log: Log; readonly metrics: Metrics } | null;
    },
  ) {
    const { clock, timezone, asks, way } = options;
    const { events, evaluations, ruleSets, reconciled } = stores;
    this.findings = new FindingStore(dataSource);
    this.scan = new LostScan(dataSource, events);
    const { findings, scan } = this;
    const all = { events, evaluations, ruleSets, findings, scan };
    this.radar = new Radar(dataSource, all, builtIn, { clock, timezone, asks });
    this.reconciler =
      asks && way
        ? new Reconciler(dataSource, { events, reconciled, scan }, way.fetcher, { clock, ...way })
        : null;
  }
}
