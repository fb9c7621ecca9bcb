import { randomUUID } from 'node:crypto';
import { Partitions } from '../database/partitions.js';
import { Wakeup } from '../queue/wakeup.js';
import { ReplayWorker } from '../rules/replays/replay-worker.js';
import { storesOf } from '../rules/rule-stores.js';
import type { Installation } from './installation.js';
import { Silence } from './local-drill.js';

const GRACE_MS = 10_000;

/** Works at one order, beside the service or without one, while something else is done. */
export async function workingAt<T>(
  { dataSource, rules, events, deliveries, clock }: Installation,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  const wakeup = new Wakeup(dataSource);
  const worker = new ReplayWorker(
    dataSource,
    { ...storesOf(rules), events, deliveries, partitions: new Partitions(dataSource) },
    { instance: randomUUID(), only: id, wakeup, clock, log: new Silence() },
  );
  worker.start();
  try {
    return await work();
  } finally {
    await worker.stop(GRACE_MS);
    wakeup.close();
  }
}
