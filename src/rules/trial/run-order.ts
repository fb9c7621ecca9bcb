import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Answer, type AnswerTo, type Order, openRun } from './open-run.js';
import type { FromTrialWorker, ToTrialWorker } from './trial-worker.js';
import type { TriedEvent, WantedEvents } from './tried-event.js';

const WORKER = join(import.meta.dirname, 'trial-worker.js');
const MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };
const WITHIN_MS = 10_000;

/** Stored events, a few at a time and the latest first. `left`: so many of them cannot be judged. */
export type EventSource = (
  wants: WantedEvents,
) => AsyncIterable<{ readonly events: readonly TriedEvent[]; readonly left: number }>;

/** Nothing was found out: it took more time, or more memory, than there is for it. */
export class RunLimitError extends Error {
  constructor(readonly code: 'TRIAL_TOO_LONG' | 'TRIAL_TOO_LARGE') {
    super(code);
  }
}

/**
 * Finds something out about rules in a thread of its own, which ends when that is done, when the time or the memory is
 * up, or when `signal` says so: however the rules are written, whoever decides events and answers senders goes on. `events`
 * null: the order needs none.
 *
 * @throws RunLimitError; the signal's reason; and what reading the events throws
 */
export async function runOrder<Asked extends Order>(
  order: Asked,
  events: EventSource | null,
  { signal, withinMs = WITHIN_MS }: { readonly signal?: AbortSignal; readonly withinMs?: number } = {},
): Promise<AnswerTo<Asked>> {
  signal?.throwIfAborted();
  // Sources that are run without being built have no file that a thread could be started from.
  const answer = existsSync(WORKER)
    ? await runInThread(order, events, { signal, withinMs })
    : await runHere(order, events);
  // Each kind of order has its own kind of answer.
  return answer as AnswerTo<Asked>;
}

async function runHere(order: Order, source: EventSource | null): Promise<Answer> {
  const run = await openRun(order);
  if (run.wants && source)
    for await (const { events, left } of source(run.wants)) await run.take(events, left);
  return run.answer();
}

async function runInThread(
  order: Order,
  source: EventSource | null,
  { signal, withinMs }: { readonly signal: AbortSignal | undefined; readonly withinMs: number },
): Promise<Answer> {
  const worker = new Worker(WORKER, { resourceLimits: MEMORY });
  const stopped = new AbortController();
  const timer = setTimeout(() => {
    stopped.abort(new RunLimitError('TRIAL_TOO_LONG'));
  }, withinMs);
  const gone = (): void => {
    stopped.abort(signal?.reason);
  };
  signal?.addEventListener('abort', gone, { once: true });
  worker.on('error', (error: unknown) => {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    stopped.abort(isFull ? new RunLimitError('TRIAL_TOO_LARGE') : error);
  });
  worker.on('exit', () => {
    stopped.abort(new Error('the thread ended early'));
  });
  try {
    return await talk(worker, order, source, stopped.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', gone);
    await worker.terminate();
  }
}

/** Asks the thread one thing after the other, until it has the answer. */
async function talk(
  worker: Worker,
  order: Order,
  source: EventSource | null,
  stopped: AbortSignal,
): Promise<Answer> {
  const ask = async (message: ToTrialWorker): Promise<FromTrialWorker> => {
    const reply = new Promise<FromTrialWorker>((resolve) => {
      worker.once('message', resolve);
    });
    worker.postMessage(message);
    return await unless(stopped, reply);
  };
  const first = await ask({ order });
  if (!('wants' in first)) return answerIn(first);
  if (!source) return answerIn(await ask({ end: true }));
  const slices = source(first.wants)[Symbol.asyncIterator]();
  for (;;) {
    const slice = await unless(stopped, slices.next());
    if (slice.done === true) return answerIn(await ask({ end: true }));
    const reply = await ask(slice.value);
    if (!('more' in reply)) return answerIn(reply);
  }
}

function answerIn(reply: FromTrialWorker): Answer {
  if ('answer' in reply) return reply.answer;
  throw new Error('failed' in reply ? reply.failed : 'the thread has no answer');
}

/** What is waited for, unless there is a reason to stop first. */
export async function unless<T>(stopped: AbortSignal, awaited: Promise<T>): Promise<T> {
  let stop: (() => void) | undefined;
  const stopping = new Promise<never>((_, reject) => {
    stop = () => {
      reject(stopped.reason as Error);
    };
    if (stopped.aborted) stop();
    else stopped.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([awaited, stopping]);
  } finally {
    if (stop) stopped.removeEventListener('abort', stop);
  }
}
