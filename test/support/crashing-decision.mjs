// A process that decides, and dies over one event: node crashing-decision.mjs <DATABASE_URL> <event key>
import { DeliveryStore } from '../../dist/action/delivery-store.js';
import { SystemClock } from '../../dist/config/clock.js';
import { Metrics } from '../../dist/config/metrics.js';
import { createDataSource } from '../../dist/database/data-source.js';
import { Partitions } from '../../dist/database/partitions.js';
import { loadBuiltInCatalogue } from '../../dist/events/catalogue.js';
import { EventStore } from '../../dist/events/event-store.js';
import { LiveCatalogue } from '../../dist/events/live-catalogue.js';
import { Wakeup } from '../../dist/queue/wakeup.js';
import { decide } from '../../dist/rules/decide.js';
import { DecisionWorker } from '../../dist/rules/decision-worker.js';
import { LookupCache } from '../../dist/rules/lookup-cache.js';
import { RuleStores, storesOf } from '../../dist/rules/rule-stores.js';

const [, , url, killer] = process.argv;
const clock = new SystemClock();
const dataSource = await createDataSource({ url }, 4).initialize();
const builtIn = loadBuiltInCatalogue();
const wakeup = new Wakeup(dataSource);
const live = new LiveCatalogue(dataSource, builtIn);
const deliveries = new DeliveryStore(dataSource, wakeup);
const silent = () => undefined;
const worker = new DecisionWorker(
  dataSource,
  {
    events: new EventStore(dataSource, new Partitions(dataSource), wakeup, clock),
    ...storesOf(new RuleStores(dataSource, { builtIn, live, clock, deliveries, timezone: 'UTC' })),
    deliveries,
    partitions: new Partitions(dataSource),
  },
  // The rules of this test ask nobody.
  { cache: new LookupCache(), fetcher: null },
  {
    timezone: 'UTC',
    wakeup,
    clock,
    log: { debug: silent, info: silent, warn: silent, error: silent, flush: silent },
    metrics: new Metrics(),
    decide: async (ruleSet, subject, inputs, situation) => {
      if (subject.key === killer) process.kill(process.pid, 'SIGKILL');
      return await decide(ruleSet, subject, inputs, situation);
    },
  },
);
await worker.drain();
await dataSource.destroy();
