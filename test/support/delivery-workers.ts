import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { delivered, resultOf } from '../../src/action/attempt-meaning.js';
import { DeliveryStore, type NewDelivery } from '../../src/action/delivery-store.js';
import { DeliveryWorker, LEASE_SECONDS } from '../../src/action/delivery-worker.js';
import type { AttemptResult, HttpRequest, Sender, Senders } from '../../src/action/sender.js';
import { Metrics } from '../../src/config/metrics.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import type { TestClock } from './clock.js';
import { newDelivery } from './deliveries.js';
import { TestLog } from './log.js';

export const TAKEN: AttemptResult = delivered('HTTP 200', 200, 'ok');
export const HANGS: AttemptResult = resultOf('TARGET_TIMEOUT', 'no answer', { sent: true });

/** A sender whose targets answer as they are told; it keeps what it was asked to send. */
export class FakeSender implements Sender<HttpRequest> {
  readonly sent: { readonly host: string; readonly actionKey: string }[] = [];
  /** By host; others take everything. */
  readonly answers = new Map<string, () => AttemptResult | Promise<AttemptResult>>();

  async send(request: HttpRequest, actionKey: string): Promise<AttemptResult> {
    const { host } = new URL(request.url);
    this.sent.push({ host, actionKey });
    return (await this.answers.get(host)?.()) ?? TAKEN;
  }

  countOf(host: string): number {
    return this.sent.filter((one) => one.host === host).length;
  }
}

/** A delivery to a host that a `FakeSender` knows by its name. */
export function deliveryTo(host: string, changes: Partial<NewDelivery> = {}): NewDelivery {
  return newDelivery(randomUUID(), {
    target: `http:${host}`,
    request: {
      kind: 'http',
      secrets: [],
      retry: null,
      content: { method: 'POST', url: `https://${host}/`, headers: {}, timeoutMs: 1, success: null },
    },
    ...changes,
  });
}

/** Takes deliveries over as a decision does. Answers their ids, in order. */
export async function acceptAll(
  dataSource: DataSource,
  clock: TestClock,
  deliveries: readonly NewDelivery[],
): Promise<string[]> {
  const store = new DeliveryStore(dataSource, new Wakeup(dataSource));
  const eventId = randomUUID();
  await dataSource.transaction((tx) =>
    store.accept(
      tx,
      deliveries.map((delivery) => ({ delivery, eventId, occasion: 'live' })),
      clock.now(),
    ),
  );
  return (await store.findOfEvent(eventId)).map(({ id }) => id);
}

/** One instance that sends through `http`. */
export function workerOver(
  dataSource: DataSource,
  clock: TestClock,
  http: Sender<HttpRequest>,
  { leaseSeconds = LEASE_SECONDS, log = new TestLog(), metrics = new Metrics() } = {},
): DeliveryWorker {
  const instance = randomUUID();
  const wakeup = new Wakeup(dataSource);
  const senders = { http, email: null } as unknown as Senders;
  return new DeliveryWorker(
    dataSource,
    new LeasedRows(
      dataSource,
      { table: 'action_keys', ready: 'pending', taken: 'delivering' },
      instance,
      leaseSeconds,
    ),
    new DeliveryStore(dataSource, wakeup),
    senders,
    { instance, secrets: new Map(), wakeup, clock, log, metrics },
  );
}
