import { parentPort } from 'node:worker_threads';
import type { StoredEvent } from '../../events/event-store.js';
import { Backtest, warmUpOf } from './backtest.js';
import { type BacktestOrder, RulesRefusedError, ruleSetsOf } from './backtest-order.js';
import type { BacktestReport } from './backtest-report.js';
import type { RecordedEvent } from './recorded-event.js';

/** Times in ms since 1970. */
export interface OrderedWindow {
  readonly from: number;
  readonly until: number;
  readonly warmUpFrom: number;
}

/** The order, then the window, then events, then that there are no more. Each is answered once. */
export type ToBacktestWorker =
  | { readonly order: BacktestOrder }
  | { readonly window: OrderedWindow }
  | { readonly events: readonly RecordedEvent[] }
  | { readonly end: true };

/** How long the warm-up should be, in ms; that more can be taken; the report; or why there is none. */
export type FromBacktestWorker =
  | { readonly warmUp: number }
  | { readonly more: true }
  | { readonly report: BacktestReport }
  | { readonly refused: string }
  | { readonly failed: string };

/** A back-test by messages: in a thread of its own, or where it is called. */
export class BacktestRoom {
  private parts: (Awaited<ReturnType<typeof ruleSetsOf>> & Omit<BacktestOrder, 'before' | 'after'>) | null =
    null;
  private backtest: Backtest | null = null;

  /** Never rejects. */
  async reply(message: ToBacktestWorker): Promise<FromBacktestWorker> {
    try {
      return await this.replyTo(message);
    } catch (error) {
      if (error instanceof RulesRefusedError) return { refused: error.message };
      return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  private async replyTo(message: ToBacktestWorker): Promise<FromBacktestWorker> {
    if ('order' in message) {
      const ruleSets = await ruleSetsOf(message.order);
      this.parts = { ...message.order, ...ruleSets };
      return { warmUp: warmUpOf([ruleSets.before, ruleSets.after]) };
    }
    if ('window' in message) {
      if (!this.parts) return { failed: 'nothing was ordered' };
      this.backtest = new Backtest({ ...this.parts, ...message.window });
      return { more: true };
    }
    if (!this.backtest) return { failed: 'there is no window' };
    if ('end' in message) return { report: await this.backtest.finish() };
    await this.backtest.take(message.events.map(arrived));
    return { more: true };
  }
}

/** The same after it came through the door of a thread, where bytes lose their class. */
function arrived(recorded: RecordedEvent): RecordedEvent {
  const bytes = (from: Uint8Array): Buffer => Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  const { raw, content, ...rest } = recorded.event;
  const event: StoredEvent = { ...rest, raw: bytes(raw), content: content && bytes(content) };
  return { ...recorded, event };
}

const room = new BacktestRoom();
parentPort?.on('message', (message: ToBacktestWorker) => {
  void room.reply(message).then((reply) => {
    parentPort?.postMessage(reply satisfies FromBacktestWorker);
  });
});
