import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { AddressGuard } from '../../src/action/address-guard.js';
import { DeliveryStore } from '../../src/action/delivery-store.js';
import { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { OutboundHttp } from '../../src/action/outbound-http.js';
import type { Clock } from '../../src/config/clock.js';
import type { Log } from '../../src/config/log.js';
import { Metrics } from '../../src/config/metrics.js';
import type { FeishuApp } from '../../src/config/sources.js';
import { Partitions } from '../../src/database/partitions.js';
import type { Catalogue } from '../../src/events/catalogue.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { decide } from '../../src/rules/decide.js';
import { DecisionWorker } from '../../src/rules/decision-worker.js';
import type { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { LookupCache } from '../../src/rules/lookup-cache.js';
import { LookupFetcher } from '../../src/rules/lookup-fetcher.js';
import { LookupStore } from '../../src/rules/lookup-store.js';
import { LOOKUP_LEASE_SECONDS, LookupWorker } from '../../src/rules/lookup-worker.js';
import { RuleStores, storesOf } from '../../src/rules/rule-stores.js';
import type { RuleSetStore } from '../../src/rules/rule-set-store.js';

/** What the decision worker needs for look-ups, with the platform's apps at 127.0.0.1. */
export function lookupsWith(
  dataSource: DataSource,
  { apps = [], secrets = new Map() }: { apps?: readonly FeishuApp[]; secrets?: ReadonlyMap<string, string> },
  clock: Clock,
  log: Log,
): { store: LookupStore; cache: LookupCache; fetcher: LookupFetcher; close: () => Promise<void> } {
  const guard = new AddressGuard([{ kind: 'cidr', address: '127.0.0.0', prefix: 8, port: null }]);
  const http = new OutboundHttp({ guard, ca: undefined });
  const platform = new FeishuPlatform({ apps, http: new OutboundHttp({ guard, ca: undefined }), clock, log });
  return {
    store: new LookupStore(dataSource),
    cache: new LookupCache(),
    fetcher: new LookupFetcher(platform, http, secrets, clock),
    close: async () => {
      await Promise.all([http.close(), platform.close()]);
    },
  };
}

/** An app of the fake Feishu. */
export function appAt(domain: string, changes: Partial<FeishuApp> = {}): FeishuApp {
  return {
    name: 'default',
    path: '/webhook/event',
    mode: 'webhook',
    domain,
    appId: 'cli_9f5343c580712544',
    appSecret: 'app-secret',
    encryptKey: undefined,
    verificationToken: undefined,
    signatureMaxAge: null,
    ...changes,
  };
}

/** One instance of the rules room, with nothing in its memory. */
export interface DecidingInstance {
  readonly events: EventStore;
  readonly ruleSets: RuleSetStore;
  readonly evaluations: EvaluationStore;
  readonly deliveries: DeliveryStore;
  readonly decisions: DecisionWorker;
  readonly lookups: LookupWorker;
  readonly fetcher: LookupFetcher;
  close: () => Promise<void>;
}

/** `decided` hears the sender's id of each event as it is decided. */
export function decidingInstance(
  dataSource: DataSource,
  catalogue: Catalogue,
  given: { readonly apps: readonly FeishuApp[]; readonly decided: (eventId: string) => void },
  clock: Clock,
  log: Log,
): DecidingInstance {
  const wakeup = new Wakeup(dataSource);
  const { store, close, ...ways } = lookupsWith(dataSource, { apps: given.apps }, clock, log);
  const events = new EventStore(dataSource, new Partitions(dataSource), wakeup, clock);
  const deliveries = new DeliveryStore(dataSource, wakeup);
  const live = new LiveCatalogue(dataSource, catalogue);
  const timezone = 'Asia/Shanghai';
  const rules = storesOf(
    new RuleStores(dataSource, { builtIn: catalogue, live, clock, deliveries, timezone }),
  );
  const { ruleSets, evaluations } = rules;
  const options = { timezone, wakeup, clock, log, metrics: new Metrics() };
  const partitions = new Partitions(dataSource);
  return {
    events,
    ruleSets,
    evaluations,
    deliveries,
    fetcher: ways.fetcher,
    close,
    decisions: new DecisionWorker(dataSource, { ...rules, events, deliveries, partitions }, ways, {
      ...options,
      decide: async (ruleSet, subject, inputs, situation) => {
        given.decided(subject.key.slice(subject.key.indexOf('/') + 1));
        return await decide(ruleSet, subject, inputs, situation);
      },
    }),
    lookups: new LookupWorker(
      dataSource,
      new LeasedRows(
        dataSource,
        { table: 'lookups', ready: 'pending', taken: 'fetching', group: 'service' },
        randomUUID(),
        LOOKUP_LEASE_SECONDS,
      ),
      { lookups: store, events, ruleSets },
      ways,
      options,
    ),
  };
}
