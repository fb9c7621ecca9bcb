import { useRef, useState } from 'react';
import { api } from '../../api/client.js';
import type { ActedMany } from '../../api/types.js';
import { type Act, askDeliveriesAgain, bodyOf, type How } from './acts.js';
import type { ActFilter } from './bulk-filter.js';

/** So many are looked at by one request; between two of them it can be stopped. */
const BATCH = 1000;

/** How many there are. The reason is of no account: nothing is done, and nothing is written down. */
export async function countAll(act: Act, filter: ActFilter): Promise<number> {
  const body = { filter, dryRun: true, ...(act === 'discard' ? { reason: 'dry run' } : {}) };
  return (await api.post<ActedMany>(`/deliveries/${act}`, body)).matched;
}

export interface BulkState {
  readonly stage: 'ask' | 'under way' | 'stopping' | 'stopped' | 'broken' | 'finished';
  readonly done: number;
  /** How many were left out, by the code of why. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly error: unknown;
}

/** An act on all that fit, batch after batch. What is done stays done, whatever becomes of the rest. */
export function useBulkRun(act: Act, filter: ActFilter) {
  const [state, setState] = useState<BulkState>({ stage: 'ask', done: 0, skipped: new Map(), error: null });
  const cursor = useRef<string | null>(null);
  const halt = useRef<AbortController>(null);

  const run = async (how: How): Promise<void> => {
    const { signal } = (halt.current = new AbortController());
    setState((before) => ({ ...before, stage: 'under way', error: null }));
    try {
      do {
        const answer = await api.post<ActedMany>(`/deliveries/${act}`, {
          filter,
          limit: BATCH,
          ...bodyOf(act, how),
          ...(cursor.current === null ? {} : { cursor: cursor.current }),
        });
        cursor.current = answer.next;
        setState((before) => {
          const skipped = new Map(before.skipped);
          for (const { code, count } of answer.skipped) skipped.set(code, (skipped.get(code) ?? 0) + count);
          return { ...before, done: before.done + answer.done, skipped };
        });
      } while (cursor.current !== null && !signal.aborted);
      setState((before) => ({ ...before, stage: cursor.current === null ? 'finished' : 'stopped' }));
    } catch (error) {
      setState((before) => ({ ...before, stage: 'broken', error }));
    } finally {
      await askDeliveriesAgain();
    }
  };
  const stop = (): void => {
    halt.current?.abort();
    setState((before) => ({ ...before, stage: 'stopping' }));
  };
  return { ...state, run, stop };
}
