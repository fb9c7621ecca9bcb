import { parentPort } from 'node:worker_threads';
import { type Answer, openRun, type Order } from './open-run.js';
import type { Run } from './run.js';
import { arrived, type TriedEvent, type WantedEvents } from './tried-event.js';

/** The order, then events as long as more of them are asked for, then that there are no more. Each is answered once. */
export type ToTrialWorker =
  | { readonly order: Order }
  | { readonly events: readonly TriedEvent[]; readonly left: number }
  | { readonly end: true };

/** Which events are wanted; that more can be taken; the answer; or why there is none. */
export type FromTrialWorker =
  | { readonly wants: WantedEvents }
  | { readonly more: true }
  | { readonly answer: Answer }
  | { readonly failed: string };

let run: Run<Answer> | null = null;

async function replyTo(message: ToTrialWorker): Promise<FromTrialWorker> {
  if ('order' in message) {
    run = await openRun(message.order);
    return run.wants ? { wants: run.wants } : { answer: run.answer() };
  }
  if (!run) return { failed: 'nothing was ordered' };
  if ('end' in message) return { answer: run.answer() };
  await run.take(message.events.map(arrived), message.left);
  return { more: true };
}

parentPort?.on('message', (message: ToTrialWorker) => {
  void replyTo(message)
    .catch((error: unknown) => ({
      failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((reply) => {
      parentPort?.postMessage(reply satisfies FromTrialWorker);
    });
});
