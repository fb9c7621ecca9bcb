// One instance of the rules room in a process of its own. Its parent tells it the time, in lines of milliseconds, at
// which it works until a line "hold", which it answers with "held": node rules-instance.mjs <DATABASE_URL>
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { DeliveryStore } from '../../dist/action/delivery-store.js';
import { Clock } from '../../dist/config/clock.js';
import { Metrics } from '../../dist/config/metrics.js';
import { createDataSource } from '../../dist/database/data-source.js';
import { Partitions } from '../../dist/database/partitions.js';
import { loadBuiltInCatalogue } from '../../dist/events/catalogue.js';
import { EventStore } from '../../dist/events/event-store.js';
import { LiveCatalogue } from '../../dist/events/live-catalogue.js';
import { Wakeup } from '../../dist/queue/wakeup.js';
import { DecisionWorker } from '../../dist/rules/decision-worker.js';
import { LookupCache } from '../../dist/rules/lookup-cache.js';
import { RuleStores, storesOf } from '../../dist/rules/rule-stores.js';
import { TimeWorkers } from '../../dist/rules/time-workers.js';

class ToldClock extends Clock {
  time = 0;

  now() {
    return this.time;
  }
}

const [, , url] = process.argv;
const clock = new ToldClock();
const dataSource = await createDataSource({ url }, 6).initialize();
const builtIn = loadBuiltInCatalogue();
const wakeup = new Wakeup(dataSource);
const deliveries = new DeliveryStore(dataSource, wakeup);
const partitions = new Partitions(dataSource);
const live = new LiveCatalogue(dataSource, builtIn);
const timezone = 'Asia/Shanghai';
const stores = {
  ...storesOf(new RuleStores(dataSource, { builtIn, live, clock, deliveries, timezone })),
  events: new EventStore(dataSource, partitions, wakeup, clock),
  deliveries,
  partitions,
};
const silent = () => undefined;
const options = {
  timezone,
  wakeup,
  clock,
  log: {
    debug: silent,
    info: silent,
    warn: silent,
    // Others are killed here all the time.
    error: (fields, text) => fields.event === 'event.crashed' || console.error(fields, text),
    flush: silent,
  },
  metrics: new Metrics(),
};
// The rules of this test ask nobody.
const ways = { cache: new LookupCache(), fetcher: null };
const decisions = new DecisionWorker(dataSource, stores, ways, options);
const time = new TimeWorkers(dataSource, stores, null, {
  ...options,
  instance: randomUUID(),
  retention: 1e12,
});
let working = false;
const lines = [];
createInterface({ input: process.stdin }).on('line', (line) => lines.push(line));
// It is killed, and the next is to begin sooner.
flushCompileCache();
process.stdout.write('ready\n');
for (;;) {
  for (const line of lines.splice(0)) {
    working = line !== 'hold';
    if (working) clock.time = Number(line);
    else process.stdout.write('held\n');
  }
  if (working) {
    await decisions.drain();
    await time.drain();
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
