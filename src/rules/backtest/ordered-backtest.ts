import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { unless } from '../trial/run-order.js';
import type { BacktestOrder } from './backtest-order.js';
import type { BacktestReport } from './backtest-report.js';
import {
  BacktestRoom,
  type FromBacktestWorker,
  type OrderedWindow,
  type ToBacktestWorker,
} from './backtest-worker.js';
import type { RecordedEvents } from './recorded-event.js';

const WORKER = join(import.meta.dirname, 'backtest-worker.js');
const MEMORY = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 };
const WITHIN_MS = 15 * 60_000;

export type BacktestFailure = 'BACKTEST_TOO_LONG' | 'BACKTEST_TOO_LARGE' | 'BACKTEST_RULES_REFUSED';

/** There is no report. */
export class BacktestError extends Error {
  constructor(
    readonly code: BacktestFailure,
    message: string,
  ) {
    super(message);
  }
}

export interface OrderedEvents {
  /** The window, when the rule sets want so long a warm-up (ms). */
  readonly windowFor: (warmUp: number) => OrderedWindow;
  /** What is decided in it and before it. */
  readonly eventsOf: (window: OrderedWindow) => RecordedEvents;
  /** `of`: how many there are; null: nobody knows. */
  readonly progress: (done: number, of: number | null) => void;
}

/**
 * Runs a back-test in a thread of its own, which ends when that is done, when 15 minutes or 512 MB are up, or when `signal`
 * says so: however the rules are written, whoever decides events and answers senders goes on.
 *
 * @throws BacktestError; the signal's reason; and what reading the events throws
 */
export async function runOrderedBacktest(
  order: BacktestOrder,
  events: OrderedEvents,
  signal: AbortSignal,
): Promise<BacktestReport> {
  signal.throwIfAborted();
  // Sources that are run without being built have no file that a thread could be started from.
  if (existsSync(WORKER)) return await inThread(order, events, signal);
  const room = new BacktestRoom();
  return await talk((message) => unless(signal, room.reply(message)), order, events, signal);
}

async function inThread(
  order: BacktestOrder,
  events: OrderedEvents,
  signal: AbortSignal,
): Promise<BacktestReport> {
  const worker = new Worker(WORKER, { resourceLimits: MEMORY });
  const stopped = new AbortController();
  const timer = setTimeout(() => {
    stopped.abort(
      new BacktestError(
        'BACKTEST_TOO_LONG',
        'it took more than 15 minutes: take a shorter window, or fewer types',
      ),
    );
  }, WITHIN_MS);
  const gone = (): void => {
    stopped.abort(signal.reason);
  };
  signal.addEventListener('abort', gone, { once: true });
  worker.on('error', (error: unknown) => {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    stopped.abort(
      isFull
        ? new BacktestError(
            'BACKTEST_TOO_LARGE',
            'it took more than 512 MB: take a shorter window, or fewer types',
          )
        : error,
    );
  });
  worker.on('exit', () => {
    stopped.abort(new Error('the thread ended early'));
  });
  const ask = async (message: ToBacktestWorker): Promise<FromBacktestWorker> => {
    const reply = new Promise<FromBacktestWorker>((resolve) => {
      worker.once('message', resolve);
    });
    worker.postMessage(message);
    return await unless(stopped.signal, reply);
  };
  try {
    return await talk(ask, order, events, stopped.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', gone);
    await worker.terminate();
  }
}

async function talk(
  ask: (message: ToBacktestWorker) => Promise<FromBacktestWorker>,
  order: BacktestOrder,
  { windowFor, eventsOf, progress }: OrderedEvents,
  stopped: AbortSignal,
): Promise<BacktestReport> {
  const asked = expected('warmUp', await ask({ order }));
  const window = windowFor(asked.warmUp);
  expected('more', await ask({ window }));
  const source = eventsOf(window);
  const total = await unless(stopped, source.count());
  const slices = source.read()[Symbol.asyncIterator]();
  let done = 0;
  for (;;) {
    const slice = await unless(stopped, slices.next());
    if (slice.done === true) break;
    expected('more', await ask({ events: slice.value }));
    done += slice.value.length;
    progress(done, total);
  }
  return expected('report', await ask({ end: true })).report;
}

/** @throws BacktestError; Error for what the thread does not do by its rules */
function expected<Name extends 'warmUp' | 'more' | 'report'>(
  name: Name,
  reply: FromBacktestWorker,
): Extract<FromBacktestWorker, Record<Name, unknown>> {
  if (name in reply) return reply as Extract<FromBacktestWorker, Record<Name, unknown>>;
  if ('refused' in reply) throw new BacktestError('BACKTEST_RULES_REFUSED', reply.refused);
  throw new Error('failed' in reply ? reply.failed : 'the thread has another answer');
}
