import { useEffect, useEffectEvent, useState } from 'react';
import { useAnswer } from '../../api/queries.js';
import { useChanges } from '../../api/stream.js';
import type { Query } from '../../api/client.js';
import type { Event, Page } from '../../api/types.js';

/** The list is asked again at most so often, milliseconds. */
const PACE_MS = 2000;
/** Without a stream it is asked now and then. */
const SWEEP_MS = 15_000;
/** So many rows stand in it. */
export const TAIL_ROWS = 100;

export interface Tail {
  /** Null: they are not there yet. */
  readonly rows: readonly Event[] | null;
  /** How many have come in that are not shown, while it is paused. */
  readonly fresh: number;
  readonly error: unknown;
  readonly again: () => void;
  /** Shows what has come in although it is paused. */
  readonly show: () => void;
}

/**
 * The newest events that a filter finds, while they come in. The stream says that something has happened; what it was
 * is asked of the list, which alone knows whether it fits the filter. While `paused`, the rows stay where they are and
 * only what is said of them changes.
 */
export function useTail(query: Query, on: boolean, paused: boolean): Tail {
  const { data, error, refetch } = useAnswer<Page<Event>>(
    '/events',
    { ...query, limit: TAIL_ROWS },
    { when: on, every: SWEEP_MS, keep: true },
  );
  const ask = usePaced(() => void refetch(), PACE_MS);
  useChanges('events', ask, on);
  useChanges('verdicts', ask, on);
  const items = data?.items ?? null;
  const [held, setHeld] = useState<ReadonlySet<string> | null>(null);
  if (paused && held === null && items) setHeld(new Set(items.map(({ id }) => id)));
  if (!paused && held !== null) setHeld(null);
  const rows = items && held ? items.filter(({ id }) => held.has(id)) : items;
  return {
    rows,
    fresh: items && rows ? items.length - rows.length : 0,
    error,
    again: () => void refetch(),
    show: () => {
      setHeld(null);
    },
  };
}

/** Does something at once, and then at most once in so many milliseconds; nothing while the page is hidden. */
function usePaced(act: () => void, ms: number): () => void {
  const [due, setDue] = useState(false);
  const [resting, setResting] = useState(false);
  const [hidden, setHidden] = useState(document.hidden);
  useEffect(() => {
    const changed = (): void => {
      setHidden(document.hidden);
    };
    document.addEventListener('visibilitychange', changed);
    return () => {
      document.removeEventListener('visibilitychange', changed);
    };
  }, []);
  const run = useEffectEvent(act);
  useEffect(() => {
    if (!due || resting || hidden) return;
    run();
    setDue(false);
    setResting(true);
  }, [due, resting, hidden]);
  useEffect(() => {
    if (!resting) return undefined;
    const timer = setTimeout(() => {
      setResting(false);
    }, ms);
    return () => {
      clearTimeout(timer);
    };
  }, [resting, ms]);
  return () => {
    setDue(true);
  };
}
